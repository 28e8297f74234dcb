/** Connections that stand when the role moves go on: through NAT, on a live pair, whatever befalls the active node. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { FlowsReport } from "./flows.ts";
import type { Instrument } from "./instrument.ts";
import { Pair } from "./pair.ts";
import { sh, until } from "./shell.ts";
import { HOST_ADDRESS, type Side } from "./topology.ts";

const TEST_MS = 90_000;
const PORT = 7100;
const DOWNLOADS = 20;
const IDLE = 20;
/** What is older than that has to go on. */
const OLD_MS = 1000;

let pair: Pair;
let flows: Instrument;

const replicates = (side: Side) =>
  until(`node ${side} replicates connections`, async () =>
    ((await pair.node(side).status())?.services ?? []).some(({ state }) => state === "running"),
  );

/** Of the flows, in the kernel of a node. */
const known = (side: Side): number =>
  sh(pair.lab.inside(side, ["conntrack", "-L", "-d", HOST_ADDRESS]), { allow_failure: true })
    .split("\n")
    .filter((line) => line.includes(`dport=${PORT} `)).length;

async function freshFlows(): Promise<void> {
  flows?.end();
  flows = pair.lab.script("client", [
    `${import.meta.dir}/flows.ts`,
    "client",
    HOST_ADDRESS,
    `${PORT}`,
    `${DOWNLOADS}`,
    `${IDLE}`,
  ]);
  expect(await flows.line()).toBe("ready");
  await Bun.sleep(OLD_MS);
}

async function allGoOn(): Promise<void> {
  const report = await flows.report<FlowsReport>();
  const { downloads, idle, stream } = report;
  if (downloads.going < downloads.all || idle.answered < idle.all || !stream.going)
    throw new Error(`${JSON.stringify(report)}\n${await pair.explain()}`);
}

beforeAll(async () => {
  pair = await Pair.make({});
  const server = pair.lab.script("host", [`${import.meta.dir}/flows.ts`, "server", HOST_ADDRESS, `${PORT}`]);
  expect(await server.line()).toBe("ready");
  for (const side of ["a", "b"] as const) await replicates(side);
  await freshFlows();
}, TEST_MS);

afterAll(() => pair?.remove());

test(
  "the backup knows the connections of others, and none of the nodes' own",
  async () => {
    await until("all of them", () => known("b") === DOWNLOADS + IDLE + 1);
    const own = sh(pair.lab.inside("b", ["conntrack", "-L"]), { allow_failure: true }).split("\n");
    expect(own.filter((line) => line.includes("src=10.1.0.1 ") && !line.includes(`dport=${PORT}`))).toEqual([]);
  },
  TEST_MS,
);

test(
  "what a backup believes reaches nobody, and what the active node knows reaches the backup",
  async () => {
    const made = (sport: string) => `-p udp -s 192.0.2.7 -d 198.51.100.7 --sport ${sport} --dport 9 -t 60`.split(" ");
    const has = (side: Side, sport: string) =>
      sh(pair.lab.inside(side, ["conntrack", "-L", "-p", "udp"]), { allow_failure: true }).includes(`sport=${sport} `);
    sh(pair.lab.inside(pair.backup, ["conntrack", "-I", ...made("4001")]));
    sh(pair.lab.inside(pair.active, ["conntrack", "-I", ...made("4002")]));
    await until("the backup has been told", () => has(pair.backup, "4002"));
    expect(has(pair.active, "4001")).toBe(false);
    sh(pair.lab.inside(pair.active, ["conntrack", "-D", ...made("4002").slice(0, -2)]), { allow_failure: true });
    await until("the backup has been told of its end", () => !has(pair.backup, "4002"));
  },
  TEST_MS,
);

test(
  "all go on after a planned switch, and back",
  async () => {
    for (const after of ["b", "a"] as const) {
      await pair.scenario(after, 1, () => void pair.node(pair.active).command(["cluster", "switch"]));
      await allGoOn();
    }
  },
  TEST_MS,
);

/** What befalls the active node, with all flows going on before it is mended. */
async function befalls(strike: () => void, mend: () => void | Promise<void>): Promise<void> {
  const { active, backup } = pair;
  await pair.untilSettled();
  pair.mark();
  strike();
  await pair.node(backup).untilRole("active");
  await allGoOn();
  await mend();
  await pair.untilSteady(backup);
  await pair.judge(1);
  pair.active = backup;
  // Whoever comes back is told of all that it missed.
  await replicates(active);
  await until("it is told of them", () => known(active) >= DOWNLOADS + IDLE + 1);
}

test(
  "all go on after a freeze, also on the node that has returned",
  async () => {
    await befalls(
      () => pair.a.freeze(),
      () => pair.a.thaw(),
    );
    await pair.scenario("a", 1, () => void pair.b.command(["cluster", "switch"]));
    await allGoOn();
  },
  TEST_MS,
);

test(
  "all go on after SIGKILL of everything, also on a node that has lost its memory",
  async () => {
    await befalls(
      () => pair.a.kill(),
      () => {
        sh(pair.lab.inside("a", ["conntrack", "-F"]), { allow_failure: true });
        return pair.a.start();
      },
    );
    await pair.scenario("a", 1, () => void pair.b.command(["cluster", "switch"]));
    await allGoOn();
  },
  TEST_MS,
);

const daemons = (side: Side): number =>
  sh(["ip", "netns", "pids", pair.lab.namespace(side)])
    .split("\n")
    .filter((pid) => pid !== "" && sh(["cat", `/proc/${pid}/comm`], { allow_failure: true }).trim() === "conntrackd")
    .length;

test(
  "whoever kills it sees it start again, and one that outlived its node makes room",
  async () => {
    const restarts = async () => (await pair.b.status())?.services[0]?.restarts ?? 0;
    const before = await restarts();
    pair.b.signal("SIGKILL", "service");
    await until("it was missed", async () => (await restarts()) > before);
    await replicates("b");
    pair.b.signal("SIGKILL", "control");
    await pair.b.start();
    await replicates("b");
    expect(daemons("b")).toBe(1);
    await pair.b.stop();
    expect(daemons("b")).toBe(0);
    await pair.b.start();
    await pair.untilSteady("a");
  },
  TEST_MS,
);
