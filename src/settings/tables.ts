/** The tables of settings.db, and the sentences of SQL that are spoken to them. No transactions: the caller has them. */
import type { Database } from "bun:sqlite";
import { createHash } from "node:crypto";
import type { ChainLimits, KeptRevisions, Revision } from "./chain.ts";
import { APPLICATION, type Schema, takeSteps } from "./migration.ts";
import type { Local } from "./shared.ts";

/** Tables are made as they were first, and take every step to the schema of today. */
const FIRST = 1;
const CREATE = `
  CREATE TABLE revisions (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, parent TEXT NOT NULL, at TEXT NOT NULL,
    author TEXT NOT NULL, term INTEGER NOT NULL, digest TEXT NOT NULL, bytes INTEGER NOT NULL, content TEXT NOT NULL
  ) STRICT;
  CREATE INDEX contents ON revisions (bytes) WHERE bytes > 0;
  CREATE TABLE locals (number INTEGER PRIMARY KEY, digest TEXT NOT NULL, content TEXT NOT NULL) STRICT;
  CREATE TABLE kept (
    position INTEGER PRIMARY KEY, name TEXT NOT NULL, at TEXT NOT NULL, digest TEXT NOT NULL, revisions TEXT NOT NULL
  ) STRICT;
  CREATE TABLE progress (one INTEGER PRIMARY KEY CHECK (one = 1), sequence INTEGER NOT NULL) STRICT;
  INSERT INTO progress VALUES (1, 0);
  PRAGMA user_version = ${FIRST};
  PRAGMA application_id = ${APPLICATION + FIRST};
`;

const COLUMNS = "number, id, parent, at, author, term, digest, content";

export class Tables {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  create(schema: Schema): void {
    this.#db.run(CREATE);
    takeSteps(this.#db, FIRST, schema);
  }

  /** Its schema, as far as its header tells; null where that makes no sense. */
  schema(): number | null {
    const { user_version } = this.#db.query("PRAGMA user_version").get() as { user_version: number };
    const { application_id } = this.#db.query("PRAGMA application_id").get() as { application_id: number };
    return application_id !== APPLICATION + user_version || user_version < FIRST ? null : user_version;
  }

  /** How many transactions there were: tells which of two copies is the newer one. */
  sequence(): number {
    return (this.#db.query("SELECT sequence FROM progress").get() as { sequence: number }).sequence;
  }

  setSequence(sequence: number): void {
    this.#db.query("UPDATE progress SET sequence = ?").run(sequence);
  }

  /** Newest first, as they are: nothing is checked. */
  *newestFirst(): Generator<Revision> {
    yield* this.#db.query(`SELECT ${COLUMNS} FROM revisions ORDER BY number DESC`).iterate() as Iterable<Revision>;
  }

  newest(): Revision | null {
    return this.#db.query(`SELECT ${COLUMNS} FROM revisions ORDER BY number DESC LIMIT 1`).get() as Revision | null;
  }

  byId(id: string): Revision | null {
    return this.#db.query(`SELECT ${COLUMNS} FROM revisions WHERE id = ?`).get(id) as Revision | null;
  }

  after(number: number, limit: number): Revision[] {
    return this.#db
      .query(`SELECT ${COLUMNS} FROM revisions WHERE number > ? ORDER BY number LIMIT ?`)
      .all(number, limit) as Revision[];
  }

  insert({ number, id, parent, at, author, term, digest, content }: Revision): void {
    this.#db
      .query("INSERT INTO revisions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .run(number, id, parent, at, author, term, digest, Buffer.byteLength(content), content);
  }

  removeAfter(number: number): void {
    this.#db.query("DELETE FROM revisions WHERE number > ?").run(number);
  }

  clear(): void {
    this.#db.run("DELETE FROM revisions; DELETE FROM locals; DELETE FROM kept;");
  }

  /** What is in force at revision `number`; null where it is damaged or there is none. */
  local(number: number): Local | null {
    const row = this.#db
      .query("SELECT content, digest FROM locals WHERE number <= ? ORDER BY number DESC LIMIT 1")
      .get(number) as { content: string; digest: string } | null;
    return row === null || digestOf(row.content) !== row.digest ? null : (JSON.parse(row.content) as Local);
  }

  /** In force from revision `number` on. */
  setLocal(number: number, local: Local): void {
    const content = JSON.stringify(local);
    this.#db.query("DELETE FROM locals WHERE number >= ?").run(number);
    this.#db.query("INSERT INTO locals VALUES (?, ?, ?)").run(number, digestOf(content), content);
  }

  /** Damaged ones are left out. */
  kept(): KeptRevisions[] {
    const rows = this.#db.query("SELECT name, at, digest, revisions FROM kept ORDER BY position").all() as {
      name: string;
      at: string;
      digest: string;
      revisions: string;
    }[];
    return rows
      .filter(({ digest, revisions }) => digestOf(revisions) === digest)
      .map(({ name, at, revisions }) => ({ name, at, revisions: JSON.parse(revisions) as Revision[] }));
  }

  keep({ name, at, revisions }: KeptRevisions): void {
    const text = JSON.stringify(revisions);
    this.#db
      .query("INSERT INTO kept (name, at, digest, revisions) VALUES (?, ?, ?, ?)")
      .run(name, at, digestOf(text), text);
  }

  /** Drops what is more than the limits allow; never the content of the newest, `head`. */
  trim(head: number, limits: ChainLimits): void {
    let { oldest, bytes } = this.#db
      .query("SELECT coalesce(min(number), 0) AS oldest, total(bytes) AS bytes FROM revisions WHERE bytes > 0")
      .get() as { oldest: number; bytes: number };
    while (oldest < head && (head - oldest >= limits.contents || bytes > limits.content_bytes)) {
      const row = this.#db.query("SELECT bytes FROM revisions WHERE number = ?").get(oldest) as {
        bytes: number;
      } | null;
      if (row !== null && row.bytes > 0) {
        this.#db.query("UPDATE revisions SET content = '', bytes = 0 WHERE number = ?").run(oldest);
        bytes -= row.bytes;
      }
      oldest++;
    }
    const last = head - limits.lines;
    this.#db.query("DELETE FROM revisions WHERE number <= ?").run(last);
    this.#db.query("DELETE FROM locals WHERE number < (SELECT max(number) FROM locals WHERE number <= ?)").run(oldest);
    this.#db.query("DELETE FROM kept WHERE position <= (SELECT max(position) FROM kept) - ?").run(limits.kept);
  }
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
