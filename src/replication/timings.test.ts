import { expect, test } from "bun:test";
import { Random } from "../../test/sim/random.ts";
import { DEFAULT_TUNING, LEASE_SLACK_MS, validateTuning } from "../core/tuning.ts";
import type { Tuning } from "../heart/messages.ts";
import type { MessageOf } from "./messages.ts";
import { JointTimings } from "./timings.ts";

const OLD = DEFAULT_TUNING;
const SLOW: Tuning = { ...OLD, interval_ms: 40, lease_ms: 100, detect_floor_ms: 120, detect_ceiling_ms: 500 };

test("a node runs by both timings until its peer aims at the new ones too, and says so in answer", () => {
  const a = new JointTimings([OLD], 100);
  const b = new JointTimings([OLD], 200);
  a.aimAt(SLOW);
  expect(a.running()).toEqual({ ...SLOW, interval_ms: OLD.interval_ms, lease_ms: OLD.lease_ms });
  b.take(a.words());
  expect(a.take(b.words())).toBe(false);
  b.aimAt(SLOW);
  expect(a.take(b.words())).toBe(true);
  expect(a.running()).toEqual(SLOW);
  expect(b.running()).toEqual({ ...SLOW, interval_ms: OLD.interval_ms, lease_ms: OLD.lease_ms });
  expect(b.take(a.words())).toBe(true);
  expect(b.running()).toEqual(SLOW);
});

test("however often they change while the peer is away: the newest are aimed at, and in the end nothing else is left", () => {
  const a = new JointTimings([OLD], 100);
  for (let lease_ms = 20; lease_ms < 60; lease_ms++) a.aimAt({ ...SLOW, interval_ms: 8, lease_ms });
  const last = { ...SLOW, interval_ms: 8, lease_ms: 59 };
  expect(a.words().target).toEqual(last);
  expect(a.all().length).toBeLessThanOrEqual(17);
  expect(a.running()).toMatchObject({ lease_ms: OLD.lease_ms, detect_floor_ms: SLOW.detect_floor_ms });
  const b = new JointTimings([OLD], 200);
  b.aimAt(last);
  for (let round = 0; round < 3; round++) {
    b.take(a.words());
    a.take(b.words());
  }
  expect([a.all(), b.all()]).toEqual([[last], [last]]);
});

test("a restart forgets nothing", () => {
  const a = new JointTimings([OLD], 100);
  a.aimAt(SLOW);
  expect(new JointTimings(a.all(), 300).running()).toEqual(a.running());
});

test("joint timings are as good as any", () => {
  expect(validateTuning(new JointTimings([OLD, SLOW], 1).running())).toEqual(
    new JointTimings([OLD, SLOW], 1).running(),
  );
});

test("whatever is lost, delayed or forgotten: the lease of each ends before the other's patience", () => {
  for (let seed = 1; seed <= 2000; seed++) {
    const random = new Random(seed);
    const leases = [OLD, SLOW, { ...OLD, lease_ms: 200, detect_floor_ms: 210, detect_ceiling_ms: 600 }];
    let generation = 1;
    const nodes = [0, 1].map(() => new JointTimings([OLD], generation++ * 1_000_000));
    let wires: MessageOf<"timings">[][] = [[], []];
    const chain: Tuning[] = [OLD];
    const at = [0, 0];
    for (let step = 0; step < 60; step++) {
      const me = random.below(2);
      const node = nodes[me] as JointTimings;
      const choice = random.below(6);
      if (choice === 0) chain.push(random.pick(leases));
      else if (choice === 1 && (at[me] ?? 0) < chain.length - 1) {
        at[me] = random.between((at[me] ?? 0) + 1, chain.length - 1);
        node.aimAt(chain[at[me] ?? 0] as Tuning);
      } else if (choice === 2) wires[1 - me]?.push(node.words());
      else if (choice === 3 || choice === 4) {
        const words = wires[me]?.shift();
        if (words !== undefined) node.take(words);
      } else if (random.chance(0.3)) {
        nodes[me] = new JointTimings(node.all(), generation++ * 1_000_000);
        wires = [[], []];
        for (const one of nodes) one.connected();
      }
      const [a, b] = nodes.map((one) => one.running()) as [Tuning, Tuning];
      const safe = a.lease_ms + LEASE_SLACK_MS <= b.detect_floor_ms && b.lease_ms + LEASE_SLACK_MS <= a.detect_floor_ms;
      if (!safe) throw new Error(`seed ${seed}, step ${step}: ${JSON.stringify([a, b])}`);
    }
    // Once both have the same settings and hear each other, nothing of the old is left.
    nodes.forEach((node) => node.aimAt(chain.at(-1) as Tuning));
    for (let round = 0; round < 6; round++) nodes.forEach((node, me) => nodes[1 - me]?.take(node.words()));
    nodes.forEach((node) => expect(node.all()).toEqual([chain.at(-1) as Tuning]));
  }
});
