/** Services on a live pair: what will not run is shown, and makes the active node hand over where that is asked for. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Pair, SETTINGS } from "./pair.ts";
import { until } from "./shell.ts";
import type { Side } from "./topology.ts";

const TEST_MS = 90_000;
/** Five failures, each after a longer wait. */
const FAILING_MS_MAX = 30_000;
/** As long as a hand-over and a way back would take, many times over. */
const CALM_MS = 3000;

let pair: Pair;
const directory = mkdtempSync(join(tmpdir(), "understudy-services-"));
const program = join(directory, "conntrackd");

beforeAll(async () => {
  // Out of order where a file says so.
  const lines = ["#!/bin/sh", '[ -e "${2%/*}/broken" ] && echo "out of order" && exit 1', 'exec conntrackd "$@"'];
  writeFileSync(program, `${lines.join("\n")}\n`);
  chmodSync(program, 0o755);
  const settings = { ...SETTINGS, services: { hand_over: ["connections"] } };
  pair = await Pair.make({ settings, options: ["--conntrackd", program] });
  for (const side of ["a", "b"] as const) await untilState(side, "running");
}, TEST_MS);

afterAll(() => {
  pair?.remove();
  rmSync(directory, { recursive: true, force: true });
});

const service = async (side: Side) => (await pair.node(side).status())?.services[0];
const untilState = (side: Side, state: string) =>
  until(`it is ${state} on ${side}`, async () => (await service(side))?.state === state);
const brokenFile = (side: Side) => join(pair.node(side).run, "services/broken");

/** No switch, though the pair is not operational all the while. */
async function undisturbed(work: () => Promise<void>): Promise<void> {
  const term = async () => (await pair.b.status())?.term;
  const before = await term();
  pair.mark();
  await work();
  await pair.untilTraffic();
  await pair.judge(0);
  expect(await pair.b.role()).toBe("active");
  expect(await term()).toBe(before);
}

async function breakIt(side: Side): Promise<void> {
  writeFileSync(brokenFile(side), "");
  pair.node(side).signal("SIGKILL", "service");
  await until(`it will not run on ${side}`, async () => (await service(side))?.failing === true, FAILING_MS_MAX);
}

test(
  "a service that will not run on the active node makes it hand over, and both say why",
  async () => {
    await pair.untilSettled();
    pair.mark();
    await breakIt("a");
    await pair.b.untilRole("active");
    await pair.judge(1);
    pair.active = "b";
    const events = (await pair.a.events()).map(({ message }) => message).join("\n");
    expect(events).toContain('hands over to node-b: the service "Replication of connections" will not run');
    expect((await service("a"))?.trouble).toContain("out of order");
    const { alarms = [], peer } = (await pair.b.status()) ?? {};
    expect(peer?.unwilling).toBe(true);
    expect(alarms.map(({ code }) => code)).not.toContain("service-failed");
    await pair.a.untilAlarm("service-failed");
    expect(pair.a.attempt(["--run", pair.a.run, "services"]).stdout).toContain("FAILING");
    expect(pair.a.attempt(["--run", pair.a.run, "doctor"]).stdout).toContain("Replication of connections ended with");
  },
  TEST_MS,
);

test(
  "where it will not run on either node, the role stays where it is",
  () =>
    undisturbed(async () => {
      await breakIt("b");
      await Bun.sleep(CALM_MS);
    }),
  TEST_MS,
);

test(
  "mended, it runs again, and the role still stays",
  () =>
    undisturbed(async () => {
      for (const side of ["b", "a"] as const) rmSync(brokenFile(side));
      // A new chance at once: the settings that it is started with are others.
      pair.b.command(["settings", "set", 'interfaces.lan0.addresses=["10.1.0.1/24","10.1.0.2/24","fd00:1::1/64"]']);
      for (const side of ["a", "b"] as const) {
        await untilState(side, "running");
        expect((await service(side))?.failing).toBe(false);
      }
      await until("the peer is willing", async () => (await pair.b.status())?.peer?.unwilling === false);
    }),
  TEST_MS,
);

test(
  "without the program a node says so, and does everything else",
  async () => {
    pair.a.options = ["--conntrackd", join(directory, "nothing")];
    await pair.a.stop();
    await pair.a.start();
    expect(await pair.a.untilAlarm("service-missing")).toContain("is no program that can be run");
    expect(pair.a.attempt(["--run", pair.a.run, "doctor"]).stdout).toContain("connections through this node break");
    await pair.scenario("a", 1, () => void pair.b.command(["cluster", "switch"]));
  },
  TEST_MS,
);
