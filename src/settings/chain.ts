/**
 * The history of the shared settings: revisions, each a child of the one before and named by what is in it, so
 * that two nodes see at a glance whether they have the same history, and where they parted.
 */
import { createHash } from "node:crypto";
import { Failure } from "../errors.ts";
import { freshSettings } from "./model.ts";
import type { Local } from "./shared.ts";

export interface Revision {
  number: number;
  /** SHA-256 over parent, digest, time, author and term, as hex; "0" is the fresh install. */
  id: string;
  parent: string;
  /** ISO 8601, UTC. */
  at: string;
  author: string;
  /** The term in which it was made. */
  term: number;
  /** SHA-256 of the content, as hex. */
  digest: string;
  /** JSON of the shared part; "" where only the line of history is kept. */
  content: string;
}

/** Revisions that were replaced by the peer's, under a name. */
export interface KeptRevisions {
  name: string;
  at: string;
  revisions: Revision[];
}

/** Synchronous, one transaction each, durable when it returns. Throws Failure `state-unwritable` and changes nothing then. */
export interface Chain {
  head(): Revision;
  find(id: string): Revision | null;
  /** Children of `id`, oldest first; none where it is unknown. */
  since(id: string, limit: number): Revision[];
  /** Each a child of the one before, the first one of the head. `local` is stored in the same transaction. */
  append(revisions: Revision[], local?: Local): void;
  /** What came after `after` is kept under `name`, and `revisions` take its place. */
  replace(after: string, revisions: Revision[], name: string): void;
  /** Everything goes, and these come, from whatever point in history; none at all is a fresh install. */
  reset(revisions: Revision[], local?: Local): void;
  kept(): KeptRevisions[];
}

/** What a chain keeps at most. */
export interface ChainLimits {
  /** Contents of the newest revisions, as many as this and as large as this together. */
  contents: number;
  content_bytes: number;
  /** Lines of history. */
  lines: number;
  /** Named histories that were replaced. */
  kept: number;
}

export const CHAIN_LIMITS: ChainLimits = { contents: 1000, content_bytes: 64 << 20, lines: 100_000, kept: 20 };

export const FRESH_ID = "0";

/** The name and cards of a server that was just installed. */
export const FRESH_LOCAL: Local = { name: freshSettings().server.name, slots: [] };

/** Revision 0: the same on every node and in every version, as everything in it is filled in when it is read. */
export const FRESH: Revision = (() => {
  const content = '{"interfaces":[]}';
  const at = "1970-01-01T00:00:00.000Z";
  return { number: 0, id: FRESH_ID, parent: "", at, author: "", term: 0, digest: digestOf(content), content };
})();

export function makeRevision(
  parent: Pick<Revision, "number" | "id">,
  { at, author, term, content }: Pick<Revision, "at" | "author" | "term" | "content">,
): Revision {
  const line = { parent: parent.id, digest: digestOf(content), at, author, term };
  return { number: parent.number + 1, id: idOf(line), ...line, content };
}

export function digestOf(content: string): string {
  return createHash("sha256").update(content).digest("hex");
}

export function idOf({ parent, digest, at, author, term }: Omit<Revision, "number" | "id" | "content">): string {
  return createHash("sha256")
    .update(JSON.stringify([parent, digest, at, author, term]))
    .digest("hex");
}

/** Its id and, where it has its content, its digest belong to it. */
export function isGenuine(revision: Revision): boolean {
  const { id, content, digest } = revision;
  if (content !== "" && digestOf(content) !== digest) return false;
  return id === FRESH_ID ? revision.number === 0 && digest === FRESH.digest : id === idOf(revision);
}

/** Throws Failure `bad-revision` unless each is genuine, a child of the one before, and the last one has its content. */
export function demandChain(parent: Pick<Revision, "number" | "id"> | null, revisions: Revision[]): void {
  let before = parent;
  for (const revision of revisions) {
    if (!isGenuine(revision)) throw badRevision(`Revision ${revision.number} is damaged`);
    if (before !== null && (revision.parent !== before.id || revision.number !== before.number + 1))
      throw badRevision(`Revision ${revision.number} does not follow revision ${before.number}`);
    before = revision;
  }
  if (revisions.at(-1)?.content === "") throw badRevision("The newest revision came without its content");
}

export function badRevision(what: string): Failure {
  return new Failure("bad-revision", `${what}; it was not stored.`);
}
