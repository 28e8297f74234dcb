/** A chain without a disk: what the database must do, in the fewest words; for simulation and tests. */
import {
  badRevision,
  CHAIN_LIMITS,
  type Chain,
  type ChainLimits,
  demandChain,
  FRESH,
  FRESH_LOCAL,
  type KeptRevisions,
  type Revision,
} from "./chain.ts";
import type { Local } from "./shared.ts";

export class MemoryChain implements Chain {
  readonly #limits: ChainLimits;
  #revisions: Revision[] = [FRESH];
  #kept: KeptRevisions[] = [];
  #local: Local = FRESH_LOCAL;

  constructor(limits: ChainLimits = CHAIN_LIMITS) {
    this.#limits = limits;
  }

  head(): Revision {
    return this.#revisions.at(-1) ?? FRESH;
  }

  local(): Local {
    return this.#local;
  }

  find(id: string): Revision | null {
    return this.#revisions.find((revision) => revision.id === id) ?? null;
  }

  since(id: string, limit: number): Revision[] {
    const index = this.#revisions.findIndex((revision) => revision.id === id);
    return index === -1 ? [] : this.#revisions.slice(index + 1, index + 1 + limit);
  }

  append(revisions: Revision[], local?: Local): void {
    demandChain(this.head(), revisions);
    this.#revisions.push(...revisions);
    this.#local = local ?? this.#local;
    this.#trim();
  }

  replace(after: string, revisions: Revision[], name: string): void {
    const index = this.#revisions.findIndex((revision) => revision.id === after);
    const base = this.#revisions[index];
    if (base === undefined) throw badRevision(`There is no revision ${after}`);
    demandChain(base, revisions);
    if (revisions.length === 0 && base.content === "") throw badRevision("The newest revision would have no content");
    const replaced = this.#revisions.splice(index + 1);
    const at = replaced.at(-1)?.at ?? base.at;
    if (replaced.length > 0) this.#kept.push({ name, at, revisions: replaced });
    this.#revisions.push(...revisions);
    this.#trim();
  }

  reset(revisions: Revision[], local: Local = this.#local): void {
    demandChain(null, revisions);
    this.#revisions = revisions.length === 0 ? [FRESH] : [...revisions];
    this.#local = revisions.length === 0 ? FRESH_LOCAL : local;
    this.#kept = [];
    this.#trim();
  }

  kept(): KeptRevisions[] {
    return this.#kept;
  }

  #trim(): void {
    const { contents, content_bytes, lines, kept } = this.#limits;
    this.#revisions = this.#revisions.slice(-lines);
    this.#kept = this.#kept.slice(-kept);
    let bytes = 0;
    for (let age = 0; age < this.#revisions.length; age++) {
      const index = this.#revisions.length - 1 - age;
      const revision = this.#revisions[index];
      if (revision === undefined || (age > 0 && revision.content === "")) break;
      bytes += revision.content.length;
      if (age > 0 && (age >= contents || bytes > content_bytes)) this.#revisions[index] = { ...revision, content: "" };
    }
  }
}
