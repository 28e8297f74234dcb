/**
 * The future backup's session: it waits, one exchange after the other, until an active node has taken
 * it, the time is over or it is cancelled. Who goes away before the end is waited for again, under new keys.
 */
import { createHmac } from "node:crypto";
import { Joiner } from "../core/pairing/joiner.ts";
import type { Agreement, Message } from "../core/pairing/messages.ts";
import { Failure } from "../errors.ts";
import { openShim } from "../shim.ts";
import { parseHeartbeat } from "../wire/heartbeat.ts";
import { cryptography } from "./pairing-cryptography.ts";
import {
  clusterPresent,
  type Identity,
  PairingSession,
  type PairingStatus,
  REPEAT_MS,
  shownPeer,
} from "./pairing-session.ts";
import type { Heard } from "./pairing-wire.ts";
import { SegmentTest } from "./segment-test.ts";

/** A code can be guessed so often before this node waits no more. */
const TRIES_MAX = 5;
/** Who tests no more says so no more. */
const TEST_MS_MAX = 3000;
/** A node that has left its cluster says so for some seconds more (node.ts); one that goes on longer is at work. */
const LEAVING_MS_MAX = 5000;
/** Heartbeats further apart than this are not of one cluster at work. */
const HEARTBEAT_GAP_MS_MAX = 1000;
/** What the creator says that is no reason to give up waiting. */
const PASSING = ["wrong-code", "cancelled"];
/** Messages of a creator; those without the joiner's key in them are proved otherwise. */
const FROM_CREATOR = ["answer", "guess", "confirm", "test", "grant", "commit"];

export interface JoinerHost {
  /** Keeps on the disk what was agreed, before the creator is told so. */
  prepare(agreement: Agreement): void;
  /** Takes it over: the creator has. */
  join(agreement: Agreement): void;
}

export interface JoinerOptions {
  skip_code: boolean;
  timeout_s: number;
  /** What an earlier session, or a node before its restart, has prepared. */
  pending?: Agreement | null;
}

export class JoinerSession extends PairingSession {
  readonly side = "joiner";
  readonly #host: JoinerHost;
  readonly #skip_code: boolean;
  #dialogue: Joiner;
  /** On our disk; the creator may have stored it, too, although it has not said so yet. */
  #pending: Agreement | null;
  #test: { round: number; until_ms: number; run: SegmentTest } | null = null;
  #tries = 0;
  #unlinked = false;
  /** Heartbeats of others on this cable: since when, and when last. */
  #others = { since_ms: 0, heard_ms: Number.NEGATIVE_INFINITY };
  #stored_ms: number | null = null;
  #agreement: Agreement | null = null;

  constructor(identity: Identity, { skip_code, timeout_s, pending = null }: JoinerOptions, host: JoinerHost) {
    super(identity, timeout_s);
    this.#host = host;
    this.#skip_code = skip_code;
    this.#pending = pending;
    this.#dialogue = this.#newDialogue();
  }

  get stored(): boolean {
    return this.#stored_ms !== null;
  }

  /** The creator may have stored the cluster this moment: its word, or its heartbeats, will tell. */
  protected get is_due(): boolean {
    return this.#dialogue.prepared;
  }

  get agreement(): Agreement | null {
    return this.#agreement;
  }

  protected get in_doubt(): string | null {
    return this.#pending?.peer.name ?? null;
  }

  status(): PairingStatus {
    const { peer, confirmed, agreement } = this.#dialogue;
    const code = confirmed ? null : this.#dialogue.code;
    return {
      side: this.side,
      state: agreement !== null ? "joining" : confirmed ? "confirmed" : peer !== null ? "found" : "searching",
      code,
      seconds_left: this.seconds_left(),
      waiting: this.#waiting(code),
      peer: peer === null ? null : shownPeer(peer),
    };
  }

  #waiting(code: string | null): string {
    if (this.#unlinked) return `${this.nic} has no link; connect its cable to the other node.`;
    const { peer } = this.#dialogue;
    if (peer === null) return "Waiting for the active node.";
    return code === null ? `Waiting for ${peer.name}.` : `Type the code ${code} on ${peer.name}.`;
  }

  protected turn(now_ms: number): boolean {
    if (this.#stored_ms !== null) return now_ms - this.#stored_ms >= REPEAT_MS;
    // It goes on waiting without a link: with a direct cable there is none before the other node has its card switched on.
    this.#unlinked = this.is_unlinked(now_ms);
    for (const heard of this.wire.poll()) this.#hear(heard, now_ms);
    if (this.#dialogue.peer !== null && this.is_silent(now_ms)) this.#beginAgain();
    this.#turnTest(now_ms);
    this.#advance(now_ms);
    return false;
  }

  protected words(): Message[] {
    return this.#dialogue.say();
  }

  protected failed(): void {
    // A creator that waits for this node notices its silence; there is nothing that it would believe.
  }

  #hear(heard: Heard, now_ms: number): void {
    if (this.stored) return;
    if ("heartbeat" in heard) return this.#hearCluster(heard.nic, heard.heartbeat);
    const { nic, message } = heard;
    if (message.kind === "probe") return this.#test?.run.hear(nic, message.token);
    if (nic !== this.nic) return;
    const before = this.#dialogue.say()[0]?.kind;
    try {
      this.#dialogue.hear(message);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      // What was agreed on stays: its creator may have stored it, and anybody can refuse in a creator's name.
      if (this.#pending === null && !PASSING.includes(error.code)) throw error;
      return this.#beginAgain();
    }
    if (FROM_CREATOR.includes(message.kind) && this.#dialogue.isMeant(message)) this.heard_ms = now_ms;
    if (this.#dialogue.peer !== null) this.raiseCards();
    if (this.#dialogue.say()[0]?.kind !== before) this.speak(now_ms);
  }

  /** New keys. What was opened and led to nothing may have been a guess. */
  #beginAgain(): void {
    if (this.#dialogue.opened && !this.#dialogue.confirmed) this.#tries++;
    if (this.#tries >= TRIES_MAX) {
      throw new Failure(
        "too-many-tries",
        `A wrong code was given ${TRIES_MAX} times; this node waits no more. If nobody mistyped it, somebody is between the two nodes: check the cable before you start again.`,
      );
    }
    this.#test = null;
    this.#dialogue = this.#newDialogue();
  }

  #newDialogue(): Joiner {
    return new Joiner(cryptography(), this.introduction, { code: !this.#skip_code });
  }

  #turnTest(now_ms: number): void {
    const { test } = this.#dialogue;
    if (test !== null && test.round !== this.#test?.round) {
      for (const { nic, mac } of this.introduction.cards) this.wire.open(nic, mac);
      const matches = test.matches.map(({ theirs: nic }, match) => ({
        nic,
        says: this.#dialogue.token(match, "joiner"),
        expects: this.#dialogue.token(match, "creator"),
      }));
      this.#test = { round: test.round, until_ms: now_ms + TEST_MS_MAX, run: new SegmentTest(this.wire, matches) };
    }
    if (this.#test === null || now_ms >= this.#test.until_ms) return;
    this.#test.run.turn(now_ms);
    this.#dialogue.report(this.#test.run.report());
  }

  #advance(now_ms: number): void {
    const { agreement, prepared, committed } = this.#dialogue;
    if (agreement !== null && !prepared) {
      this.#host.prepare(agreement);
      this.#pending = agreement;
      this.#dialogue.prepared = true;
    }
    if (committed && agreement !== null) this.#join(agreement, now_ms);
  }

  #join(agreement: Agreement, now_ms: number): void {
    this.#host.join(agreement);
    this.#agreement = agreement;
    this.#stored_ms = now_ms;
  }

  /**
   * Whose heartbeats are on this cable? Those of the cluster that was prepared say that the creator has stored it,
   * if its word got lost. Any others are of a cluster that has its two nodes (S1).
   */
  #hearCluster(nic: string, frame: Uint8Array): void {
    if (nic !== this.nic) return;
    const pending = this.#pending;
    if (pending === null) return this.#hearOthers(openShim().now());
    const key = Buffer.from(pending.key, "hex");
    const authenticate = (bytes: Uint8Array) => createHmac("sha256", key).update(bytes).digest().subarray(0, 16);
    const heartbeat = parseHeartbeat(frame, Number.parseInt(pending.id, 16), authenticate);
    if (typeof heartbeat === "object" && heartbeat.node === 1) this.#join(pending, openShim().now());
  }

  #hearOthers(now_ms: number): void {
    if (now_ms - this.#others.heard_ms > HEARTBEAT_GAP_MS_MAX) this.#others.since_ms = now_ms;
    this.#others.heard_ms = now_ms;
    if (now_ms - this.#others.since_ms >= LEAVING_MS_MAX) throw clusterPresent(this.nic);
  }
}
