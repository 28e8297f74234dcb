/**
 * Fuzzing by hand:
 *
 *   npm run fuzz -- [--target NAME] [--minutes 10] [--seed 1]     every target, or one, for that long each
 *   npm run fuzz -- --target NAME --seed 1 --input 4711           one input again
 */
import { parseArgs } from "node:util";
import { fuzz } from "./fuzz.ts";
import { TARGETS } from "./targets.ts";

const { values } = parseArgs({
  options: {
    target: { type: "string" },
    minutes: { type: "string", default: "1" },
    seed: { type: "string", default: "1" },
    input: { type: "string" },
  },
});
const once = values.input !== undefined;
let failed = 0;
for (const target of values.target === undefined ? Object.keys(TARGETS) : [values.target]) {
  try {
    const executed = fuzz({
      target,
      seed: Number(values.seed),
      from: Number(values.input ?? 0),
      inputs_max: once ? 1 : Number.POSITIVE_INFINITY,
      duration_ms: Number(values.minutes) * 60_000,
    });
    console.log(`${target}: ${executed} inputs, no crash`);
  } catch (error) {
    failed++;
    console.error(error instanceof Error ? error.message : error);
  }
}
process.exit(failed === 0 ? 0 : 1);
