/**
 * Inputs that are kept, one file each, in corpus/<target>/: `.hex` is hex text, everything else is taken as it is.
 * Whoever finds a crash adds its input here under a name that says what it was.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const CORPUS = join(import.meta.dir, "corpus");
const LINE_CHARACTERS = 64;

export function readCorpus(target: string): Uint8Array[] {
  const directory = join(CORPUS, target);
  if (!existsSync(directory)) return [];
  const names = readdirSync(directory).sort();
  return names.map((name) => {
    const bytes = readFileSync(join(directory, name));
    return new Uint8Array(name.endsWith(".hex") ? Buffer.from(bytes.toString().replace(/\s/g, ""), "hex") : bytes);
  });
}

/** Keeps these inputs: as text where they are text, in hex where not. */
export function writeCorpus(target: string, inputs: Record<string, Uint8Array>): void {
  const directory = join(CORPUS, target);
  mkdirSync(directory, { recursive: true });
  for (const [name, bytes] of Object.entries(inputs)) {
    const text = Buffer.from(bytes).toString("latin1");
    if (/^[\n -~]*$/.test(text)) writeFileSync(join(directory, `${name}.txt`), text);
    else {
      const lines =
        Buffer.from(bytes)
          .toString("hex")
          .match(new RegExp(`.{1,${LINE_CHARACTERS}}`, "g")) ?? [];
      writeFileSync(join(directory, `${name}.hex`), `${lines.join("\n")}\n`);
    }
  }
}
