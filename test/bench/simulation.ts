/** How many seeds the simulation gets through in a minute of one core's time: `npm run bench sim -- --seeds 5000`. */
import { parseArgs } from "node:util";
import { Coverage } from "../sim/coverage.ts";
import { planOf } from "../sim/generate.ts";
import { summary } from "../sim/summary.ts";
import { simulate } from "../sim/world.ts";

const FIRST_SEED = 1_000_000;

export async function simulation(words: string[]): Promise<void> {
  const { values } = parseArgs({ args: words, options: { seeds: { type: "string", default: "5000" } } });
  const coverage = new Coverage();
  const began_ms = performance.now();
  for (let seed = FIRST_SEED; seed < FIRST_SEED + Number(values.seeds); seed++) {
    const { violation, coverage: one } = simulate(planOf(seed));
    if (violation !== null) throw new Error(`seed ${seed}: ${violation.code}: ${violation.message}`);
    coverage.add(one);
  }
  console.log(
    summary(coverage, performance.now() - began_ms)
      .split("\n")
      .slice(0, 2)
      .join("\n"),
  );
}
