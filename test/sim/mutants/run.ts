/**
 * The proof can fail: each mutant is put into a copy of the tree, and somebody must catch it.
 *
 *   npm run sim:mutants                      all of them; fails if one survives
 *   npm run sim:mutants -- --only "yielding"     those whose name has that in it
 *   npm run sim:mutants -- --all             asks every catcher, not just until the first
 */
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { MUTANTS } from "./all.ts";
import { CATCHERS, type CatcherName } from "./catchers.ts";
import { mutated } from "./mutant.ts";

const ROOT = join(import.meta.dir, "../../..");
const COPY = join(ROOT, "build/mutant");
const COPIED = ["src", "test", "package.json", "tsconfig.json", "package-lock.json"];
const LINKED = ["node_modules", "build/shim.node"];
const TIMEOUT_MS = 900_000;

const { values } = parseArgs({ options: { only: { type: "string" }, all: { type: "boolean", default: false } } });
const chosen = MUTANTS.filter(({ name }) => name.includes(values.only ?? ""));
const read = (file: string): string => readFileSync(join(ROOT, file), "utf8");
// All of them must apply before the first is tried.
const sources = chosen.map((mutant) => mutated(read(mutant.file), mutant));

makeCopy();
// A catcher that cries without a mutant catches nothing.
for (const name of new Set(chosen.flatMap(({ catchers }) => catchers))) {
  const how = caughtBy(name);
  if (how !== null) throw new Error(`without any mutant: ${how}`);
}
let survivors = 0;
chosen.forEach((mutant, i) => {
  const copy = join(COPY, mutant.file);
  writeFileSync(copy, sources[i] ?? "");
  const caught: string[] = [];
  for (const name of mutant.catchers) {
    if (caught.length > 0 && !values.all) break;
    const how = caughtBy(name);
    if (how !== null) caught.push(how);
  }
  writeFileSync(copy, read(mutant.file));
  if (caught.length === 0) survivors++;
  console.log(`${mutant.name.padEnd(56)} ${caught.join("; ") || "SURVIVED"}`);
});
rmSync(COPY, { recursive: true, force: true });
console.log(`${chosen.length} mutants, ${chosen.length - survivors} caught, ${survivors} survived`);
process.exit(survivors === 0 && chosen.length > 0 ? 0 : 1);

function makeCopy(): void {
  rmSync(COPY, { recursive: true, force: true });
  mkdirSync(join(COPY, "build"), { recursive: true });
  for (const entry of COPIED) cpSync(join(ROOT, entry), join(COPY, entry), { recursive: true });
  for (const entry of LINKED) symlinkSync(join(ROOT, entry), join(COPY, entry));
}

/** Null where the catcher is content. */
function caughtBy(name: CatcherName): string | null {
  const catcher = CATCHERS[name];
  const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, ...catcher.command], {
    cwd: COPY,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: TIMEOUT_MS,
  });
  if (exitCode === 0) return null;
  const output = `${stdout}\n${stderr}`;
  const detail = /^seed (\d+: [\w-]+)/m.exec(output)?.[1] ?? /^\(fail\) (.*?)(?: \[|$)/m.exec(output)?.[1];
  // A failure that names nothing is a broken run, not a caught mutant.
  if (detail === undefined) throw new Error(`${catcher.name} failed without saying at what:\n${output.slice(-2000)}`);
  return `${catcher.name} (${detail})`;
}
