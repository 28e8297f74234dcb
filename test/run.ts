/**
 * `npm test`: every layer that exists, one after the other, with real counts. A layer fails when a
 * test of it fails or when it ran no test. Layers without a folder yet are not listed.
 */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { BROWSER, CLANG, ensurePrerequisites, TSHARK } from "./lab/prerequisites.ts";
import { enterWorld } from "./lab/world.ts";

const ROOT = join(import.meta.dir, "..");
const REPORTS = join(ROOT, "build/reports");

interface Layer {
  name: string;
  /** Arguments of `bun test`, or a command that passes or fails as one test. */
  tests?: string[];
  command?: string[];
}

const LAYERS: Layer[] = [
  { name: "static: types", command: ["node_modules/.bin/tsc", "--noEmit"] },
  { name: "static: types of the user interface", command: ["node_modules/.bin/tsc", "--noEmit", "-p", "src/web/ui"] },
  { name: "static: lint", command: ["node_modules/.bin/biome", "check", "--diagnostic-level=error", "."] },
  { name: "static: house rules", tests: ["./test/style.test.ts"] },
  { name: "executable", tests: ["./test/build.test.ts", "./test/smoke.test.ts"] },
  { name: "image", tests: ["./test/image"] },
  { name: "unit", tests: ["./src"] },
  { name: "wire", tests: ["./test/wire"] },
  { name: "settings on a disk", tests: ["./test/settings", "./test/versions"] },
  { name: "browser", tests: ["./test/browser"] },
  { name: "fuzz", tests: ["./test/fuzz"] },
  { name: "scripts", tests: ["./test/scripts"] },
  { name: "simulation", tests: ["./test/sim"] },
  { name: "crash", tests: ["./test/crash"] },
  { name: "model", tests: ["./test/model"] },
  { name: "web", tests: ["./test/web"] },
  { name: "lab", tests: ["./test/lab"] },
  { name: "chaos", tests: ["./test/chaos"] },
];

let passed = 0;
let failed = 0;

function runLayer({ name, tests, command }: Layer): void {
  const started_ms = performance.now();
  console.log(`\n== ${name}`);
  let layer_passed = 0;
  let layer_failed = 0;
  if (command !== undefined) {
    const { exitCode } = Bun.spawnSync(command, { cwd: ROOT, stdin: "ignore", stdout: "inherit", stderr: "inherit" });
    if (exitCode === 0) layer_passed = 1;
    else layer_failed = 1;
  } else {
    const report = join(REPORTS, `${name.replace(/\W+/g, "-")}.xml`);
    const { exitCode } = Bun.spawnSync(
      [
        process.execPath,
        "test",
        "--timeout",
        "60000",
        "--reporter=junit",
        `--reporter-outfile=${report}`,
        ...(tests ?? []),
      ],
      {
        cwd: ROOT,
        stdin: "ignore",
        stdout: "inherit",
        stderr: "inherit",
      },
    );
    const counts = existsSync(report)
      ? /<testsuites[^>]*\btests="(\d+)"[^>]*\bfailures="(\d+)"/.exec(readFileSync(report, "utf8"))
      : null;
    const total = Number(counts?.[1] ?? 0);
    layer_failed = Number(counts?.[2] ?? 0);
    layer_passed = total - layer_failed;
    // A layer that ran nothing, or that broke outside its tests, has failed whatever it counted.
    if (layer_failed === 0 && (total === 0 || exitCode !== 0)) layer_failed = 1;
  }
  passed += layer_passed;
  failed += layer_failed;
  console.log(
    `== ${name}: ${layer_passed} passed, ${layer_failed} failed, ${((performance.now() - started_ms) / 1000).toFixed(1)} s`,
  );
}

mkdirSync(REPORTS, { recursive: true });
ensurePrerequisites([...CLANG, ...BROWSER, ...TSHARK]);
enterWorld();
for (const layer of LAYERS) runLayer(layer);
console.log(`\n${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
