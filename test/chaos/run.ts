/**
 * Chaos in the lab:
 *
 *   npm run chaos -- [--faults 60] [--seed 1] [--only 3,4,5] [--svg FILE] [--json FILE]
 *
 * Two real nodes with real traffic, and faults at random moments, one alone or several overlapping.
 * The same seed gives the same schedule; `--only` keeps the faults with these numbers, to narrow a failure.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ensurePrerequisites } from "../lab/prerequisites.ts";
import { enterWorld } from "../lab/world.ts";
import { drawOutages } from "./picture.ts";
import { outages, table } from "./report.ts";
import { runChaos } from "./runner.ts";
import { makeSchedule, only } from "./schedule.ts";

const EVIDENCE = join(import.meta.dir, "../../build/chaos");

const { values } = parseArgs({
  options: {
    faults: { type: "string", default: "60" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
    svg: { type: "string" },
    json: { type: "string" },
  },
});

function wholeNumber(text: string, name: string): number {
  if (/^\d{1,9}$/.test(text) && Number(text) > 0) return Number(text);
  console.error(`${name} must be a whole number above 0; ${text} is not.`);
  process.exit(2);
}

const faults = wholeNumber(values.faults, "--faults");
const seed = wholeNumber(values.seed, "--seed");
const numbers = values.only?.split(",").map((text) => wholeNumber(text, "--only"));
ensurePrerequisites();
enterWorld();
const all = makeSchedule(seed, faults);
const rounds = numbers === undefined ? all : only(all, numbers);
console.log(`${rounds.length} rounds of chaos, seed ${seed} …`);
const result = await runChaos({ rounds, evidence: join(EVIDENCE, `seed-${seed}`), tell: console.log });
const figures = outages(result);
const struck = result.rounds.reduce((sum, { round }) => sum + round.faults.length, 0);
console.log(table(figures));
console.log(
  `\n${struck} faults in ${result.rounds.length} rounds and ${result.duration_s.toFixed(0)} s; both nodes used ${result.memory.start_mb} MB at the start, ${result.memory.end_mb} MB at the end, ${result.memory.most_mb} MB at most.`,
);
console.log(
  `Warnings and errors that the nodes logged: ${Object.entries(result.events)
    .map(([code, count]) => `${count} ${code}`)
    .join(", ")}.`,
);
if (result.starved > 0)
  console.log(
    `${result.starved} times an active node did not run for longer than its lease and no fault of ours kept it: this machine is busy, and times are worth less.`,
  );
if (values.svg !== undefined) await Bun.write(values.svg, drawOutages(figures, `${struck} faults, seed ${seed}`));
if (values.json !== undefined)
  await Bun.write(values.json, `${JSON.stringify({ seed, faults, ...result, outages: figures }, null, 2)}\n`);
if (result.offences > 0) {
  console.error(`\n${result.offences} VIOLATIONS. One round again:`);
  for (const { round, offences } of result.rounds) {
    if (offences.length === 0) continue;
    const list = round.faults.map(({ number }) => number).sort((one, other) => one - other);
    console.error(`  npm run chaos -- --faults ${faults} --seed ${seed} --only ${list.join(",")}`);
  }
} else {
  console.log("No violation: never two owners, and traffic flowed whenever a healthy node was left.");
}
process.exit(result.offences > 0 ? 1 : 0);
