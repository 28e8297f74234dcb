import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

let directory = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "understudy-events-"));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

test("a reader of the log that has gone takes neither the node nor an event with it", async () => {
  const program = `
    const { Events } = await import(${JSON.stringify(join(import.meta.dir, "events.ts"))});
    const events = new Events(${JSON.stringify(directory)});
    for (let n = 0; n < 20; n++) {
      events.add("settings-changed", "info", String(n));
      await Bun.sleep(10);
    }`;
  const child = Bun.spawn([process.execPath, "-e", program], { stdout: "ignore", stderr: "pipe" });
  await child.stderr.cancel();
  expect(await child.exited).toBe(0);
  expect(readFileSync(join(directory, "events.jsonl"), "utf8").trim().split("\n")).toHaveLength(20);
});
