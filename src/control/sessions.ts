/**
 * Who is logged in on the web interface. A session is a ticket that its browser holds and both nodes can verify, so that
 * it goes on after a switch: name, random id, times, and a mark of the password, sealed with a key that comes from the
 * cluster's. What cannot be in a ticket is kept here: when it was last used, and which sessions were ended early.
 */

import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from "node:crypto";
import { ENDED_SESSIONS_MAX } from "../replication/messages.ts";
import type { EndedSession } from "./replication.ts";

const PREFIX = "us1";
const IDLE_MS = 30 * 60_000;
const ABSOLUTE_MS = 12 * 3_600_000;
/** A ticket says when it was last seen, so that the other node knows too; made anew when that is older than this. */
const RENEWED_AFTER_MS = 60_000;
/** Clocks of two nodes differ a little. */
const CLOCK_TOLERANCE_MS = 5 * 60_000;
const KNOWN_MAX = 512;

interface Ticket {
  id: string;
  name: string;
  issued_ms: number;
  seen_ms: number;
  /** Of the password at that time: where it has changed, the ticket is void. */
  mark: string;
}

export interface Session {
  id: string;
  name: string;
  since: string;
  expires: string;
}

export interface SessionsKept {
  /** The cluster's key; null while this node is alone. */
  clusterKey(): string | null;
  /** The hash of an administrator's password; null where there is none of that name. */
  passwordHash(name: string): string | null;
  loadEnded(): EndedSession[];
  saveEnded(ended: EndedSession[]): void;
  /** To the other node, where there is one. */
  tellEnded(ended: EndedSession[]): void;
}

export class Sessions {
  readonly #kept: SessionsKept;
  readonly #now_ms: () => number;
  /** While there is no cluster: such sessions end with this process. */
  readonly #own_key = randomBytes(32);
  readonly #used_ms = new Map<string, number>();
  readonly #ended: Map<string, number>;

  constructor(kept: SessionsKept, now_ms: () => number = Date.now) {
    this.#kept = kept;
    this.#now_ms = now_ms;
    this.#ended = new Map(kept.loadEnded().map(({ id, until_ms }) => [id, until_ms]));
  }

  /** The password was right: a ticket for its browser. */
  begin(name: string): { session: Session; ticket: string } {
    const now_ms = this.#now_ms();
    const id = randomBytes(32).toString("base64url");
    this.#use(id, now_ms);
    return this.#issue({ id, name, issued_ms: now_ms });
  }

  /**
   * The session of a ticket, or null. `use`: somebody is there; without it (an open page that only looks) time goes on.
   * `renewed` is a ticket to hold instead: it was old, sealed with another key, or has another mark.
   */
  check(text: string, use: boolean): { session: Session; renewed: string | null } | null {
    const found = this.#open(text);
    if (found === null) return null;
    const { ticket, key } = found;
    const now_ms = this.#now_ms();
    const { id, name, issued_ms, seen_ms } = ticket;
    if (this.#ended.has(id)) return null;
    // Seen in the future, it would count as used until then.
    if (Math.max(issued_ms, seen_ms) > now_ms + CLOCK_TOLERANCE_MS || now_ms >= issued_ms + ABSOLUTE_MS) return null;
    if (now_ms - Math.max(this.#used_ms.get(id) ?? 0, seen_ms) > IDLE_MS) return null;
    const mark = this.#mark(key, name);
    if (mark === null || !same(mark, ticket.mark)) return null;
    if (!use) return { session: shown(ticket), renewed: null };
    this.#use(id, now_ms);
    const old = now_ms - seen_ms > RENEWED_AFTER_MS || key !== this.#keys()[0];
    return { session: shown(ticket), renewed: old ? this.#issue(ticket).ticket : null };
  }

  /** The same session after its own password change, which voids every other ticket of that name. */
  reissue(session: Session): string {
    return this.#issue({ id: session.id, name: session.name, issued_ms: Date.parse(session.since) }).ticket;
  }

  end(session: Session): void {
    const ended = [{ id: session.id, until_ms: Date.parse(session.expires) }];
    this.takeEnded(ended);
    this.#kept.tellEnded(ended);
  }

  /** What was ended here, and what the peer has ended. */
  ended(): EndedSession[] {
    return [...this.#ended].map(([id, until_ms]) => ({ id, until_ms }));
  }

  takeEnded(ended: readonly EndedSession[]): void {
    const now_ms = this.#now_ms();
    const news = ended.filter(({ id }) => !this.#ended.has(id));
    if (news.length === 0) return;
    for (const { id, until_ms } of news) {
      // No ticket lives longer, whatever the clock of the other node says.
      this.#ended.set(id, Math.min(until_ms, now_ms + ABSOLUTE_MS + CLOCK_TOLERANCE_MS));
      this.#used_ms.delete(id);
    }
    for (const [id, until_ms] of this.#ended)
      if (until_ms < now_ms || this.#ended.size > ENDED_SESSIONS_MAX) this.#ended.delete(id);
    this.#kept.saveEnded(this.ended());
  }

  #use(id: string, now_ms: number): void {
    this.#used_ms.delete(id);
    this.#used_ms.set(id, now_ms);
    const oldest = this.#used_ms.keys().next().value;
    // Its ticket still says when it was seen.
    if (this.#used_ms.size > KNOWN_MAX && oldest !== undefined) this.#used_ms.delete(oldest);
  }

  #issue({ id, name, issued_ms }: Pick<Ticket, "id" | "name" | "issued_ms">): { session: Session; ticket: string } {
    const [key = this.#own_key] = this.#keys();
    const mark = this.#mark(key, name) ?? "";
    const ticket = { id, name, issued_ms, seen_ms: this.#now_ms(), mark };
    const payload = Buffer.from(JSON.stringify(ticket)).toString("base64url");
    return { session: shown(ticket), ticket: `${PREFIX}.${payload}.${seal(key, payload)}` };
  }

  #open(text: string): { ticket: Ticket; key: Buffer } | null {
    const [prefix, payload = "", mac = "", ...rest] = text.split(".");
    if (prefix !== PREFIX || rest.length > 0) return null;
    const key = this.#keys().find((candidate) => same(seal(candidate, payload), mac));
    if (key === undefined) return null;
    return { ticket: JSON.parse(Buffer.from(payload, "base64url").toString()) as Ticket, key };
  }

  /** The one to seal with first. */
  #keys(): Buffer[] {
    const cluster_key = this.#kept.clusterKey();
    return cluster_key === null ? [this.#own_key] : [sessionKey(cluster_key), this.#own_key];
  }

  #mark(key: Buffer, name: string): string | null {
    const hash = this.#kept.passwordHash(name);
    return hash === null
      ? null
      : createHmac("sha256", key).update(`password\0${hash}`).digest("base64url").slice(0, 22);
  }
}

let derived: { from: string; key: Buffer } | null = null;

/** A key for this alone: nothing about the heartbeats' key is learned from a ticket. */
function sessionKey(cluster_key: string): Buffer {
  if (derived?.from !== cluster_key) {
    const key = hkdfSync("sha256", Buffer.from(cluster_key, "hex"), Buffer.alloc(0), "understudy web session 1", 32);
    derived = { from: cluster_key, key: Buffer.from(key) };
  }
  return derived.key;
}

function seal(key: Buffer, payload: string): string {
  return createHmac("sha256", key).update(`ticket\0${payload}`).digest("base64url");
}

function same(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function shown({ id, name, issued_ms }: Ticket): Session {
  const since = new Date(issued_ms).toISOString();
  return { id, name, since, expires: new Date(issued_ms + ABSOLUTE_MS).toISOString() };
}
