/** The plan of a cluster's update: its straight ways, and two nodes under faults of every kind. */
import { describe, expect, test } from "bun:test";
import { Random } from "../../test/random.ts";
import { NEW, OLD, SimCluster } from "../../test/update/cluster.ts";
import { laterOf, ORDERS, type Plan } from "./plan.ts";

const RUNS = 2000;
const FAULT_TICKS = 120;
/** Longer than both nodes take for three vain starts each, one after the other. */
const QUIET_TICKS = 150;

function settled(cluster: SimCluster): string {
  const [one, two] = cluster.nodes;
  const builds = `${one.running.build}/${two.running.build}`;
  if (JSON.stringify(one.plan) !== JSON.stringify(two.plan)) return `two plans, ${builds}`;
  return `${one.plan?.state} ${builds}`;
}

function run(cluster: SimCluster, ticks: number, random = new Random(1)): void {
  for (let tick = 0; tick < ticks; tick++) cluster.tick(random);
}

describe("without a fault", () => {
  for (const order of ORDERS)
    test(`${order}: both nodes are updated, one after the other`, () => {
      const cluster = new SimCluster();
      cluster.start(order);
      run(cluster, 60);
      expect(settled(cluster)).toBe(`done ${NEW}/${NEW}`);
      expect(cluster.breaches).toEqual([]);
      const told = cluster.log.filter((line) => /hand-over|reboot/.test(line)).map((line) => line.slice(5));
      expect(told).toEqual(
        order === "active-first"
          ? ["node 1: hand-over", "node 1: reboot", "node 2: hand-over", "node 2: reboot"]
          : ["node 2: reboot", "node 1: hand-over", "node 1: reboot"],
      );
    });

  for (const [bad, order, ends] of [
    [0, "active-first", `failed ${OLD}/${OLD}`],
    [1, "active-first", `failed ${NEW}/${OLD}`],
    [1, "backup-first", `failed ${OLD}/${OLD}`],
  ] as const)
    test(`${order}, and node ${bad + 1} is not well with it: it falls back, and the plan says why`, () => {
      const cluster = new SimCluster();
      cluster.start(order);
      for (const node of cluster.nodes) node.bad = node.number === bad + 1;
      run(cluster, 150);
      expect(settled(cluster)).toBe(ends);
      expect(cluster.nodes[0].plan?.reason).toMatch(/did not come up .*: its web interface did not answer/);
      expect(cluster.breaches).toEqual([]);
      cluster.order(0, "aborting", "An administrator aborted it.");
      run(cluster, 60);
      expect(settled(cluster)).toBe(`aborted ${OLD}/${OLD}`);
      expect(cluster.breaches).toEqual([]);
    });

  for (let at = 0; at < 50; at++)
    test(`aborted after ${at} ticks: both nodes are back on the old version`, () => {
      const cluster = new SimCluster();
      cluster.start(at % 2 === 0 ? "active-first" : "backup-first");
      run(cluster, at);
      cluster.order(at % 3 === 0 ? 0 : 1, "aborting", "An administrator aborted it.");
      if (!cluster.nodes.some(({ plan }) => plan?.state === "aborting")) cluster.order(0, "aborting", null);
      run(cluster, 80);
      const [one, two] = cluster.nodes;
      if (one.plan?.state === "aborted") expect(settled(cluster)).toBe(`aborted ${OLD}/${OLD}`);
      else expect([`done ${NEW}/${NEW}`, settled(cluster)]).toContain(`done ${two.running.build}/${one.running.build}`);
      expect(cluster.breaches).toEqual([]);
    });
});

test("the peer is away: it waits and says so, and with --alone it goes on; the peer follows when it is back", () => {
  for (const alone of [false, true]) {
    const cluster = new SimCluster();
    cluster.start("active-first", alone);
    cluster.cutPower(1, 60);
    run(cluster, 50);
    expect(cluster.nodes[0].running.build).toBe(alone ? NEW : OLD);
    if (!alone) expect(cluster.nodes[0].step).toMatch(/is not heard.*--alone/);
    run(cluster, 80);
    expect(settled(cluster)).toBe(`done ${NEW}/${NEW}`);
    expect(cluster.breaches).toEqual([]);
  }
});

test("of two copies of a plan both nodes take the same one", () => {
  const plan = { id: "0", revision: 3, state: "running", reason: null } as unknown as Plan;
  const copies = [
    null,
    plan,
    { ...plan, revision: 4 },
    { ...plan, state: "failed" },
    { ...plan, reason: "x" },
  ] as const;
  for (const one of copies)
    for (const other of copies)
      expect(laterOf(one as Plan, other as Plan)).toEqual(laterOf(other as Plan, one as Plan));
});

/** One run of faults from a seed, and then quiet. The lines are for whoever looks at a failure. */
function chaos(seed: number): { verdict: string; cluster: SimCluster } {
  const random = new Random(seed);
  const cluster = new SimCluster();
  const order = random.pick(ORDERS);
  cluster.start(order, random.below(8) === 0);
  if (random.below(3) === 0) random.pick(cluster.nodes).bad = true;
  const rate = random.pick([4, 12, 40]);
  for (let tick = 0; tick < FAULT_TICKS; tick++) {
    if (random.below(rate) === 0) fault(cluster, random);
    cluster.tick(random);
  }
  cluster.connected = true;
  cluster.heard = true;
  for (const node of cluster.nodes) node.maintenance = false;
  run(cluster, 30, random);
  for (const index of [0, 1]) cluster.order(index, "running", null);
  run(cluster, QUIET_TICKS, random);
  return { verdict: settled(cluster), cluster };
}

function fault(cluster: SimCluster, random: Random): void {
  const index = random.below(2);
  const node = cluster.nodes[index];
  switch (random.below(7)) {
    case 0:
    case 1:
      return cluster.cutPower(index, random.between(1, 20));
    case 2:
      cluster.connected = !cluster.connected;
      return;
    case 3:
      cluster.heard = !cluster.heard;
      cluster.connected = cluster.heard;
      return;
    case 4:
      if (node !== undefined && !node.active) node.maintenance = !node.maintenance;
      return;
    case 5:
      return cluster.order(index, random.pick(["paused", "running"]), "Paused by an administrator.");
    default:
      if (random.below(4) === 0) cluster.order(index, "aborting", "An administrator aborted it.");
  }
}

test(`${RUNS} seeds of power cuts, bad versions, cut cables, pauses and aborts: one version, or a clear reason`, () => {
  const ends = new Map<string, number>();
  for (let seed = 1; seed <= RUNS; seed++) {
    const { verdict, cluster } = chaos(seed);
    ends.set(verdict, (ends.get(verdict) ?? 0) + 1);
    const [state = "", builds] = verdict.split(" ");
    const alike = builds === `${OLD}/${OLD}` || builds === `${NEW}/${NEW}`;
    const good =
      (state === "done" && builds === `${NEW}/${NEW}`) ||
      (state === "aborted" && builds === `${OLD}/${OLD}`) ||
      (state === "failed" &&
        (cluster.nodes[0].plan?.reason ?? "") !== "" &&
        (alike || builds === `${NEW}/${OLD}` || builds === `${OLD}/${NEW}`));
    if (!good || cluster.breaches.length > 0)
      throw new Error([`seed ${seed}: ${verdict}`, ...cluster.breaches, ...cluster.log.slice(-60)].join("\n"));
  }
  expect([...ends.keys()].filter((end) => end.startsWith("done")).length).toBe(1);
  expect(ends.get(`done ${NEW}/${NEW}`)).toBeGreaterThan(RUNS / 10);
  expect(ends.get(`aborted ${OLD}/${OLD}`)).toBeGreaterThan(RUNS / 50);
});
