/** Runs spin on the model: generates the verifier, compiles it, searches, and reads what it says. */
import { copyFileSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Check } from "./checks.ts";

const ROOT = join(import.meta.dir, "../..");
export const MODEL = join(import.meta.dir, "pair.pml");
const OUT = join(ROOT, "build/model");
const DEPTH_MAX = 2_000_000;
const MEMORY_MB_QUICK = 1500;
const MEMORY_MB = 12_000;
const STORY_LINES_MAX = 120;

export interface Result {
  states: number;
  depth: number;
  /** Something was found wrong: the assertion, or the cycle. */
  violation: string | null;
  /** Every state was looked at, however deep. */
  exhaustive: boolean;
  memory_mb: number;
  took_ms: number;
}

function run(folder: string, words: string[]): string {
  const { exitCode, signalCode, stdout, stderr } = Bun.spawnSync(words, { cwd: folder, stdin: "ignore" });
  const text = `${stdout}${stderr}`;
  // pan counts errors in its text, and its status is zero all the same.
  if (exitCode !== 0) throw new Error(`${words.join(" ")} ended with ${signalCode ?? exitCode}:\n${text.slice(-2000)}`);
  return text;
}

const defines = (switches: string[]): string[] => switches.map((name) => `-D${name}`);

/** A fresh folder with the source of the verifier in it. */
function generate(name: string, switches: string[]): string {
  const folder = join(OUT, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  copyFileSync(MODEL, join(folder, "pair.pml"));
  run(folder, ["spin", ...defines(switches), "-a", "pair.pml"]);
  return folder;
}

/** `optimise`: gcc takes four seconds more for it, and the search half the time. */
export function verify({ name, switches, ltl, quick, compress }: Check, optimise: 0 | 1 | 2 = 2): Result {
  const folder = generate(name, ltl ? [...switches, "LTL"] : switches);
  const options = [
    `-DMEMLIM=${quick ? MEMORY_MB_QUICK : MEMORY_MB}`,
    "-DVECTORSZ=2048",
    ...(ltl ? [] : ["-DSAFETY"]),
    ...(compress ? ["-DCOLLAPSE"] : []),
  ];
  run(folder, ["gcc", `-O${optimise}`, "-w", ...options, "-o", "pan", "pan.c"]);
  const began_ms = performance.now();
  const text = run(folder, ["./pan", `-m${DEPTH_MAX}`, "-w24", ...(ltl ? ["-a", "-f"] : [])]);
  return read(text, performance.now() - began_ms);
}

export function read(text: string, took_ms: number): Result {
  const number = (pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? Number.NaN);
  const errors = number(/errors: (\d+)/);
  if (Number.isNaN(errors)) throw new Error(`the verifier said nothing of errors:\n${text.slice(-2000)}`);
  return {
    states: number(/^\s*([\d.e+]+) states, stored/m),
    depth: number(/depth reached (\d+)/),
    violation: errors === 0 ? null : (/^pan:1: (.*)$/m.exec(text)?.[1] ?? "an error"),
    exhaustive: !/Search not completed|max search depth too small|out of memory|reached -DMEMLIM/.test(text),
    memory_mb: number(/([\d.]+)\s+total actual memory usage/),
    took_ms,
  };
}

/** The shortest way to what is found wrong with one of the nodes, as lines. */
export function story({ name, switches: own }: Check): string[] {
  const switches = [...own, "SHORTEST"];
  const folder = generate(`${name}-story`, switches);
  run(folder, [
    "gcc",
    "-O1",
    "-w",
    "-DSAFETY",
    "-DBFS",
    `-DMEMLIM=${MEMORY_MB}`,
    "-DVECTORSZ=2048",
    "-o",
    "pan",
    "pan.c",
  ]);
  run(folder, ["./pan", "-w24"]);
  if (!readdirSync(folder).some((file) => file.endsWith(".trail"))) return [];
  const text = run(folder, ["spin", ...defines(switches), "-t", "pair.pml"]);
  const told = text.split("\n").filter((line) => /^ *(node \d|a tick|1: role)/.test(line));
  return told.slice(-STORY_LINES_MAX).map((line) => line.trim());
}
