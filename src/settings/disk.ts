/** SQLite as it is used here, and what its refusals mean. */
import { Database, SQLiteError } from "bun:sqlite";
import { closeSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { Failure } from "../errors.ts";
import { fileTrouble } from "../trouble.ts";

/** Of SQLite's result codes, those that a disk causes, in terms of errno. */
const ERRNO: Record<string, string> = {
  SQLITE_FULL: "ENOSPC",
  SQLITE_READONLY: "EROFS",
  SQLITE_PERM: "EACCES",
  SQLITE_IOERR: "EIO",
  SQLITE_BUSY: "EBUSY",
};
const DAMAGE = /^SQLITE_(CORRUPT|NOTADB|ERROR|MISMATCH)/;

/**
 * One process alone has the file, so no other one shares its memory (locking_mode). Each commit is one append to the
 * log and on the disk when it returns (WAL, synchronous); the log goes into the file when there is time for it.
 */
export function openDisk(path: string): Database {
  // Made here, because SQLite would make it readable by everybody; its log gets the same mode.
  closeSync(openSync(path, "a", 0o600));
  const db = new Database(path, { readwrite: true, strict: true });
  try {
    for (const pragma of [
      "locking_mode = EXCLUSIVE",
      "journal_mode = WAL",
      "synchronous = FULL",
      "wal_autocheckpoint = 0",
      "cell_size_check = ON",
      "trusted_schema = OFF",
    ])
      db.run(`PRAGMA ${pragma}`);
  } catch (error) {
    db.close();
    throw error;
  }
  return db;
}

/** What is in the file makes no sense, and not: it cannot be reached. */
export function isDamage(error: unknown): boolean {
  return error instanceof SQLiteError && DAMAGE.test(error.code ?? "");
}

export function unwritable(path: string, error: unknown): Failure {
  const code = error instanceof SQLiteError ? (error.code ?? "") : "";
  const errno = Object.entries(ERRNO).find(([name]) => code.startsWith(name))?.[1];
  const why = fileTrouble(errno === undefined ? error : { code: errno });
  return new Failure("state-unwritable", `The state directory ${dirname(path)} cannot be written: ${why}.`);
}
