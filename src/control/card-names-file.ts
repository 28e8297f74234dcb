/** The names of the cards in the state directory. They are the machine's: a reset to a fresh install keeps them. */
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { Failure } from "../errors.ts";
import { readSealed, writeSealed } from "../sealed.ts";
import { fileTrouble } from "../trouble.ts";
import type { KnownCard } from "./card-names.ts";

const FILE = "cards.json";

const FORMAT = z.array(
  z.object({ name: z.string().regex(/^eth\d{1,5}$/), mac: z.string(), place: z.string(), is_new: z.boolean() }),
);

export interface ReadNames {
  /** Null where there is no file: this machine names its cards in its own way. */
  names: KnownCard[] | null;
  /** What was found damaged, as a sentence. */
  warning: string | null;
}

/** A damaged file gives way to the one before it, and is kept beside it. */
export function readCardNames(directory: string): ReadNames {
  const path = join(directory, FILE);
  const names = readNames(path);
  if (names !== null) return { names, warning: null };
  const damaged = existsSync(path);
  const previous = readNames(`${path}.previous`);
  if (!damaged) return { names: previous, warning: null };
  const so =
    previous === null ? "the cards are named anew, by their place in the machine" : "the one before it is used";
  return { names: previous ?? [], warning: `${path} is damaged and kept as ${FILE}.damaged; ${so}.` };
}

/** Throws Failure `state-unwritable`. */
export function writeCardNames(directory: string, names: KnownCard[]): void {
  const path = join(directory, FILE);
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    if (existsSync(path) && readNames(path) === null) renameSync(path, `${path}.damaged`);
    writeSealed(path, names, `${path}.previous`);
  } catch (error) {
    throw new Failure(
      "state-unwritable",
      `The names of the cards cannot be written to ${path}: ${fileTrouble(error)}.`,
    );
  }
}

function readNames(path: string): KnownCard[] | null {
  return FORMAT.safeParse(readSealed(path)).data ?? null;
}
