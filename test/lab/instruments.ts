/** Where the instruments are: compiled when their sources are newer, kept with the other build output. */
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { sh } from "./shell.ts";

const SOURCES = join(import.meta.dir, "instruments");
const OUTPUT = join(import.meta.dir, "../../build/lab/instruments");

let checked = false;

export function instrumentsPath(): string {
  if (checked) return OUTPUT;
  const files = [...new Bun.Glob("*.[ch]").scanSync({ cwd: SOURCES, absolute: true })];
  if (modified_ms(OUTPUT) < Math.max(...files.map(modified_ms))) {
    mkdirSync(join(OUTPUT, ".."), { recursive: true });
    const sources = files.filter((file) => file.endsWith(".c")).sort();
    // Into place at once: another lab may be starting the old one.
    const fresh = `${OUTPUT}.${process.pid}`;
    sh(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", fresh, ...sources]);
    sh(["mv", fresh, OUTPUT]);
  }
  checked = true;
  return OUTPUT;
}

function modified_ms(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
