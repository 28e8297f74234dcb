/**
 * The chain of revisions on the disk: settings.db, and beside it, sealed, a copy of the newest revision, made
 * within a second, which helps where the database is damaged or gone. What cannot be read is kept as
 * settings.db.damaged, and a sentence says what is used instead.
 */
import type { Database } from "bun:sqlite";
import { existsSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../errors.ts";
import { readSealed, syncDirectory, writeSealed } from "../sealed.ts";
import { fileTrouble } from "../trouble.ts";
import {
  badRevision,
  CHAIN_LIMITS,
  type Chain,
  type ChainLimits,
  demandChain,
  FRESH,
  FRESH_LOCAL,
  isGenuine,
  type KeptRevisions,
  type Revision,
} from "./chain.ts";
import { isDamage, openDisk, unwritable } from "./disk.ts";
import { goBack, keptPath, migrate, SCHEMA, type Schema } from "./migration.ts";
import { type Good, isSound, salvage } from "./salvage.ts";
import type { Local } from "./shared.ts";
import { Tables } from "./tables.ts";

export const DATABASE = "settings.db";
export const COPY = "settings.copy.json";
/** What was set aside as damaged. */
export const DAMAGED_FILES = [`${DATABASE}.damaged`, `${DATABASE}.damaged-wal`];
/** Everything that the settings are in: what an erasure removes, the copy first. */
export const SETTINGS_FILES = [
  COPY,
  DATABASE,
  ...["-wal", "-journal", ".new", ".new-wal", ".new-journal"].map((suffix) => DATABASE + suffix),
  ...DAMAGED_FILES,
];

const COPY_AFTER_MS = 1000;
/** A log of this size goes into the file when there is time, and one of the other size at once. */
const LOG_BYTES_LAZY = 1 << 20;
const LOG_BYTES_MAX = 32 << 20;

interface Copy {
  head: Revision;
  local: Local;
  sequence: number;
  /** Absent in a copy of the first one. */
  schema?: number;
}

export class SettingsDatabase implements Chain {
  /** Sentences about what was found damaged at start. */
  readonly warnings: string[] = [];
  /** The settings of a newer version were set aside, and those from before it are in force. */
  went_back: { from_schema: number; from_revision: number } | null = null;
  readonly #directory: string;
  readonly #path: string;
  readonly #limits: ChainLimits;
  readonly #schema: Schema;
  #db: Database;
  #tables: Tables;
  #head: Revision = FRESH;
  #local: Local = FRESH_LOCAL;
  #sequence = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;

  /** Throws Failure `state-damaged`, `state-newer` or `state-unwritable`. */
  constructor(directory: string, limits: ChainLimits = CHAIN_LIMITS, schema: Schema = SCHEMA) {
    this.#directory = directory;
    this.#schema = schema;
    this.#path = join(directory, DATABASE);
    this.#limits = limits;
    this.#db = this.#open();
    this.#tables = new Tables(this.#db);
    this.#read();
    if (readCopy(join(directory, COPY))?.sequence !== this.#sequence) this.#copySoon();
  }

  head(): Revision {
    return this.#head;
  }

  local(): Local {
    return this.#local;
  }

  find(id: string): Revision | null {
    const row = this.#tables.byId(id);
    return row === null ? null : checked(row);
  }

  at(number: number): Revision | null {
    const row = this.#tables.after(number - 1, 1)[0];
    return row?.number === number ? checked(row) : null;
  }

  /** The newest ones, newest first. */
  latest(limit: number): Revision[] {
    const newest = this.#tables.after(this.#head.number - limit, limit);
    return newest.flatMap((row) => checked(row) ?? []).reverse();
  }

  since(id: string, limit: number): Revision[] {
    let before = this.find(id);
    if (before === null) return [];
    const revisions: Revision[] = [];
    for (const row of this.#tables.after(before.number, limit)) {
      const revision = checked(row);
      if (revision === null || revision.parent !== before.id) break;
      revisions.push(revision);
      before = revision;
    }
    return revisions;
  }

  append(revisions: Revision[], local?: Local): void {
    demandChain(this.#head, revisions);
    if (revisions.length === 0 && local === undefined) return;
    this.#change((tables) => {
      for (const revision of revisions) tables.insert(revision);
      if (local !== undefined) tables.setLocal(revisions.at(-1)?.number ?? this.#head.number, local);
    });
  }

  replace(after: string, revisions: Revision[], name: string): void {
    const base = this.find(after);
    if (base === null) throw badRevision(`There is no revision ${after}`);
    demandChain(base, revisions);
    if (revisions.length === 0 && base.content === "") throw badRevision("The newest revision would have no content");
    this.#change((tables) => {
      const replaced = tables.after(base.number, this.#limits.lines);
      const at = replaced.at(-1)?.at ?? base.at;
      if (replaced.length > 0) tables.keep({ name, at, revisions: replaced });
      tables.removeAfter(base.number);
      tables.setLocal(base.number, this.#local);
      for (const revision of revisions) tables.insert(revision);
    });
    this.#copyNow();
  }

  reset(revisions: Revision[], local: Local = this.#local): void {
    demandChain(null, revisions);
    this.#change((tables) => {
      tables.clear();
      fill(tables, revisions, local);
    });
    this.#copyNow();
  }

  kept(): KeptRevisions[] {
    return this.#tables.kept();
  }

  /** Closed while `work` removes its files, and opened again. */
  erase(work: () => void): void {
    this.close();
    try {
      work();
    } finally {
      this.#db = this.#open();
      this.#tables = new Tables(this.#db);
      this.#local = FRESH_LOCAL;
      this.#read();
    }
  }

  /** Writes the copy if it is due, and ends. */
  close(): void {
    if (this.#timer !== null) this.#copyNow();
    this.#db.close();
  }

  /** One transaction. What is in memory follows what is on the disk. */
  #change(work: (tables: Tables) => void): void {
    try {
      this.#db
        .transaction(() => {
          work(this.#tables);
          const head = this.#tables.newest()?.number ?? 0;
          this.#tables.trim(head, this.#limits);
          this.#tables.setSequence(this.#sequence + 1);
        })
        .immediate();
      if (this.#logBytes() > LOG_BYTES_MAX) this.#db.run("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch (error) {
      throw error instanceof Failure ? error : unwritable(this.#path, error);
    } finally {
      this.#read();
    }
    this.#copySoon();
  }

  #copySoon(): void {
    this.#timer ??= setTimeout(() => this.#copyNow(), COPY_AFTER_MS);
    this.#timer.unref?.();
  }

  #read(): void {
    this.#head = this.#tables.newest() ?? FRESH;
    this.#local = this.#tables.local(this.#head.number) ?? this.#local;
    this.#sequence = this.#tables.sequence();
  }

  /** Where the disk refuses, the copy is an older one until the next change: the database itself is whole. */
  #copyNow(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    try {
      const copy = this.#copy(this.#head, this.#local, this.#sequence);
      writeSealed(join(this.#directory, COPY), copy);
      if (this.#logBytes() > LOG_BYTES_LAZY) this.#db.run("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch {
      // Said when the next change is refused.
    }
  }

  #copy(head: Revision, local: Local, sequence: number): Copy {
    const { number } = this.#schema;
    return { head, local, sequence, ...(number === 1 ? {} : { schema: number }) };
  }

  #logBytes(): number {
    return statSync(`${this.#path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  }

  #open(): Database {
    if (statSync(this.#path, { throwIfNoEntry: false })?.isDirectory())
      throw new Failure("state-unusable", `${this.#path} cannot be used: ${fileTrouble({ code: "EISDIR" })}.`);
    let copy = readCopy(join(this.#directory, COPY));
    if ((copy?.schema ?? 1) > this.#schema.number) {
      this.#goBack(copy?.schema ?? 1, copy?.head.number ?? 0);
      copy = null;
    }
    if (!existsSync(this.#path)) {
      if (existsSync(join(this.#directory, COPY))) return this.#rebuild(null, copy);
      // A power cut in the middle of going back.
      if (goBack(this.#path, this.#schema.number + 1, this.#schema)) return this.#open();
      return this.#make([], FRESH_LOCAL, 0);
    }
    let db: Database | null = null;
    try {
      db = openDisk(this.#path);
      const tables = new Tables(db);
      const schema = tables.schema();
      if (schema !== null && schema > this.#schema.number) {
        const newest = tables.newest()?.number ?? 0;
        db.close();
        this.#goBack(schema, newest);
        return this.#open();
      }
      if (schema !== null && isSound(db) && tables.sequence() >= (copy?.sequence ?? 0)) {
        if (schema < this.#schema.number) migrate(db, this.#path, schema, this.#schema);
        return db;
      }
    } catch (error) {
      if (!isDamage(error)) {
        db?.close();
        throw error instanceof Failure ? error : unwritable(this.#path, error);
      }
    }
    return this.#rebuild(db, copy);
  }

  /** What an update has taken from here is set aside, and what was kept before it is in force again. */
  #goBack(schema: number, newest: number): void {
    let done: boolean;
    try {
      // First: it is of the newer schema too, and would take the place of what was kept.
      if (existsSync(keptPath(this.#path, this.#schema.number))) rmSync(join(this.#directory, COPY), { force: true });
      done = goBack(this.#path, schema, this.#schema);
    } catch (error) {
      throw unwritable(this.#path, error);
    }
    if (!done)
      throw new Failure(
        "state-newer",
        `${this.#path} was written by a newer version; run that one, or erase the state directory to start from a fresh install.`,
      );
    this.went_back = { from_schema: schema, from_revision: newest };
  }

  /** Takes the newest good revision there is, into a new file. */
  #rebuild(damaged: Database | null, copy: Copy | null): Database {
    const found: Good = damaged === null ? { revisions: [], local: null, sequence: 0 } : salvage(damaged);
    damaged?.close();
    const { revisions, local } = newest(found, copy);
    const head = revisions.at(-1);
    if (head === undefined || local === null)
      throw new Failure(
        "state-damaged",
        `${this.#path} is damaged and there is no good copy; restore it, or erase the whole state directory to start from a fresh install.`,
      );
    const sequence = Math.max(found.sequence, copy?.sequence ?? 0) + 1;
    const was_there = existsSync(this.#path);
    this.warnings.push(
      `${this.#path} is ${was_there ? "damaged" : "missing"}; revision ${head.number} of ${head.at} is used${was_there ? `, and the file is kept as ${DATABASE}.damaged` : ""}.`,
    );
    try {
      // First, so that a power cut in the middle of this loses nothing.
      writeSealed(join(this.#directory, COPY), this.#copy(head, local, sequence));
    } catch (error) {
      throw unwritable(this.#path, error);
    }
    return this.#make(revisions, local, sequence);
  }

  /** A new file, complete before it has its name; what is in its place is set aside. */
  #make(revisions: Revision[], local: Local, sequence: number): Database {
    const path = this.#path;
    try {
      for (const suffix of ["", "-wal", "-journal"]) rmSync(`${path}.new${suffix}`, { force: true });
      const db = openDisk(`${path}.new`);
      const tables = new Tables(db);
      try {
        db.transaction(() => {
          tables.create(this.#schema);
          fill(tables, revisions, local);
          tables.setSequence(sequence);
        }).immediate();
      } finally {
        // Its log is in the file then.
        db.close();
      }
      // The log too: in it are changes of the old file, which must not get into the new one.
      for (const suffix of ["-wal", ""]) {
        rmSync(`${path}.damaged${suffix}`, { force: true });
        if (existsSync(path + suffix)) renameSync(path + suffix, `${path}.damaged${suffix}`);
      }
      renameSync(`${path}.new`, path);
      syncDirectory(this.#directory);
      return openDisk(path);
    } catch (error) {
      throw unwritable(path, error);
    }
  }
}

/** History where the two fit together, and otherwise whichever is newer. */
function newest(
  { revisions, local, sequence }: Good,
  copy: Copy | null,
): { revisions: Revision[]; local: Local | null } {
  const head = revisions.at(-1);
  if (copy === null) return { revisions, local };
  if (head === undefined || local === null) return { revisions: [copy.head], local: copy.local };
  const has_all = sequence >= copy.sequence && head.number >= copy.head.number;
  if (has_all || revisions.some(({ id }) => id === copy.head.id)) return { revisions, local };
  const fits = copy.head.parent === head.id && copy.head.number === head.number + 1;
  return { revisions: fits ? [...revisions, copy.head] : [copy.head], local: copy.local };
}

/** The line as it was written; null where it is damaged, and without its content where only that is. */
function checked(row: Revision): Revision | null {
  if (isGenuine(row)) return row;
  const line = { ...row, content: "" };
  return isGenuine(line) ? line : null;
}

function fill(tables: Tables, revisions: Revision[], local: Local): void {
  for (const revision of revisions.length === 0 ? [FRESH] : revisions) tables.insert(revision);
  tables.setLocal(revisions.at(-1)?.number ?? 0, revisions.length === 0 ? FRESH_LOCAL : local);
}

function readCopy(path: string): Copy | null {
  const copy = readSealed(path) as Copy | undefined;
  return copy !== undefined && copy !== null && isGenuine(copy.head) && copy.head.content !== "" ? copy : null;
}
