/**
 * A database of settings that was overwritten, cut short, lost or is not one at all: a good revision is used and a
 * sentence says so, or the node refuses to start; never are settings used that nobody made.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure, sentence } from "../../src/errors.ts";
import { CHAIN_LIMITS, makeRevision } from "../../src/settings/chain.ts";
import { COPY, DATABASE, SettingsDatabase } from "../../src/settings/database.ts";
import { Random } from "../random.ts";
import { appendNext, child, expectWhole, history } from "./history.ts";

const TEST_MS = 120_000;
const HEAD = 12;

const root = mkdtempSync(join(tmpdir(), "understudy-damage-"));
/** As the power cut leaves it: all changes in the log. */
const cut = join(root, "cut");
/** As a clean end leaves it: no log. */
const closed = join(root, "closed");
let count = 0;

beforeAll(() => {
  mkdirSync(cut);
  const database = new SettingsDatabase(cut);
  while (database.head().number < HEAD) appendNext(database);
  database.reset(history(HEAD), database.local());
  cpSync(cut, `${cut}-live`, { recursive: true });
  database.close();
  cpSync(cut, closed, { recursive: true });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A copy of one of the two, which `damage` then damages. */
function damaged(kind: "cut" | "closed", { copy }: { copy: boolean }, damage: (path: string) => void): string {
  const directory = join(root, String(count++));
  cpSync(kind === "cut" ? `${cut}-live` : closed, directory, { recursive: true });
  if (!copy) rmSync(join(directory, COPY), { force: true });
  damage(join(directory, DATABASE));
  return directory;
}

/** Opens it: null where that is refused as damaged. */
function open(directory: string): SettingsDatabase | null {
  try {
    return new SettingsDatabase(directory);
  } catch (error) {
    if (error instanceof Failure && error.code === "state-damaged") return null;
    throw error;
  }
}

/** Up to which revision it was good, or null; what it says about it is a sentence, or nothing where all is there. */
function look(directory: string, least: number): number | null {
  const database = open(directory);
  if (database === null) return null;
  const { number } = database.head();
  for (const warning of database.warnings) expect(warning).toMatch(/^\S+settings\.db is (damaged|missing); revision /);
  expectWhole(database, least, HEAD);
  database.close();
  const again = open(directory);
  expect([again?.head().number, again?.warnings]).toEqual([number + 1, []]);
  again?.close();
  rmSync(directory, { recursive: true });
  return number;
}

function overwrite(path: string, offset: number, bytes: Uint8Array): void {
  const content = readFileSync(path);
  content.set(bytes.subarray(0, Math.max(0, content.length - offset)), offset);
  writeFileSync(path, content);
}

/** Places all over a file: some of every page, the header densely. */
function places(path: string, step: number): number[] {
  const { size } = statSync(path);
  const header = Array.from({ length: 25 }, (_, index) => index * 4);
  const rest = Array.from({ length: Math.floor(size / step) }, (_, index) => 100 + index * step);
  return [...header, ...rest].filter((offset) => offset < size);
}

describe("bytes of the database are overwritten", () => {
  const random = new Random(4);
  const kinds: [string, (index: number) => Uint8Array][] = [
    ["a bit is flipped", () => Uint8Array.of(1 << random.below(8))],
    ["a sector is zero", () => new Uint8Array(512)],
    ["noise is written", () => Uint8Array.from({ length: 64 }, () => random.below(256))],
  ];
  for (const [what, bytes] of kinds)
    for (const kind of ["cut", "closed"] as const) {
      test(
        `${what}, ${kind}: with the copy nothing is lost`,
        () => {
          const source = join(kind === "cut" ? `${cut}-live` : closed, DATABASE);
          for (const offset of places(source, 1999)) {
            const directory = damaged(kind, { copy: true }, (path) => {
              const is_bit = what === "a bit is flipped";
              const before = readFileSync(path)[offset] ?? 0;
              overwrite(path, offset, is_bit ? Uint8Array.of(before ^ (bytes(offset)[0] ?? 0)) : bytes(offset));
            });
            expect([offset, look(directory, HEAD)]).toEqual([offset, HEAD]);
          }
        },
        TEST_MS,
      );
      test(
        `${what}, ${kind}: without it a good revision is used, or none`,
        () => {
          const source = join(kind === "cut" ? `${cut}-live` : closed, DATABASE);
          let used = 0;
          for (const offset of places(source, 1999)) {
            const directory = damaged(kind, { copy: false }, (path) => overwrite(path, offset, bytes(offset)));
            if (look(directory, 0) !== null) used++;
          }
          expect(used).toBeGreaterThan(0);
        },
        TEST_MS,
      );
    }
});

describe("the log", () => {
  /** A database whose last changes are in its log alone, and the copy of one of them. */
  function withLog(copy_at: number | null): string {
    const directory = join(root, String(count++));
    mkdirSync(directory);
    const source = `${directory}-live`;
    mkdirSync(source);
    const database = new SettingsDatabase(source);
    for (let number = 1; number <= HEAD; number++) {
      appendNext(database);
      if (number !== copy_at) continue;
      // Closing writes the copy, and a log begins anew.
      cpSync(source, directory, { recursive: true });
      const at_that_time = new SettingsDatabase(directory);
      at_that_time.close();
    }
    cpSync(source, directory, { recursive: true, filter: (path) => !path.endsWith(COPY) });
    database.close();
    return directory;
  }

  test(
    "is cut at any place: a beginning of the history is used, and never less than the copy has",
    () => {
      const whole = withLog(5);
      const { size } = statSync(join(whole, `${DATABASE}-wal`));
      for (let length = 0; length < size; length += 1371) {
        const directory = `${whole}-${length}`;
        cpSync(whole, directory, { recursive: true });
        truncateSync(join(directory, `${DATABASE}-wal`), length);
        expect(look(directory, 5)).not.toBeNull();
      }
    },
    TEST_MS,
  );

  test("is missing: the copy's revision is used", () => {
    const directory = withLog(9);
    rmSync(join(directory, `${DATABASE}-wal`));
    expect(look(directory, 9)).toBe(9);
  });

  test("is whole, with an older copy or none: everything is there, and nobody is warned", () => {
    for (const copy_at of [3, null]) {
      const database = open(withLog(copy_at));
      expect([database?.head().number, database?.warnings]).toEqual([HEAD, []]);
      database?.close();
    }
  });
});

describe("the file", () => {
  test(
    "is cut at any length: with the copy nothing is lost, without it settings are never made up",
    () => {
      const { size } = statSync(join(closed, DATABASE));
      for (let length = 0; length < size; length += 1500)
        for (const copy of [true, false]) {
          const directory = damaged("closed", { copy }, (path) => truncateSync(path, length));
          const number = look(directory, copy ? HEAD : 0);
          expect([length, copy ? number : number === 0]).toEqual([length, copy ? HEAD : false]);
        }
    },
    TEST_MS,
  );

  test("is missing: the copy is used", () => {
    const directory = damaged("closed", { copy: true }, (path) => rmSync(path));
    const database = open(directory);
    expect(database?.warnings).toEqual([
      `${join(directory, DATABASE)} is missing; revision ${HEAD} of ${database?.head().at} is used.`,
    ]);
    expectWhole(database as SettingsDatabase, HEAD, HEAD);
    database?.close();
  });

  test("is missing and an older log is there: that does not get into the new file", () => {
    const older = join(root, String(count++));
    mkdirSync(older);
    const database = new SettingsDatabase(older);
    for (let i = 0; i < 5; i++) appendNext(database);
    const directory = damaged("closed", { copy: true }, (path) => {
      rmSync(path);
      cpSync(join(older, `${DATABASE}-wal`), `${path}-wal`);
    });
    database.close();
    expect(look(directory, HEAD)).toBe(HEAD);
  });

  test("is another kind of file: the copy is used, and the file is kept", () => {
    const directory = damaged("closed", { copy: true }, (path) => writeFileSync(path, "not a database ".repeat(500)));
    const database = open(directory);
    expect(database?.warnings[0]).toMatch(
      /is damaged; revision 12 of \S+ is used, and the file is kept as settings\.db/,
    );
    expect(readFileSync(join(directory, `${DATABASE}.damaged`), "utf8")).toMatch(/^not a database/);
    database?.close();
  });

  test("is damaged and so is the copy: refused, and both stay as they are", () => {
    const directory = damaged("closed", { copy: true }, (path) => writeFileSync(path, "no".repeat(5000)));
    writeFileSync(join(directory, COPY), "{}");
    const before = readdirSync(directory).sort();
    expect(() => new SettingsDatabase(directory)).toThrow(
      /settings\.db is damaged and there is no good copy; restore it, or erase the whole state directory/,
    );
    expect(readdirSync(directory).sort()).toEqual(before);
    expect(readFileSync(join(directory, DATABASE), "utf8")).toBe("no".repeat(5000));
  });

  test("is empty and the copy is damaged: not taken for a fresh install", () => {
    const directory = damaged("closed", { copy: true }, (path) => truncateSync(path, 0));
    writeFileSync(join(directory, COPY), "{}");
    expect(open(directory)).toBeNull();
  });

  test("is a directory: refused", () => {
    const directory = damaged("closed", { copy: true }, (path) => {
      rmSync(path);
      mkdirSync(path);
    });
    expect(() => new SettingsDatabase(directory)).toThrow(
      /settings\.db cannot be used: a directory is in its place; remove it\.$/,
    );
  });

  test("was written by a newer version: refused, and left alone", () => {
    const directory = damaged("closed", { copy: true }, (path) => {
      const file = readFileSync(path);
      // PRAGMA user_version and application_id, at their places in the header.
      file.writeUInt32BE(2, 60);
      file.writeUInt32BE(0x5544_0002, 68);
      writeFileSync(path, file);
    });
    expect(() => new SettingsDatabase(directory)).toThrow(/was written by a newer version/);
    expect(existsSync(join(directory, `${DATABASE}.damaged`))).toBe(false);
  });

  test("can be read by its owner only, and so can the copy", () => {
    const directory = join(root, String(count++));
    mkdirSync(directory);
    const database = new SettingsDatabase(directory);
    appendNext(database);
    const modes = () => readdirSync(directory).map((name) => statSync(join(directory, name)).mode & 0o777);
    expect(modes()).toEqual(modes().map(() => 0o600));
    database.close();
    expect(modes()).toEqual([0o600, 0o600]);
  });
});

describe("the disk", () => {
  /** What `script` says in a mount namespace of its own, where the state directory `d` is prepared by `before`. */
  function inside(before: string, after = ":"): { status: number | null; stdout: string; stderr: string } {
    const directory = join(root, String(count++));
    mkdirSync(directory);
    const fill = `cp ${closed}/* ${directory}/`;
    const writer = `status=0; ${process.execPath} ${join(import.meta.dir, "writer.ts")} ${directory} 200 || status=$?`;
    const script = ["set -e", before, writer, after, "exit $status"]
      .map((line) => line.replaceAll("$d", directory).replace("$fill", fill))
      .join("\n");
    const words = ["unshare", ...(process.getuid?.() === 0 ? ["-m"] : ["-Urm"]), "sh", "-c", script];
    const { exitCode, stdout, stderr } = Bun.spawnSync(words, { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
    return { status: exitCode, stdout: stdout.toString(), stderr: stderr.toString().trim() };
  }

  test("is read-only: refused", () => {
    const { status, stderr } = inside("$fill\nmount --bind $d $d\nmount -o remount,ro,bind $d");
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/cannot be written: it is read-only; mount it writable\.$/),
    ]);
  });

  test("gets full: the change is refused, and what was stored before is there", () => {
    const keep = join(root, "kept");
    mkdirSync(keep);
    const before = "mount -t tmpfs -o size=400k tmpfs $d\n$fill";
    const { status, stdout, stderr } = inside(before, `cp $d/* ${keep}/`);
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/cannot be written: the disk is full; free some space\.$/),
    ]);
    const stored = Number(stdout.trim().split("\n").at(-1));
    expect(stored).toBeGreaterThan(HEAD);
    const database = new SettingsDatabase(keep);
    expect(database.warnings).toEqual([]);
    expectWhole(database, stored, stored);
    database.close();
  });
});

test("the copy is written within a second or so of a change, and after a replacement at once", async () => {
  const directory = join(root, String(count++));
  mkdirSync(directory);
  const database = new SettingsDatabase(directory);
  appendNext(database);
  const copied = () => JSON.parse(readFileSync(join(directory, COPY), "utf8")).value.head.number;
  const deadline_ms = performance.now() + 10_000;
  while (!existsSync(join(directory, COPY)) || copied() !== 1) {
    if (performance.now() > deadline_ms) throw new Error("no copy was written");
    await Bun.sleep(20);
  }
  database.replace("0", history(2), "mine");
  expect(copied()).toBe(2);
  database.reset([]);
  expect(copied()).toBe(0);
  database.close();
});

test("a long history costs a bounded file", () => {
  const directory = join(root, String(count++));
  mkdirSync(directory);
  const database = new SettingsDatabase(directory, { ...CHAIN_LIMITS, contents: 20, lines: 50 });
  for (let i = 0; i < 40; i++)
    database.append(
      Array.from({ length: 5 }).reduce<ReturnType<typeof history>>(
        (all) => [...all, child(all.at(-1) ?? database.head())],
        [],
      ),
    );
  const { size } = statSync(join(directory, DATABASE));
  database.close();
  expect(statSync(join(directory, DATABASE)).size).toBeLessThan(400_000);
  expect(size).toBeLessThan(400_000);
});

test("an older line of history that was damaged ends what is told of it", () => {
  const directory = damaged("closed", { copy: true }, () => {});
  const database = new SettingsDatabase(directory);
  const stray = makeRevision({ number: HEAD, id: database.head().id }, { at: "", author: "", term: 0, content: "{}" });
  expect(() => database.append([{ ...stray, parent: "x" }])).toThrow(
    sentence(new Error("Revision 13 is damaged; it was not stored.")),
  );
  expect(database.since("nowhere", 5)).toEqual([]);
  database.close();
});
