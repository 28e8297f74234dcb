/** A short run of every target with a fixed seed; `npm run fuzz` goes on for as long as one likes. */
import { beforeAll, describe, expect, test } from "bun:test";
import { fuzz } from "./fuzz.ts";
import { buildNative, fuzzNativeAfresh, NATIVE_TARGETS } from "./native.ts";
import { TARGETS } from "./targets.ts";

/** As many as take a second or so on a slow machine. */
const INPUTS: Record<string, number> = {
  stranger: 150,
  election: 400,
  store: 300,
  pairing: 1500,
  license: 2000,
  settings: 1500,
  api: 300,
  "shim-capture": 150,
  "shim-calls": 4000,
  "shim-wait": 5000,
};
const INPUTS_DEFAULT = 5000;
const INPUTS_NATIVE = 20_000;
const NATIVE_MS_MAX = 300_000;

for (const target of Object.keys(TARGETS)) {
  test(`fuzz: ${target}`, async () => {
    const inputs_max = INPUTS[target] ?? INPUTS_DEFAULT;
    const run = { target, seed: 1, inputs_max, duration_ms: Number.POSITIVE_INFINITY };
    expect(await fuzz(run)).toBe(inputs_max);
  });
}

describe("the C shim", () => {
  beforeAll(buildNative, NATIVE_MS_MAX);
  for (const target of NATIVE_TARGETS)
    test(
      `fuzz: ${target}`,
      () => {
        const inputs_max = INPUTS[target] ?? INPUTS_NATIVE;
        expect(fuzzNativeAfresh({ target, seed: 1, inputs_max })).toBeGreaterThanOrEqual(inputs_max);
      },
      NATIVE_MS_MAX,
    );
});
