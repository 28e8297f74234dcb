/** What a target is, and what targets share. */
import { Failure } from "../../src/errors.ts";
import type { Mutator } from "./mutator.ts";

/** One target: `next` makes an input, `check` throws where it breaks a promise. Bytes, so that a crash can be shown. */
export interface Target {
  /** Good inputs by name, as the product's own code makes them today; corpus/ keeps those of other days as well. */
  base: Record<string, Uint8Array>;
  /** An input made of `corpus`: the base and the files of corpus/. */
  next(mutator: Mutator, corpus: readonly Uint8Array[]): Uint8Array;
  check(input: Uint8Array): void | Promise<void>;
  close?(): void;
}

export const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
export const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** The value that the bytes are the JSON of; undefined for none. */
export function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decode(bytes));
  } catch {
    return undefined;
  }
}

export function demand(holds: boolean, promise: string): void {
  if (!holds) throw new Error(`Broken: ${promise}`);
}

/** Runs `work`; a Failure is an answer, anything else is a crash. */
export function onlyFailures(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
  }
}

/** One of the corpus with bytes changed, or one that is JSON with values changed. */
export function mutatedText(mutator: Mutator, corpus: readonly Uint8Array[]): Uint8Array {
  if (mutator.below(3) === 0) return mutator.mutated(corpus);
  const value = jsonOf(mutator.pick(corpus));
  if (value === undefined) return mutator.mutated(corpus);
  const once = mutator.mutatedJson(value);
  return encode(mutator.below(2) === 0 ? once : mutator.mutatedJson(once));
}

/** Many inputs in one, each behind its length in a byte. */
export function joinParts(parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts.flatMap((part) => [Uint8Array.of(part.length), part])));
}
