/** `bun test/sim/replication/run.ts [seeds] [first]`: the small world of replication, one seed after the other. */
import { simulateReplication } from "./simulate.ts";

const [seeds = 20_000, first = 1] = process.argv.slice(2).map(Number);
const total = { both: 0, alone: 0, refused: 0, kept: 0, crashes: 0 };
const codes = new Set<string>();
for (let seed = first; seed < first + seeds; seed++) {
  const { codes: found, ...counts } = simulateReplication(seed);
  for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += counts[name];
  for (const code of found) codes.add(code);
}
console.log(`${seeds} seeds: ${JSON.stringify({ ...total, codes: [...codes] })}`);
