/** Runs a target's inputs until the time or their number is up. Input n of a seed is always the same one. */
import { Mutator } from "./mutator.ts";
import { TARGETS } from "./targets.ts";

const CLOCK_EVERY = 16;

export interface Run {
  target: string;
  seed: number;
  /** The first input's number; a replay starts at the one that crashed. */
  from?: number;
  inputs_max: number;
  duration_ms: number;
}

/** How many inputs were executed. Throws with the input in hex and the command that replays it. */
export function fuzz({ target, seed, from = 0, inputs_max, duration_ms }: Run): number {
  const made = TARGETS[target]?.();
  if (made === undefined)
    throw new Error(`There is no target ${target}; choose of ${Object.keys(TARGETS).join(", ")}.`);
  const end_ms = performance.now() + duration_ms;
  let executed = 0;
  for (; executed < inputs_max; executed++) {
    if (executed % CLOCK_EVERY === 0 && performance.now() >= end_ms) break;
    const number = from + executed;
    const input = made.next(new Mutator(Math.imul(seed, 0x9e3779b1) ^ Math.imul(number, 0x85ebca6b)));
    try {
      made.check(input);
    } catch (error) {
      const why = error instanceof Error ? error.stack : String(error);
      const replay = `npm run fuzz -- --target ${target} --seed ${seed} --input ${number}`;
      throw new Error(`${target}: ${why}\ninput ${Buffer.from(input).toString("hex")}\nreplay: ${replay}`);
    }
  }
  return executed;
}
