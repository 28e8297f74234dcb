/**
 * The C shim under libFuzzer with AddressSanitizer, UndefinedBehaviorSanitizer and LeakSanitizer: one program for
 * each native/shim-*.c, linked with the shim's own sources, a Node-API (native/napi.c) and a kernel (native/kernel.c)
 * that are made for it. Each runs in a network namespace of its own with the ends v0 and v1 of a cable.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { CORPUS } from "./corpus.ts";

const ROOT = join(import.meta.dir, "../..");
const BUILD = join(ROOT, "build/fuzz");
const HARNESS = "test/fuzz/native";
const INPUT_BYTES_MAX = 4096;
/** An input that takes longer hangs. */
const INPUT_S_MAX = 20;
const CABLE = 'ip link add v0 type veth peer name v1 && ip link set v0 up && ip link set v1 up && exec "$@"';
const ENVIRONMENT = {
  ASAN_OPTIONS: "detect_leaks=1:quarantine_size_mb=16",
  UBSAN_OPTIONS: "print_stacktrace=1",
};

const SANITIZERS = "address,undefined,float-cast-overflow";
const FLAGS = [
  ..."-std=gnu17 -g -O1 -Wall -Wextra -Werror -D_GNU_SOURCE -DNAPI_VERSION=8".split(" "),
  ..."-fno-omit-frame-pointer -fno-sanitize-recover=all".split(" "),
  ..."-isystem node_modules/node-api-headers/include -isystem build/libpcap/include -Inative".split(" "),
];

/** Names as in `--target`, found by their files. */
export const NATIVE_TARGETS = [...new Bun.Glob("shim-*.c").scanSync({ cwd: join(ROOT, HARNESS) })]
  .map((file) => basename(file, ".c"))
  .sort();

export interface NativeRun {
  target: string;
  seed: number;
  /** Where both are given, what is reached first ends the run. */
  inputs_max?: number;
  duration_s?: number;
}

/** Compiles all targets; a few seconds. */
export function buildNative(): void {
  mkdirSync(BUILD, { recursive: true });
  const compile = (...words: string[]) => {
    const { exitCode, stderr } = Bun.spawnSync(["clang", ...FLAGS, ...words], { cwd: ROOT });
    if (exitCode !== 0) throw new Error(`clang failed:\n${stderr.toString()}`);
  };
  const objects: string[] = [];
  const object = (file: string, ...words: string[]) => {
    const output = join(BUILD, `${file.replaceAll("/", "-")}.o`);
    compile(`-fsanitize=fuzzer-no-link,${SANITIZERS}`, ...words, "-c", "-o", output, file);
    objects.push(output);
  };
  for (const file of sourcesIn("native", "*.c")) object(file, "-include", `${HARNESS}/redirect.h`);
  for (const file of sourcesIn(HARNESS, "*.c")) if (!basename(file).startsWith("shim-")) object(file);
  for (const target of NATIVE_TARGETS) {
    const source = `${HARNESS}/${target}.c`;
    const link = [`-fsanitize=fuzzer,${SANITIZERS}`, source, ...objects, "build/libpcap/libpcap.a", "-lm"];
    compile(...link, "-o", join(BUILD, target));
  }
}

function sourcesIn(directory: string, pattern: string): string[] {
  return [...new Bun.Glob(pattern).scanSync({ cwd: join(ROOT, directory) })]
    .sort()
    .map((file) => `${directory}/${file}`);
}

/** Where a target's inputs are that were found here and are not kept in the repository (yet). */
export function foundIn(target: string): string {
  const directory = join(BUILD, "found", target);
  mkdirSync(directory, { recursive: true });
  return directory;
}

function kept(target: string): string {
  const directory = join(CORPUS, target);
  mkdirSync(directory, { recursive: true });
  return directory;
}

function start(target: string, words: string[]): { exitCode: number; said: string } {
  const command = ["unshare", "-n", "sh", "-c", CABLE, "sh", join(BUILD, target), ...words];
  const { exitCode, stderr, stdout } = Bun.spawnSync(command, { cwd: ROOT, env: { ...process.env, ...ENVIRONMENT } });
  return { exitCode, said: stdout.toString() + stderr.toString() };
}

/** How many inputs were executed. Throws with the sanitizer's report, the input in hex and the command that replays it. */
export function fuzzNative({ target, seed, inputs_max, duration_s }: NativeRun, found: string): number {
  if (!NATIVE_TARGETS.includes(target)) throw new Error(`There is no target ${target}.`);
  const { exitCode, said } = start(target, [
    `-seed=${seed}`,
    `-runs=${inputs_max ?? -1}`,
    `-max_total_time=${duration_s ?? 0}`,
    `-max_len=${INPUT_BYTES_MAX}`,
    `-timeout=${INPUT_S_MAX}`,
    // Long inputs early: some targets are too slow to grow into them.
    "-len_control=10",
    "-use_value_profile=1",
    "-print_final_stats=1",
    `-artifact_prefix=${BUILD}/`,
    found,
    kept(target),
  ]);
  if (exitCode !== 0) throw new Error(`${target}: ${failureOf(said)}${replayOf(target, said)}`);
  return Number(/number_of_executed_units:\s*(\d+)/.exec(said)?.[1] ?? 0);
}

/** One run that leaves nothing behind: the same seed and corpus give the same inputs. */
export function fuzzNativeAfresh(run: NativeRun): number {
  mkdirSync(BUILD, { recursive: true });
  const found = mkdtempSync(join(BUILD, "afresh-"));
  try {
    return fuzzNative(run, found);
  } finally {
    rmSync(found, { recursive: true, force: true });
  }
}

/** Runs the target once with a file's bytes. */
export function replayNative(target: string, file: string): void {
  const { exitCode, said } = start(target, [file]);
  if (exitCode !== 0) throw new Error(`${target}: ${failureOf(said)}`);
}

/** Keeps the smallest set of inputs that reach all that those found here and those kept reach. */
export function mergeNative(target: string): void {
  const merged = mkdtempSync(join(BUILD, "merged-"));
  const { exitCode, said } = start(target, [
    "-set_cover_merge=1",
    `-max_len=${INPUT_BYTES_MAX}`,
    merged,
    kept(target),
    foundIn(target),
  ]);
  if (exitCode !== 0) throw new Error(`${target}: ${failureOf(said)}`);
  // Names that say what they found stay, whatever the others reach.
  for (const file of new Bun.Glob("*").scanSync({ cwd: kept(target) }))
    if (/^[0-9a-f]{40}$/.test(file)) rmSync(join(kept(target), file));
  Bun.spawnSync(["cp", "-r", `${merged}/.`, kept(target)]);
  rmSync(merged, { recursive: true, force: true });
}

/** From the first line that says what went wrong. */
function failureOf(said: string): string {
  const lines = said.split("\n");
  const at = lines.findIndex((line) => /Broken: |runtime error: |ERROR: |clang|Cannot|cannot|denied/.test(line));
  return lines.slice(Math.max(0, at), Math.max(0, at) + 40).join("\n");
}

function replayOf(target: string, said: string): string {
  const file = /Test unit written to (\S+)/.exec(said)?.[1];
  if (file === undefined) return "";
  return `\ninput ${readFileSync(file).toString("hex")}\nreplay: npm run fuzz -- --target ${target} --file ${file}`;
}
