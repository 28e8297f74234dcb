/** Programs are told what becomes of the node: each matter once, one after the other, the latest only. Needs root. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, chownSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mayBecome } from "../../test/kernel/namespaces.ts";
import { Hooks } from "./hooks.ts";

let directory: string;
let reports: string[];
let term: number;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "understudy-hooks-"));
  chmodSync(directory, 0o755);
  reports = [];
  term = 1;
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const log = (): string[] => {
  const path = join(directory, "log");
  return existsSync(path) ? readFileSync(path, "utf8").trim().split("\n") : [];
};
function hook(name: string, script: string, mode = 0o755): string {
  const path = join(directory, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, mode);
  return path;
}
/** Says its name and its argument in the log. */
const SAY = `echo "\${0##*/} $1" >> "$(dirname "$0")/log"`;
const make = (ms_max?: number) =>
  new Hooks(
    directory,
    () => ({ term, settings_revision: 7, run: "/run/understudy" }),
    (code, severity, message) => reports.push(`${severity} ${code}: ${message}`),
    ms_max,
  );
/** Bounded by the test's own limit. */
async function until(wanted: () => boolean): Promise<void> {
  while (!wanted()) await Bun.sleep(10);
}

test("every executable file in the order of their names, with the event and what belongs to it, and nothing else", async () => {
  hook("20-second", SAY);
  hook("10-first", `${SAY}\nenv | grep -E '^(UNDERSTUDY|SECRET)' | sort >> "$(dirname "$0")/log"`);
  hook("15-text", SAY, 0o644);
  process.env["SECRET"] = "of whoever started the node";
  const hooks = make();
  term = 3;
  hooks.role("active");
  await until(() => log().length === 7);
  delete process.env["SECRET"];
  expect(log()).toEqual([
    "10-first became-active",
    "UNDERSTUDY_EVENT=became-active",
    "UNDERSTUDY_ROLE=active",
    "UNDERSTUDY_RUN=/run/understudy",
    "UNDERSTUDY_SETTINGS_REVISION=7",
    "UNDERSTUDY_TERM=3",
    "20-second became-active",
  ]);
  expect(reports).toEqual([]);
});

test("the start, then the role, once, however often it is shown; roles that are left again are not told", async () => {
  hook("a", SAY);
  const hooks = make();
  hooks.started();
  for (const role of ["listening", "backup", "backup", "probing", "active", "resuming", "active"] as const) {
    hooks.role(role);
    await Bun.sleep(100);
  }
  await hooks.stop();
  expect(log()).toEqual(["a started", "a became-backup", "a became-active", "a stopping"]);
});

test("roles that are overtaken while a hook runs are left out, and no two run at once", async () => {
  hook("a", `${SAY}\nuntil [ -e "$(dirname "$0")/go" ]; do sleep 0.02; done\necho "end $1" >> "$(dirname "$0")/log"`);
  const hooks = make();
  hooks.role("active");
  await until(() => log().length === 1);
  for (const role of ["backup", "active", "backup"] as const) hooks.role(role);
  hooks.settingsChanged();
  hooks.settingsChanged();
  writeFileSync(join(directory, "go"), "");
  await until(() => log().length === 6);
  expect(log()).toEqual([
    "a became-active",
    "end became-active",
    "a became-backup",
    "end became-backup",
    "a settings-changed",
    "end settings-changed",
  ]);
});

test("after the end nothing more is told, and what waited is left out", async () => {
  hook("a", SAY);
  const hooks = make();
  hooks.role("active");
  await hooks.stop();
  hooks.role("backup");
  hooks.settingsChanged();
  await Bun.sleep(200);
  expect(log()).toEqual(["a stopping"]);
});

test("one that fails is told with what it said, bounded and without control characters; the next one runs", async () => {
  const path = hook("a", `yes noise | head -c 100000; printf 'no\\033[2J such thing\\n' >&2; exit 3`);
  hook("b", SAY);
  make().settingsChanged();
  await until(() => log().length === 1);
  expect(reports.length).toBe(1);
  expect(reports[0]).toStartWith(
    `warning hook-failed: The hook ${path} settings-changed ended with status 3; it said: `,
  );
  expect(reports[0]).toEndWith("no [2J such thing");
  expect(reports[0]?.length).toBeLessThan(700);
});

test("one that hangs is ended with its children, whatever signals it takes", async () => {
  const path = hook(
    "a",
    `trap '' TERM\n${SAY}\nsleep 300 &\necho $! > "$(dirname "$0")/child"\nwait; while :; do sleep 1; done`,
  );
  hook("b", SAY);
  make(2000).settingsChanged();
  await until(() => log().length === 2);
  expect(reports).toEqual([
    `warning hook-failed: The hook ${path} settings-changed did not end within 2 s and was ended.`,
  ]);
  const child = readFileSync(join(directory, "child"), "utf8").trim();
  await until(() => !existsSync(`/proc/${child}`) || readFileSync(`/proc/${child}/stat`, "utf8").includes(") Z "));
});

test("one that leaves something behind is not waited for", async () => {
  hook("a", `sleep 300 & echo $! > "$(dirname "$0")/child"`);
  hook("b", SAY);
  make().settingsChanged();
  await until(() => log().length === 1);
  process.kill(Number(readFileSync(join(directory, "child"), "utf8")), "SIGKILL");
});

test("what others may write is not run, and said once", async () => {
  const loose = hook("a", SAY, 0o777);
  const foreign = hook("b", SAY);
  if (mayBecome(65_534)) chownSync(foreign, 65_534, 0);
  else chmodSync(foreign, 0o775);
  hook("c", SAY);
  const hooks = make();
  for (let count = 1; count <= 2; count += 1) {
    hooks.settingsChanged();
    await until(() => log().length === count);
  }
  expect(log()).toEqual(["c settings-changed", "c settings-changed"]);
  const said = (path: string): string =>
    `warning hook-refused: ${path} can be written by others than root and is not run; give it to root, with mode 755.`;
  expect(reports).toEqual([said(loose), said(foreign)]);
});

test("a directory that others may write, or that is not there, is said", async () => {
  hook("a", SAY);
  chmodSync(directory, 0o777);
  const hooks = make();
  hooks.settingsChanged();
  await until(() => reports.length === 1);
  rmSync(directory, { recursive: true });
  hooks.settingsChanged();
  await until(() => reports.length === 2);
  expect(reports[0]).toContain("can be written by others than root");
  expect(reports[1]).toStartWith(`warning hook-refused: The hooks in ${directory} cannot be run`);
});

test("one that is no program is said", async () => {
  const path = join(directory, "a");
  writeFileSync(path, "\0\0\0\0");
  chmodSync(path, 0o755);
  make().settingsChanged();
  await until(() => reports.length === 1);
  expect(reports[0]).toContain("cannot be run");
});
