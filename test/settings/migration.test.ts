/** The settings' database from one schema to the next and back, with a second schema that there is only here. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CHAIN_LIMITS, makeRevision } from "../../src/settings/chain.ts";
import { COPY, DATABASE, SettingsDatabase } from "../../src/settings/database.ts";
import type { Schema } from "../../src/settings/migration.ts";

const SECOND: Schema = {
  number: 2,
  steps: { 1: (db) => db.run("CREATE TABLE labels (name TEXT PRIMARY KEY) STRICT") },
};
let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "understudy-migration-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const at = (name: string) => join(directory, name);

function session<T>(work: (database: SettingsDatabase) => T, schema?: Schema): T {
  const database = new SettingsDatabase(directory, CHAIN_LIMITS, schema);
  try {
    return work(database);
  } finally {
    database.close();
  }
}

function change(database: SettingsDatabase, name: string): void {
  const content = JSON.stringify({ server: { name } });
  database.append([makeRevision(database.head(), { at: "2026-01-01", author: "test", term: 0, content })]);
}

/** One change before the update, two after it. */
function updated(): void {
  session((database) => change(database, "before"));
  session((database) => {
    change(database, "after");
    change(database, "after that");
  }, SECOND);
}

test("forward: everything is there, and the file from before is kept", () => {
  session((database) => change(database, "before"));
  const earlier = readFileSync(at(DATABASE));
  const { content, tables } = session((database) => {
    return { content: database.head().content, tables: database.latest(5).length };
  }, SECOND);
  expect({ content, tables }).toEqual({ content: '{"server":{"name":"before"}}', tables: 2 });
  expect(readFileSync(at("settings.1.db")).equals(earlier)).toBe(true);
});

test("forward from a fresh install, and again", () => {
  expect(session((database) => database.head().number, SECOND)).toBe(0);
  session((database) => change(database, "one"), SECOND);
  expect(session((database) => database.head().number, SECOND)).toBe(1);
  expect(existsSync(at("settings.1.db"))).toBe(false);
});

test("back: what was kept is in force, the newer file is set aside, and what is lost is said", () => {
  updated();
  const { number, went_back } = session((database) => ({
    number: database.head().number,
    went_back: database.went_back,
  }));
  expect(number).toBe(1);
  expect(went_back).toEqual({ from_schema: 2, from_revision: 3 });
  expect(existsSync(at("settings.2.db"))).toBe(true);
  expect(session((database) => database.went_back)).toBe(null);
});

test("back and forward again: the changes made meanwhile are there", () => {
  updated();
  session((database) => change(database, "back"));
  expect(session((database) => database.head().content, SECOND)).toBe('{"server":{"name":"back"}}');
});

test("a newer one that nobody kept is refused in plain words, and nothing is lost", () => {
  session((database) => change(database, "only here"), SECOND);
  const files = readdirSync(directory).sort();
  expect(() => session(() => {})).toThrow(/was written by a newer version; run that one/);
  expect(readdirSync(directory).sort()).toEqual(files);
  expect(session((database) => database.head().number, SECOND)).toBe(1);
});

test("power may go while going back: the next start ends it", () => {
  updated();
  rmSync(at(COPY));
  for (const name of [`${DATABASE}-wal`, DATABASE])
    if (existsSync(at(name))) renameSync(at(name), at(name.replace(DATABASE, "settings.2.db")));
  expect(session((database) => database.head().content)).toBe('{"server":{"name":"before"}}');
});

test("power may go while going forward: before the file's own step, and with the copy of before", () => {
  session((database) => change(database, "before"));
  copyFileSync(at(DATABASE), at("settings.1.db.new"));
  copyFileSync(at(COPY), at("copy.before"));
  session(() => {}, SECOND);
  copyFileSync(at("copy.before"), at(COPY));
  expect(session((database) => database.head().content, SECOND)).toBe('{"server":{"name":"before"}}');
});
