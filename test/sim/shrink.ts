/** A failure made small: faults are left out as long as the same violation comes (delta debugging, Zeller 1999). */
import { planOf } from "./generate.ts";
import { describeFault, type Plan } from "./plan.ts";
import { simulate, type Verdict } from "./world.ts";

const RUNS_MAX = 300;
const LOG_LINES = 40;

export function planWith(plan: Plan, kept?: readonly number[]): Plan {
  if (kept === undefined) return plan;
  return { ...plan, faults: plan.faults.filter((_, i) => kept.includes(i)) };
}

/** Numbers of the faults that are enough for a violation with this code. */
export function shrink(plan: Plan, code: string, run: (plan: Plan) => Verdict = simulate): number[] {
  let kept = plan.faults.map((_, i) => i);
  let runs = 0;
  const fails = (some: number[]): boolean => runs++ < RUNS_MAX && run(planWith(plan, some)).violation?.code === code;
  let parts = 2;
  while (kept.length > 0) {
    const size = Math.ceil(kept.length / parts);
    let smaller: number[] | undefined;
    for (let start = 0; start < kept.length && smaller === undefined; start += size) {
      const rest = [...kept.slice(0, start), ...kept.slice(start + size)];
      if (fails(rest)) smaller = rest;
    }
    if (smaller !== undefined) {
      kept = smaller;
      parts = Math.max(2, parts - 1);
    } else if (size === 1) return kept;
    else parts = Math.min(kept.length, parts * 2);
  }
  return kept;
}

export function replayLog(plan: Plan): { log: string[]; violation: Verdict["violation"] } {
  const log: string[] = [];
  const { violation } = simulate(plan, { log });
  return { log, violation };
}

export function failureLine({ seed }: Plan, { code, message, at_us }: NonNullable<Verdict["violation"]>): string {
  return `seed ${seed}: ${code}: ${message} (at ${at_us / 1000} ms)`;
}

export function failureReport(plan: Plan, violation: NonNullable<Verdict["violation"]>): string {
  const kept = shrink(plan, violation.code);
  const { faults, ...world } = planWith(plan, kept);
  const { log } = replayLog({ ...world, faults });
  return [
    failureLine(plan, violation),
    JSON.stringify(world),
    `${faults.length} of ${plan.faults.length} faults are enough:`,
    ...faults.map((fault) => `  ${describeFault(fault)}`),
    ...log.slice(-LOG_LINES),
    `replay: npm run sim -- --seed ${plan.seed} --replay --faults ${kept.join(",") || "none"}`,
  ].join("\n");
}

/** The log of a seed, to compare. */
export function logOf(seed: number): string {
  return replayLog(planOf(seed)).log.join("\n");
}
