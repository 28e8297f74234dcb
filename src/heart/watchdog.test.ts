/** The watchdog is fed often enough and no more, by the heart's loop alone, and disarmed at a clean end only. Needs root. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../test/kernel/namespaces.ts";
import { SystemFailure } from "../errors.ts";
import { WATCHDOG_TIMEOUT_S, Watchdog } from "./watchdog.ts";

/** A device and what it heard. */
function world({ busy = false } = {}) {
  const heard: string[] = [];
  const device = { busy, broken: false };
  const refuse = (operation: string): never => {
    throw new SystemFailure(operation, "EBUSY", `${operation}: the device is busy`);
  };
  const shim = {
    openWatchdog(path: string, timeout_s: number) {
      if (device.busy) refuse("open watchdog");
      heard.push(`open ${path} ${timeout_s}`);
      return 7;
    },
    petWatchdog() {
      if (device.broken) refuse("pet watchdog");
      heard.push("feed");
    },
    close: () => void heard.push("close"),
  };
  const said: string[] = [];
  const watchdog = new Watchdog(shim, "/dev/watchdog0", (code, severity) => said.push(`${severity} ${code}`));
  const turn = (from_ms: number, to_ms: number, every_ms = 8): void => {
    for (let now_ms = from_ms; now_ms < to_ms; now_ms += every_ms) watchdog.feed(now_ms);
  };
  return { heard, device, said, watchdog, turn };
}

test("opened at the first turn, and fed four times in its time-out, however fast the loop turns", () => {
  const { heard, said, turn, watchdog } = world();
  turn(0, 1);
  expect(heard).toEqual([`open /dev/watchdog0 ${WATCHDOG_TIMEOUT_S}`]);
  turn(1, WATCHDOG_TIMEOUT_S * 1000 + 100);
  expect(heard.slice(1)).toEqual(["feed", "feed", "feed", "feed"]);
  expect(said).toEqual(["info watchdog-armed"]);
  expect(watchdog.status).toEqual({ device: "/dev/watchdog0", armed: true, trouble: null });
});

test("after a sleep it is fed in the first turn", () => {
  const { heard, turn } = world();
  turn(0, 100);
  turn(60_000, 60_001);
  expect(heard.at(-1)).toBe("feed");
});

test("a device that a predecessor still holds is opened once that has gone, without a word", () => {
  const { heard, device, said, turn } = world({ busy: true });
  turn(0, 1500);
  expect([...heard, ...said]).toEqual([]);
  device.busy = false;
  turn(1500, 2500);
  expect(heard.length).toBe(1);
  expect(said).toEqual(["info watchdog-armed"]);
});

test("one that cannot be used is said once, and used when it can", () => {
  const { device, said, turn, watchdog } = world({ busy: true });
  turn(0, 60_000);
  expect(said).toEqual(["error watchdog-failed"]);
  expect(watchdog.status).toMatchObject({ armed: false, trouble: "open watchdog: the device is busy" });
  device.busy = false;
  turn(60_000, 61_000);
  expect(said.at(-1)).toBe("info watchdog-armed");
  expect(watchdog.status).toMatchObject({ armed: true, trouble: null });
});

test("one that takes no more is closed, which leaves it armed, and opened anew", () => {
  const { heard, device, turn } = world();
  turn(0, 100);
  device.broken = true;
  turn(100, 2700);
  device.broken = false;
  turn(2700, 4000);
  expect(heard.slice(1)).toEqual(["close", `open /dev/watchdog0 ${WATCHDOG_TIMEOUT_S}`]);
});

const directory = mkdtempSync(join(tmpdir(), "understudy-watchdog-"));
const library = join(directory, "device.so");
const log = join(directory, "log");
const DEVICE = "/dev/watchdog-of-a-test";
beforeAll(() => {
  const source = join(import.meta.dir, "../../test/heart/watchdog-device.c");
  run("cc", "-shared", "-fPIC", "-o", library, source);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const environment = { ...process.env, LD_PRELOAD: library, WATCHDOG_PATH: DEVICE, WATCHDOG_LOG: log };
const program = join(import.meta.dir, "../main.ts");

/** A heart in a network of its own. */
function heart() {
  const words = ["unshare", "-n", process.execPath, program, "heart", "--watchdog", DEVICE];
  return Bun.spawn(words, { stdin: "pipe", stdout: "ignore", stderr: "inherit", env: environment });
}

const heard = (): string[] => {
  try {
    return readFileSync(log, "utf8").trim().split("\n");
  } catch {
    return [];
  }
};

/** Bounded by the test's own limit. */
async function until(wanted: () => boolean): Promise<void> {
  while (!wanted()) await Bun.sleep(20);
}

test("the heart's process feeds it; after its death the next one goes on, and only the end of the node disarms", async () => {
  const first = heart();
  await until(() => heard().includes("feed"));
  expect(heard()).toEqual(["open", `time-out ${WATCHDOG_TIMEOUT_S}`, "feed"]);
  first.kill("SIGKILL");
  await first.exited;
  const second = heart();
  await until(() => heard().filter((line) => line === "feed").length > 1);
  second.stdin.write('{"type":"stop","id":1}\n');
  second.stdin.flush();
  expect(await second.exited).toBe(0);
  expect(heard().slice(3)).toEqual(["open", `time-out ${WATCHDOG_TIMEOUT_S}`, "feed"]);
  const end = `import { openShim } from "../shim.ts"; import { disarmWatchdog } from "../control/watchdog.ts";
    disarmWatchdog(openShim(), null); disarmWatchdog(openShim(), "/nowhere"); disarmWatchdog(openShim(), "${DEVICE}");`;
  const { exitCode } = Bun.spawnSync([process.execPath, "-e", end], { env: environment, cwd: import.meta.dir });
  expect(exitCode).toBe(0);
  expect(heard().slice(6)).toEqual(["open", `time-out ${WATCHDOG_TIMEOUT_S}`, "disarm"]);
}, 30_000);

test("a heart that is stopped feeds no more", async () => {
  rmSync(log, { force: true });
  const stopped = heart();
  await until(() => heard().includes("feed"));
  stopped.kill("SIGSTOP");
  const state = () => /^State:\s*(\w)/m.exec(readFileSync(`/proc/${stopped.pid}/status`, "utf8"))?.[1];
  await until(() => state() === "T");
  const before = heard().length;
  await Bun.sleep((WATCHDOG_TIMEOUT_S * 1000) / 3);
  expect(heard().length).toBe(before);
  stopped.kill("SIGKILL");
}, 30_000);
