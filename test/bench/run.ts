/** `npm run bench NAME [options]`. */
import { enterWorld } from "../lab/world.ts";
import { failover } from "./failover.ts";
import { falseSwitch } from "./false-switch.ts";
import { idle } from "./idle.ts";

const BENCHES: Record<string, (words: string[]) => Promise<void>> = { failover, idle, "false-switch": falseSwitch };

const [name = "", ...words] = process.argv.slice(2);
const bench = BENCHES[name];
if (bench === undefined) {
  console.error(`Name a benchmark: npm run bench ${Object.keys(BENCHES).join(" | ")}`);
  process.exit(2);
}
enterWorld();
await bench(words);
process.exit();
