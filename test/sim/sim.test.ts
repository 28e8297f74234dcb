/** A short run of the simulation with fixed seeds; `npm run sim` goes on for as long as one likes. */
import { describe, expect, test } from "bun:test";
import { CAUSES } from "./context.ts";
import { Coverage } from "./coverage.ts";
import { planOf } from "./generate.ts";
import { FAULT_KINDS, type Plan } from "./plan.ts";
import { failureReport, logOf, shrink } from "./shrink.ts";
import { simulate, type Verdict } from "./world.ts";

const BATCHES = 8;
const SEEDS_PER_BATCH = 200;
/** A machine that is busy with other things takes ten times as long as an idle one. */
const TIMEOUT_MS = 60_000;

describe("simulation", () => {
  const coverage = new Coverage();
  for (let batch = 0; batch < BATCHES; batch++) {
    const first = 1 + batch * SEEDS_PER_BATCH;
    test(
      `seeds ${first} to ${first + SEEDS_PER_BATCH - 1}`,
      () => {
        for (let seed = first; seed < first + SEEDS_PER_BATCH; seed++) {
          const plan = planOf(seed);
          const { violation, coverage: one } = simulate(plan, { onTransition: () => {} });
          coverage.add(one);
          if (violation !== null) throw new Error(failureReport(plan, violation));
        }
      },
      TIMEOUT_MS,
    );
  }

  test("an active node loses all its links at once, and gets them back", () => {
    const unplug = { kind: "unplug", node: 0, at_active: false, amount: 0, clock: "runs" } as const;
    const faults = [1, 2, 0].map((slot, i) => ({ ...unplug, slot, at_us: 2_000_000 + i, lasts_us: 800_000 }));
    const plan: Plan = { ...planOf(1), start: "created", faults };
    const { violation, coverage: one } = simulate(plan, { onTransition: () => {} });
    coverage.add(one);
    if (violation !== null) throw new Error(failureReport(plan, violation));
    expect(one.causes["cut-off"]).toBe(1);
  });

  test("every kind of fault has struck, and every transition has been taken", () => {
    expect(FAULT_KINDS.filter((kind) => coverage.faults[kind] === undefined)).toEqual([]);
    expect(CAUSES.filter((cause) => coverage.causes[cause] === undefined)).toEqual([]);
  });

  test("the same seed gives the same log, byte for byte", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const log = logOf(seed);
      expect(log.length).toBeGreaterThan(200);
      expect(logOf(seed)).toBe(log);
    }
  });
});

test("a failure is shrunk to the faults that it takes", () => {
  const plan = planOf(7);
  plan.faults = Array.from({ length: 7 }, (_, i) => ({ ...planOf(7).faults[0], amount: i })) as Plan["faults"];
  const run = ({ faults }: Plan): Verdict => ({
    coverage: new Coverage(),
    violation: [2, 5].every((amount) => faults.some((fault) => fault.amount === amount))
      ? { code: "two-owners", message: "", at_us: 0 }
      : null,
  });
  expect(shrink(plan, "two-owners", run)).toEqual([2, 5]);
});
