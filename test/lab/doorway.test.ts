/** The way by which a browser on this machine reaches the lab of `npm start`: it leads to whoever is active. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { type Doorway, leadInto, openDoorway } from "./doorway.ts";
import { Pair } from "./pair.ts";
import { sh, until } from "./shell.ts";

/** The web process has the lowest priority of all on a machine that may be busy. */
const SERVING_MS_MAX = 45_000;

let pair: Pair;
let doorway: Doorway | null = null;
beforeAll(async () => {
  pair = await Pair.make({ observed: false, options: ["--web", "0.0.0.0:443"] });
  // The host of the lab's far side stands for this machine.
  doorway = await openDoorway(pair.lab.inside("host", []));
  if (doorway !== null) leadInto(pair.lab, doorway);
});
afterAll(() => pair?.remove());

/** Who answers at the address that is printed. */
function whoAnswers(): string {
  const { url } = doorway ?? { url: "" };
  const ask = `const tls = { rejectUnauthorized: false };
    console.log((await (await fetch("${url}api/v1/public", { tls })).json()).name)`;
  return sh(pair.lab.inside("host", [process.execPath, "-e", ask]), { allow_failure: true }).trim();
}

test("a request goes to the active node, and after a switch to the other one", async () => {
  await until("node-a answers", () => whoAnswers() === "node-a", SERVING_MS_MAX);
  pair.node("a").command(["cluster", "switch"]);
  await pair.untilSteady("b");
  await until("node-b answers", () => whoAnswers() === "node-b", SERVING_MS_MAX);
});

test("it goes with the lab, and leaves nothing", async () => {
  const directory = dirname(doorway?.socket ?? "");
  expect(existsSync(directory)).toBe(true);
  for (const pid of sh(["ip", "netns", "pids", pair.lab.namespace("host")])
    .trim()
    .split("\n"))
    if (sh(["cat", `/proc/${pid}/cmdline`], { allow_failure: true }).includes("doorway.ts"))
      process.kill(Number(pid), "SIGTERM");
  await until("its directory is gone", () => !existsSync(directory));
});
