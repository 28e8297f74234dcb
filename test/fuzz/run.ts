/**
 * Fuzzing by hand:
 *
 *   npm run fuzz -- [--target NAME] [--minutes 10] [--seed 1]     every target, or one, for that long each
 *   npm run fuzz -- --target NAME --seed 1 --input 4711           one input again
 *   npm run fuzz -- --target shim-NAME --file PATH                one input of the C shim again
 *   npm run fuzz -- --merge                                       keep in corpus/ what the C shim's targets have found
 *   npm run fuzz -- --write-base                                  keep in corpus/ what the others start from
 */
import { parseArgs } from "node:util";
import { CLANG, ensurePrerequisites } from "../lab/prerequisites.ts";
import { enterWorld } from "../lab/world.ts";
import { writeCorpus } from "./corpus.ts";
import { fuzz } from "./fuzz.ts";
import { buildNative, foundIn, fuzzNative, mergeNative, NATIVE_TARGETS, replayNative } from "./native.ts";
import { TARGETS } from "./targets.ts";

const { values } = parseArgs({
  options: {
    target: { type: "string" },
    minutes: { type: "string", default: "1" },
    seed: { type: "string", default: "1" },
    input: { type: "string" },
    file: { type: "string" },
    merge: { type: "boolean", default: false },
    "write-base": { type: "boolean", default: false },
  },
});
const once = values.input !== undefined;
const seed = Number(values.seed);
const minutes = Number(values.minutes);
const targets = values.target === undefined ? [...Object.keys(TARGETS), ...NATIVE_TARGETS] : [values.target];

/** How many inputs were executed. */
async function run(target: string): Promise<number> {
  if (NATIVE_TARGETS.includes(target)) {
    if (values.file === undefined)
      return fuzzNative({ target, seed, duration_s: Math.ceil(minutes * 60) }, foundIn(target));
    replayNative(target, values.file);
    return 1;
  }
  const inputs_max = once ? 1 : Number.POSITIVE_INFINITY;
  return await fuzz({ target, seed, from: Number(values.input ?? 0), inputs_max, duration_ms: minutes * 60_000 });
}

async function writeBase(target: string): Promise<void> {
  const made = await TARGETS[target]?.();
  if (made !== undefined) writeCorpus(target, made.base);
  made?.close?.();
}

if (targets.some((target) => NATIVE_TARGETS.includes(target))) {
  ensurePrerequisites(CLANG);
  enterWorld();
  buildNative();
}
let failed = 0;
let inputs = 0;
for (const target of targets) {
  try {
    if (values.merge) {
      if (NATIVE_TARGETS.includes(target)) mergeNative(target);
    } else if (values["write-base"]) await writeBase(target);
    else {
      const executed = await run(target);
      inputs += executed;
      console.log(`${target}: ${executed} inputs, no crash`);
    }
  } catch (error) {
    failed++;
    console.error(error instanceof Error ? error.message : error);
  }
}
if (!values.merge && !values["write-base"])
  console.log(`${inputs} inputs, ${targets.length} targets, ${failed} with a crash`);
process.exit(failed === 0 ? 0 : 1);
