/**
 * `npm run test:vm`: the appliance image in virtual machines. `-- --full` has more of the same (each cable of the backup
 * too), and any other word is a part of a test's name.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ensurePrerequisites, QEMU } from "../lab/prerequisites.ts";
import { enterWorld } from "../lab/world.ts";
import { demandTaps } from "./network.ts";

const { values, positionals } = parseArgs({
  options: { full: { type: "boolean", default: false } },
  allowPositionals: true,
});
ensurePrerequisites(QEMU);
enterWorld();
demandTaps();
const words = positionals.flatMap((word) => ["--test-name-pattern", word]);
const { exitCode } = Bun.spawnSync([process.execPath, "test", "./test/vm", "--timeout", "300000", ...words], {
  cwd: join(import.meta.dir, "../.."),
  env: { ...process.env, ...(values.full ? { UNDERSTUDY_VM_FULL: "1" } : {}) },
  stdin: "ignore",
  stdout: "inherit",
  stderr: "inherit",
});
process.exit(exitCode);
