/**
 * When this node speaks: every interval, at once where something changed, and in answer to a peer that
 * waits. An answer that may not leave yet is put off, never dropped.
 */

import { BROADCAST } from "../wire/ethernet.ts";
import { emitHeartbeat, type Heartbeat } from "../wire/heartbeat.ts";
import type { Conversation } from "./conversation.ts";
import type { CoreConfiguration, OutgoingFrame } from "./types.ts";

/** What the election has to say. */
export type Said = Pick<Heartbeat, "role" | "term" | "links" | "wish" | "unwilling" | "take">;

/** Answers to urgent heartbeats: not more often than this. */
const ANSWER_INTERVAL_MS = 1;

export class Speaker {
  #sent_ms = Number.NEGATIVE_INFINITY;
  #sent_before_ms = Number.NEGATIVE_INFINITY;
  #urgent = false;
  #changed = false;
  #owes_answer = false;

  /** Speak at once: the peer should know this now. */
  changed(): void {
    this.#changed = true;
  }

  /** Speak at once, and ask for an answer at once. */
  ask(): void {
    this.#urgent = true;
  }

  /** The peer waits for an answer. */
  oweAnswer(): void {
    this.#owes_answer = true;
  }

  /** Nobody knows when the last heartbeat left: only the one before counts. */
  late(): void {
    this.#sent_ms = this.#sent_before_ms;
  }

  /** How long the peer may have heard nothing from us; 0 before the first heartbeat. */
  quiet_ms(now_ms: number): number {
    return this.#sent_ms === Number.NEGATIVE_INFINITY ? 0 : now_ms - this.#sent_ms;
  }

  isDue(now_ms: number, interval_ms: number): boolean {
    return this.#changed || this.#urgent || now_ms >= this.wake_ms(interval_ms);
  }

  /** When the next heartbeat leaves if nothing happens. Infinite with an infinite interval and nobody waiting. */
  wake_ms(interval_ms: number): number {
    return this.#sent_ms + (this.#owes_answer ? Math.min(interval_ms, ANSWER_INTERVAL_MS) : interval_ms);
  }

  /** The heartbeat that leaves now, a frame for each path. To the peer's own MAC or to all. */
  speak(
    now_ms: number,
    configuration: CoreConfiguration,
    conversation: Conversation,
    said: Said,
    isToPeerAlone: (slot: number) => boolean,
  ): OutgoingFrame[] {
    const { node, cluster, authenticate, settings_revision, version, build } = configuration;
    const urgent = this.#urgent;
    this.#sent_before_ms = this.#sent_ms;
    this.#sent_ms = now_ms;
    this.#urgent = false;
    this.#changed = false;
    this.#owes_answer = false;
    return configuration.paths
      .filter((path) => path.heartbeat)
      .map(({ slot, mac, peer_mac }) => {
        const numbered = conversation.fields(slot, now_ms);
        const heartbeat = { node, slot, urgent, ...said, ...numbered, settings_revision, version, build };
        const destination = isToPeerAlone(slot) ? peer_mac : BROADCAST;
        return { slot, frame: emitHeartbeat(heartbeat, cluster, mac, destination, authenticate) };
      });
  }
}
