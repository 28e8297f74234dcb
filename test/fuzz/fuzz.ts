/**
 * Runs a target's inputs until the time or their number is up: first those that are kept (corpus/), as they are, then
 * ones made of them. Input n of a seed is always the same one, as long as the corpus stays as it is.
 */
import { readCorpus } from "./corpus.ts";
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
export async function fuzz({ target, seed, from = 0, inputs_max, duration_ms }: Run): Promise<number> {
  const made = await TARGETS[target]?.();
  if (made === undefined)
    throw new Error(`There is no target ${target}; choose of ${Object.keys(TARGETS).join(", ")}.`);
  const corpus = [...readCorpus(target), ...Object.values(made.base)];
  const end_ms = performance.now() + duration_ms;
  let executed = 0;
  try {
    for (; executed < inputs_max; executed++) {
      if (executed % CLOCK_EVERY === 0 && performance.now() >= end_ms) break;
      const number = from + executed;
      const mutator = new Mutator(Math.imul(seed, 0x9e3779b1) ^ Math.imul(number, 0x85ebca6b));
      const input = corpus[number]?.slice() ?? made.next(mutator, corpus);
      try {
        const checked = made.check(input);
        if (checked !== undefined) await checked;
      } catch (error) {
        const why = error instanceof Error ? error.stack : String(error);
        const replay = `npm run fuzz -- --target ${target} --seed ${seed} --input ${number}`;
        throw new Error(`${target}: ${why}\ninput ${Buffer.from(input).toString("hex")}\nreplay: ${replay}`);
      }
    }
  } finally {
    made.close?.();
  }
  return executed;
}
