/**
 * A process that stores settings is killed, or its disk refuses, at every single call that changes a file: what it
 * said was stored is there at the next start, nothing is half there, and nobody is warned of damage.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { COPY, DATABASE, SettingsDatabase } from "../../src/settings/database.ts";
import { appendNext, expectWhole } from "./history.ts";

const TEST_MS = 120_000;
const APPENDED = 2;
/** No call is made more often than this by one writer. */
const CALLS_MAX = 200;

const root = mkdtempSync(join(tmpdir(), "understudy-crash-"));
const base = join(root, "base");
let count = 0;

beforeAll(() => {
  mkdirSync(base);
  const database = new SettingsDatabase(base);
  for (let i = 0; i < 4; i++) appendNext(database);
  database.close();
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

interface Ended {
  directory: string;
  stored: number;
  status: number | null;
  killed: boolean;
  stderr: string;
  calls: string[];
}

/** A writer whose calls are tampered with as strace(1) says. */
function write(from: string | null, calls: string, tamper: string | null): Ended {
  const directory = join(root, String(count++));
  if (from === null) mkdirSync(directory);
  else cpSync(from, directory, { recursive: true });
  const paths = ["", DATABASE, `${DATABASE}-wal`, COPY, `${COPY}.new`].flatMap((name) => ["-P", join(directory, name)]);
  const log = `${directory}.log`;
  const words = ["strace", "-f", "-qq", "-o", log, ...paths, "-e", `trace=${calls}`];
  if (tamper !== null) words.push("-e", `inject=${calls}:${tamper}`);
  const writer = [process.execPath, join(import.meta.dir, "writer.ts"), directory, String(APPENDED)];
  const child = Bun.spawnSync([...words, ...writer], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const said = child.stdout.toString().trim().split("\n").filter(Boolean).map(Number);
  return {
    directory,
    stored: said.at(-1) ?? (from === null ? 0 : 4),
    status: child.exitCode,
    killed: child.signalCode === "SIGKILL",
    stderr: child.stderr.toString().trim(),
    calls: readFileSync(log, "utf8").split("\n"),
  };
}

function expectRecovered({ directory, stored }: Ended): void {
  const database = new SettingsDatabase(directory);
  expect(database.warnings).toEqual([]);
  expectWhole(database, stored, stored + 1);
  database.close();
}

const CALLS = ["pwrite64", "fsync", "write", "rename", "unlink", "ftruncate", "openat"];

describe.each([
  ["a database with some history", () => base],
  ["a directory with nothing in it", () => null],
])("%s", (_, from) => {
  for (const call of CALLS)
    test(
      `killed before each ${call}`,
      () => {
        let kills = 0;
        for (let n = 1; n <= CALLS_MAX; n++) {
          const ended = write(from(), call, `signal=KILL:when=${n}`);
          expectRecovered(ended);
          rmSync(ended.directory, { recursive: true });
          if (!ended.killed) break;
          kills++;
        }
        // Whoever makes none of these calls has not been tested.
        expect(kills).toBeGreaterThan(0);
        expect(kills).toBeLessThan(CALLS_MAX);
      },
      TEST_MS,
    );
});

for (const [call, error, words] of [
  ["pwrite64", "ENOSPC", "the disk is full; free some space"],
  ["fsync", "EIO", "the disk does not work; replace it"],
] as const)
  test(
    `${error} at each ${call} and from then on`,
    () => {
      let refusals = 0;
      for (let n = 1; n <= CALLS_MAX; n++) {
        const ended = write(base, call, `error=${error}:when=${n}+`);
        if (ended.status !== 0) {
          expect(ended.stderr).toMatch(new RegExp(`^The state directory \\S+ cannot be written: ${words}\\.$`));
          refusals++;
        }
        expectRecovered(ended);
        rmSync(ended.directory, { recursive: true });
        if (!ended.calls.some((line) => line.includes("INJECTED"))) break;
      }
      expect(refusals).toBeGreaterThan(0);
    },
    TEST_MS,
  );

test(
  "a change is on the disk when it is said to be, after one fsync",
  () => {
    const { calls, directory } = write(base, "pwrite64,fsync", null);
    const log = calls.map((line) => /\b(pwrite64|fsync)\(/.exec(line)?.[1] ?? "").join(" ");
    // The log's header and its directory, as it is new; the first change; the second one.
    expect(log).toMatch(/^pwrite64 fsync fsync( pwrite64)+ fsync( pwrite64)+ fsync /);
    const database = new SettingsDatabase(directory);
    expectWhole(database, 6, 6);
    database.close();
  },
  TEST_MS,
);
