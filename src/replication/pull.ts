/**
 * Taking over what the peer has and this node has not. Asked for a batch at a time, so that nothing piles up, and
 * begun anew whenever our own newest revision became another one meanwhile:
 *
 *     fetch ──▶ batch, batch … ──▶ appended to ours
 *       │
 *       └────▶ unknown: our histories have parted. The one that gives way asks where:
 *              locate, locate … ──▶ common ──▶ fetch ──▶ batch: replaces ours, which are kept under a name
 *
 * Old revisions may come without their content. They wait here until one that has it follows, so that the newest
 * one on the disk can always be applied, wherever a power cut falls.
 */
import { type Chain, isGenuine, type Revision } from "../settings/chain.ts";
import { idsFrom } from "./history.ts";
import type { Message, MessageOf } from "./messages.ts";

/** Lines of history without content that wait, at most: more than a chain keeps. */
const WAITING_MAX = 110_000;
/** How long an answer may take before the connection counts as broken. */
export const ANSWER_MS_MAX = 5000;

export type PullResult =
  /** Ask on; or, without a message, an answer that nobody waits for any more. */
  | { kind: "ask"; message: Message | null }
  /** These were stored, and more may be asked for. */
  | { kind: "stored"; count: number; message: Message | null; kept: { name: string; count: number } | null }
  /** The peer does not know our newest revision either. */
  | { kind: "parted" }
  /** Not even the beginning is common. */
  | { kind: "unrelated" }
  /** What came is wrong. */
  | { kind: "bad"; what: string };

export class Pull {
  readonly #chain: Chain;
  readonly #nameKept: () => string;
  readonly #objection: (content: string) => string | null;
  /** Our newest revision when this began, and after each part that was stored. */
  #base: string;
  /** Set while revisions of ours are to give way: the newest common one. */
  #common: string | null = null;
  #located: string[] = [];
  #waiting: Revision[] = [];
  #asked_ms = 0;

  constructor(chain: Chain, nameKept: () => string, objection: (content: string) => string | null) {
    this.#chain = chain;
    this.#nameKept = nameKept;
    this.#objection = objection;
    this.#base = chain.head().id;
  }

  isOverdue(now_ms: number): boolean {
    return now_ms - this.#asked_ms > ANSWER_MS_MAX;
  }

  /** Our own chain went on in another way since. */
  isOutdated(): boolean {
    return this.#chain.head().id !== this.#base;
  }

  fetch(now_ms: number): Message {
    this.#asked_ms = now_ms;
    return { type: "fetch", after: this.#last() };
  }

  /** The histories have parted, and ours gives way: where did they? Null where none of ours is left to ask about. */
  locate(now_ms: number): Message | null {
    this.#asked_ms = now_ms;
    const oldest = this.#located.at(-1);
    const from = oldest === undefined ? this.#base : (this.#chain.find(oldest)?.parent ?? "");
    this.#located = idsFrom(this.#chain, from);
    return this.#located.length === 0 ? null : { type: "locate", ids: this.#located };
  }

  takeUnknown({ after }: MessageOf<"unknown">): PullResult {
    return after === this.#last() ? { kind: "parted" } : { kind: "ask", message: null };
  }

  takeCommon({ id }: MessageOf<"common">, now_ms: number): PullResult {
    if (this.#located.length === 0) return { kind: "ask", message: null };
    if (id === null) {
      const message = this.locate(now_ms);
      return message === null ? { kind: "unrelated" } : { kind: "ask", message };
    }
    if (!this.#located.includes(id)) return { kind: "bad", what: "a common revision that was not asked about" };
    this.#located = [];
    if (id !== this.#base) this.#common = id;
    return { kind: "ask", message: this.fetch(now_ms) };
  }

  /** True where the next batch takes the place of revisions of ours. */
  replacesOurs(): boolean {
    return this.#common !== null;
  }

  /** Throws Failure `state-unwritable`; nothing is stored then. */
  takeBatch({ after, revisions, more }: MessageOf<"batch">, now_ms: number): PullResult {
    if (after !== this.#last() || this.#located.length > 0) return { kind: "ask", message: null };
    const what = this.#wrongWith(after, revisions);
    if (what !== null) return { kind: "bad", what };
    this.#waiting.push(...revisions);
    const ready = this.#waiting.slice(0, this.#waiting.findLastIndex(({ content }) => content !== "") + 1);
    if (this.#waiting.length - ready.length > WAITING_MAX) return { kind: "bad", what: "a history without contents" };
    const kept = ready.length === 0 ? null : this.#store(ready);
    const message = more && revisions.length > 0 ? this.fetch(now_ms) : null;
    return { kind: "stored", count: ready.length, message, kept };
  }

  #store(ready: Revision[]): { name: string; count: number } | null {
    const common = this.#common;
    this.#waiting = this.#waiting.slice(ready.length);
    if (common === null) {
      this.#chain.append(ready);
      this.#base = this.#chain.head().id;
      return null;
    }
    const name = this.#nameKept();
    const before = this.#chain.head().number - (this.#chain.find(common)?.number ?? 0);
    this.#chain.replace(common, ready, name);
    this.#base = this.#chain.head().id;
    this.#common = null;
    return { name, count: before };
  }

  #wrongWith(after: string, revisions: Revision[]): string | null {
    let parent = after;
    let number = this.#waiting.at(-1)?.number ?? this.#chain.find(after)?.number ?? 0;
    for (const revision of revisions) {
      number++;
      if (revision.parent !== parent || revision.number !== number) return "revisions that do not follow each other";
      if (!isGenuine(revision)) return `a revision ${number} that is damaged`;
      parent = revision.id;
    }
    const newest = revisions.findLast(({ content }) => content !== "");
    const objection = newest === undefined ? null : this.#objection(newest.content);
    return objection === null ? null : `settings that this node cannot use (${objection})`;
  }

  /** The newest revision that is here, be it stored or waiting. */
  #last(): string {
    return this.#waiting.at(-1)?.id ?? this.#common ?? this.#base;
  }
}
