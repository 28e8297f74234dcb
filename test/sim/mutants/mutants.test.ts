/** The mutants follow the source: each finds its place today, without waiting for the hours that catching them takes. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { MUTANTS } from "./all.ts";
import { mutated } from "./mutant.ts";

const ROOT = join(import.meta.dir, "../../..");

test("every mutant applies", () => {
  for (const mutant of MUTANTS) {
    const source = readFileSync(join(ROOT, mutant.file), "utf8");
    expect(mutated(source, mutant)).not.toBe(source);
  }
});
