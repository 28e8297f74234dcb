/**
 * The peer as it is known here: its newest authentic and fresh heartbeat, how long it has been silent,
 * and which paths it is heard on.
 */
import { macText } from "../wire/bytes.ts";
import { sourceMac } from "../wire/ethernet.ts";
import { type Heartbeat, parseHeartbeat } from "../wire/heartbeat.ts";
import { Conversation } from "./conversation.ts";
import { Detector } from "./detector.ts";
import type { Journal } from "./journal.ts";
import { isCopyOfState } from "./strangers.ts";
import type { CoreConfiguration } from "./types.ts";

/** A path without a heartbeat for this many intervals is shown as not heard, and at least for PATH_LOST_MS_MIN. */
const PATH_LOST_INTERVALS = 8;
const PATH_LOST_MS_MIN = 60;
const DUPLICATE_ALARM_MS = 60_000;

export class Peer {
  readonly conversation: Conversation;
  readonly #journal: Journal;
  readonly #detector: Detector;
  #configuration: CoreConfiguration;
  /** The newest, null before the first fresh one. */
  heartbeat: Heartbeat | null = null;

  constructor(configuration: CoreConfiguration, journal: Journal) {
    const { node, session, tuning } = configuration;
    this.#configuration = configuration;
    this.#journal = journal;
    this.conversation = new Conversation(node, session);
    this.#detector = new Detector(tuning.detect_floor_ms, tuning.detect_ceiling_ms);
  }

  reconfigure(configuration: CoreConfiguration): void {
    this.#configuration = configuration;
    this.#detector.setBounds(configuration.tuning.detect_floor_ms, configuration.tuning.detect_ceiling_ms);
  }

  /**
   * A frame that says it is a heartbeat. Returns what it says where it is authentic, fresh and news, and counts it
   * otherwise. "unproven": authentic, but of a session that has not repeated our challenge yet; "unproven-claim":
   * so is this, and it says that it is active.
   */
  hear(slot: number, frame: Uint8Array, now_ms: number): Heartbeat | "unproven" | "unproven-claim" | null {
    const { cluster, authenticate } = this.#configuration;
    const heartbeat = parseHeartbeat(frame, cluster, authenticate);
    if (typeof heartbeat === "string") {
      this.#journal.drop(heartbeat);
      return null;
    }
    if (isCopyOfState(heartbeat, frame, this.#configuration)) {
      const whose = heartbeat.node === this.#configuration.node ? "this node" : this.#configuration.peer_name;
      this.#journal.alarm("duplicate-node", DUPLICATE_ALARM_MS, macText(sourceMac(frame)), whose);
      this.#journal.drop("duplicate-node");
      return null;
    }
    const verdict = this.conversation.accept(heartbeat, slot, now_ms);
    if (verdict === "copy") {
      this.#journal.verdict = "copy";
      return null;
    }
    if (verdict !== "news") {
      // From our own card, in another session: recorded before our last start.
      this.#journal.drop(verdict === "duplicate-node" ? "replayed" : verdict);
      if (verdict !== "unproven") return null;
      return heartbeat.role === "active" ? "unproven-claim" : "unproven";
    }
    this.#journal.verdict = "news";
    this.#detector.heard(now_ms);
    this.heartbeat = heartbeat;
    return heartbeat;
  }

  isHeard(now_ms: number): boolean {
    return this.heartbeat !== null && !this.#detector.isSilent(now_ms);
  }

  silence_ms(now_ms: number): number {
    return this.#detector.silence_ms(now_ms);
  }

  /** The silence from which on the peer is suspected; none is needed for one that was never heard. */
  get timeout_ms(): number {
    return this.heartbeat === null ? 0 : this.#detector.timeout_ms;
  }

  /** When the silence will have been long enough to suspect it, if it goes on. */
  suspected_ms(now_ms: number): number {
    return now_ms - this.silence_ms(now_ms) + this.#detector.timeout_ms;
  }

  pathHeard(slot: number, now_ms: number): boolean {
    const lost_ms = Math.max(PATH_LOST_MS_MIN, PATH_LOST_INTERVALS * this.#configuration.tuning.interval_ms);
    return now_ms - this.conversation.heard_ms(slot) < lost_ms;
  }

  /** We slept ourselves, and a peer that was heard before that may have been talking. */
  forgive(now_ms: number, slept_ms: number): void {
    if (!this.#detector.isSilent(now_ms - slept_ms)) this.#detector.forgive(now_ms);
  }

  /**
   * The peer acknowledges our heartbeat `sequence` or a later one: it was alive after that left. And the one that it
   * acknowledges left so lately that it cannot have suspected us since: what it said then still holds, however long
   * its word was under way.
   */
  provedSince(sequence: number, now_ms: number): boolean {
    const { heartbeat, conversation } = this;
    if (heartbeat === null || !this.isHeard(now_ms)) return false;
    if (heartbeat.echo_session !== conversation.session || heartbeat.ack < sequence) return false;
    return now_ms - conversation.sent_ms(heartbeat.ack) < this.#configuration.tuning.detect_floor_ms;
  }
}
