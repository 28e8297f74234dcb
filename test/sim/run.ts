/**
 * Simulations by hand:
 *
 *   npm run sim -- --seeds 10000 --seed 1      so many seeds from that one on; or --hours 2: for that long
 *                  --quick                     stops at the first failure, as it is
 *   npm run sim -- --seed 4711 --replay        one seed again, with its log
 *   npm run sim -- --seed 4711 --replay --faults 0,3     with only these of its faults
 */
import { parseArgs } from "node:util";
import { Coverage } from "./coverage.ts";
import { planOf } from "./generate.ts";
import { failureLine, failureReport, planWith, replayLog } from "./shrink.ts";
import { summary } from "./summary.ts";
import { simulate } from "./world.ts";

const PROGRESS_MS = 5000;
const FAILURES_MAX = 3;

const { values } = parseArgs({
  options: {
    seeds: { type: "string" },
    hours: { type: "string" },
    seed: { type: "string", default: "1" },
    replay: { type: "boolean", default: false },
    faults: { type: "string" },
    quick: { type: "boolean", default: false },
  },
});
const first = Number(values.seed);

if (values.replay) {
  const plan = planWith(
    planOf(first),
    values.faults
      ?.split(",")
      .filter((word) => word !== "")
      .map(Number),
  );
  const { log, violation } = replayLog(plan);
  console.log(log.join("\n"));
  process.exit(violation === null ? 0 : 1);
}

const seeds =
  values.seeds === undefined && values.hours !== undefined ? Number.POSITIVE_INFINITY : Number(values.seeds ?? 10_000);
const hours = Number(values.hours ?? Number.POSITIVE_INFINITY);
const began_ms = performance.now();
const coverage = new Coverage();
let shown_ms = began_ms;
let failures = 0;
for (let seed = first; seed < first + seeds; seed++) {
  const now_ms = performance.now();
  if (now_ms - began_ms >= hours * 3_600_000) break;
  if (now_ms - shown_ms >= PROGRESS_MS) {
    shown_ms = now_ms;
    console.error(`${coverage.seeds} seeds, ${failures} failures, ${rate()} seeds a minute`);
  }
  const plan = planOf(seed);
  const { violation, coverage: one } = simulate(plan);
  coverage.add(one);
  if (violation === null) continue;
  console.error(values.quick ? failureLine(plan, violation) : failureReport(plan, violation));
  if (++failures >= (values.quick ? 1 : FAILURES_MAX)) break;
}
console.log(summary(coverage, performance.now() - began_ms));
process.exit(failures === 0 ? 0 : 1);

function rate(): number {
  return Math.round((coverage.seeds / (performance.now() - began_ms)) * 60_000);
}
