/**
 * From one schema of the settings' database to the next, and back. Before a step forward the file is kept as
 * settings.N.db, as it was; a version that knows no more than schema N goes on with that one, and sets the newer file aside.
 */
import type { Database } from "bun:sqlite";
import { closeSync, copyFileSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { syncDirectory } from "../sealed.ts";

/** Which tables there are, and what they and the contents in them mean. */
export const SETTINGS_SCHEMA = 1;

export interface Schema {
  number: number;
  /** `steps[n]` makes schema n + 1 of schema n, inside a transaction. */
  steps: Record<number, (db: Database) => void>;
}

export const SCHEMA: Schema = { number: SETTINGS_SCHEMA, steps: {} };
/** PRAGMA application_id: says again what user_version says, so that a flipped bit is not taken for another version. */
export const APPLICATION = 0x5544_0000;

/** `settings.db` of schema `number`, as it was when a later one took its place. */
export function keptPath(path: string, number: number): string {
  return path.replace(/\.db$/, `.${number}.db`);
}

/** Every file that a migration may have left beside `settings.db`. */
export function isKept(name: string): boolean {
  return /^settings\.\d{1,9}\.db(-wal|-journal|\.new)?$/.test(name);
}

/** All that this database has is in its one file when it is copied: its log is empty. */
export function migrate(db: Database, path: string, from: number, schema: Schema): void {
  db.run("PRAGMA wal_checkpoint(TRUNCATE)");
  const kept = keptPath(path, from);
  copyFileSync(path, `${kept}.new`);
  const fd = openSync(`${kept}.new`, "r+");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(`${kept}.new`, kept);
  syncDirectory(dirname(path));
  db.transaction(() => takeSteps(db, from, schema)).immediate();
}

/** Inside a transaction. */
export function takeSteps(db: Database, from: number, schema: Schema): void {
  for (let number = from; number < schema.number; number++) schema.steps[number]?.(db);
  db.run(`PRAGMA user_version = ${schema.number}`);
  db.run(`PRAGMA application_id = ${APPLICATION + schema.number}`);
}

/** The kept file of our schema takes the place of a newer one. False where nobody kept one. */
export function goBack(path: string, from: number, schema: Schema): boolean {
  const kept = keptPath(path, schema.number);
  if (!existsSync(kept)) return false;
  const aside = keptPath(path, from);
  for (const suffix of ["-wal", ""]) {
    rmSync(aside + suffix, { force: true });
    if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
  }
  renameSync(kept, path);
  syncDirectory(dirname(path));
  return true;
}
