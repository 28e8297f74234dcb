/** A short run of every target with a fixed seed; `npm run fuzz` goes on for as long as one likes. */
import { expect, test } from "bun:test";
import { fuzz } from "./fuzz.ts";
import { TARGETS } from "./targets.ts";

/** As many as take a second or so on a slow machine. */
const INPUTS: Record<string, number> = { stranger: 150, election: 400, store: 300, pairing: 1500, license: 2000 };
const INPUTS_DEFAULT = 5000;

for (const target of Object.keys(TARGETS)) {
  test(`fuzz: ${target}`, () => {
    const inputs_max = INPUTS[target] ?? INPUTS_DEFAULT;
    const run = { target, seed: 1, inputs_max, duration_ms: Number.POSITIVE_INFINITY };
    expect(fuzz(run)).toBe(inputs_max);
  });
}
