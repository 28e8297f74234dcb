/** A short run of the small world of replication; `bun test/sim/replication/run.ts` goes on for longer. */
import { expect, test } from "bun:test";
import { simulateReplication } from "./simulate.ts";

const SEEDS = 2000;
const TIMEOUT_MS = 60_000;

test(
  `whatever is cut, crashed or lost: nothing confirmed is lost, and both end equal (seeds 1 to ${SEEDS})`,
  () => {
    const total = { both: 0, alone: 0, refused: 0, kept: 0, crashes: 0 };
    const codes = new Set<string>();
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { codes: found, ...counts } = simulateReplication(seed);
      for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += counts[name];
      for (const code of found) codes.add(code);
    }
    // It has met what it is there for.
    for (const count of Object.values(total)) expect(count).toBeGreaterThan(SEEDS / 20);
    expect([...codes].sort()).toEqual(["not-active", "not-replicated", "settings-moved", "state-unwritable"]);
  },
  TIMEOUT_MS,
);
