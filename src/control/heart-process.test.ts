import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HeartConfiguration } from "../heart/messages.ts";
import { HeartProcess } from "./heart-process.ts";

const CONFIGURATION: HeartConfiguration = {
  name: "node-a",
  interfaces: [],
  term_floor: 0,
  settings_revision: 0,
  bootstrap: false,
};

test("an order to a heart that has just died fails, and does not end the control process", async () => {
  const child = Bun.spawn(["sleep", "60"], { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
  const codes: string[] = [];
  const heart = new HeartProcess({ snapshot() {}, event: ({ code }) => codes.push(code) }, () => child);
  heart.start(CONFIGURATION);
  child.kill("SIGKILL");
  // Its end of the pipe is closed, and this process has had no turn of its loop to hear of it.
  Bun.sleepSync(200);
  const order = heart.switchOver();
  await expect(order).rejects.toMatchObject({ code: "heart-died" });
  expect(codes).toContain("heart-died");
  await heart.stop();
});

test("a line that is none of the heart's is passed over, and does not end the control process", async () => {
  const lines = ["stray", "null", '{"type":"snapshot"}', '{"type":"event","event":{"code":"x"}}', '{"type":"reply"}'];
  const good = '{"type":"event","event":{"code":"good","severity":"info","message":"Good.","at_ms":1}}';
  const said = [...lines, good, ""].join("\n");
  const { promise, resolve } = Promise.withResolvers<string>();
  const child = Bun.spawn(["sh", "-c", 'printf %s "$0"; exec sleep 60', said], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const listener = { snapshot: () => resolve("a snapshot"), event: ({ code }: { code: string }) => resolve(code) };
  const heart = new HeartProcess(listener, () => child);
  heart.start(CONFIGURATION);
  expect(await promise).toBe("good");
  child.kill("SIGKILL");
  await heart.stop();
});

test("settings that change nothing for the heart tell it their revision only", async () => {
  const directory = mkdtempSync(join(tmpdir(), "understudy-heart-"));
  try {
    const heard = join(directory, "heard");
    const child = Bun.spawn(["sh", "-c", 'exec cat > "$0"', heard], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
    });
    const heart = new HeartProcess({ snapshot() {}, event() {} }, () => child);
    heart.start(CONFIGURATION);
    expect(await heart.follow({ ...CONFIGURATION, settings_revision: 2 })).toBe(true);
    expect(await heart.follow({ ...CONFIGURATION, name: "node-c", settings_revision: 3 })).toBe(false);
    // It has not answered: what it was told then is nothing that it is known to work by.
    expect(await heart.follow({ ...CONFIGURATION, name: "node-c", settings_revision: 4 })).toBe(false);
    await heart.stop();
    const lines = readFileSync(heard, "utf8").trim().split("\n");
    const told = lines.map((line) => JSON.parse(line) as { type: string }).filter(({ type }) => type !== "alive");
    expect(told.map(({ type }) => type)).toEqual(["configure", "revision", "configure", "revision", "stop"]);
    expect(told[1]).toEqual({ type: "revision", settings_revision: 2 } as never);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}, 20_000);
