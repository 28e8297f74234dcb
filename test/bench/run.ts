/** `npm run bench NAME [options]`. */
import { ensurePrerequisites } from "../lab/prerequisites.ts";
import { enterWorld } from "../lab/world.ts";
import { connections } from "./connections.ts";
import { failover } from "./failover.ts";
import { falseSwitch } from "./false-switch.ts";
import { idle } from "./idle.ts";
import { settings } from "./settings.ts";
import { simulation } from "./simulation.ts";
import { vm } from "./vm.ts";
import { web } from "./web.ts";

const BENCHES: Record<string, (words: string[]) => Promise<void>> = {
  connections,
  failover,
  idle,
  "false-switch": falseSwitch,
  settings,
  sim: simulation,
  vm,
  web,
};

const [name = "", ...words] = process.argv.slice(2);
const bench = BENCHES[name];
if (bench === undefined) {
  console.error(`Name a benchmark: npm run bench ${Object.keys(BENCHES).join(" | ")}`);
  process.exit(2);
}
// Leaving through exit lets the labs clean up after themselves.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(1));
ensurePrerequisites();
enterWorld();
await bench(words);
process.exit();
