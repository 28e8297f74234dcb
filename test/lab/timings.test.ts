/** Timings change on a live pair under traffic, to slower and back: jointly, without a switch and without a second owner. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DEFAULT_TUNING } from "../../src/core/tuning.ts";
import type { Tuning } from "../../src/heart/messages.ts";
import type { LabNode } from "./node.ts";
import { Pair } from "./pair.ts";
import { until } from "./shell.ts";

const TEST_MS = 120_000;
const { lease_ms, detect_floor_ms } = DEFAULT_TUNING;
const ROWS: [string, Partial<Tuning>][] = [
  ["a longer lease and a longer patience", { lease_ms: 100, detect_floor_ms: 120 }],
  ["back to shorter ones", { lease_ms, detect_floor_ms }],
];

let pair: Pair;
beforeAll(async () => {
  pair = await Pair.make();
}, TEST_MS);
afterAll(() => pair?.remove());

/** What a node has on its disk: more than one while its peer may still run by others. */
function stored({ state }: LabNode): Tuning[] {
  const file = JSON.parse(readFileSync(join(state, "cluster.json"), "utf8")) as { value: { timings: Tuning[] } };
  return file.value.timings;
}

for (const [what, change] of ROWS)
  test(
    `${what}: traffic goes on, and in the end both nodes run by the new ones alone`,
    async () => {
      await pair.undisturbed(async () => {
        const words = Object.entries(change).map(([key, value]) => `cluster.${key}=${value}`);
        pair.node(pair.active).command(["settings", "set", ...words]);
        const alone = [{ ...DEFAULT_TUNING, ...change }];
        await until("both nodes have the new timings alone", () =>
          [pair.a, pair.b].every((node) => Bun.deepEquals(stored(node), alone)),
        );
      });
      expect([pair.a, pair.b].map((node) => stored(node).length)).toEqual([1, 1]);
    },
    TEST_MS,
  );
