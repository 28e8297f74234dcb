/**
 * The conversation with the peer: which authentic heartbeats are also fresh.
 *
 * A key alone does not keep out a recording. So each start of a node is a session with a random
 * number, frames are numbered within it, and a session is believed only once it has repeated our
 * present challenge, which no recording from before can know. Adopting a session changes the
 * challenge, so an older session of the peer can never come back.
 */
import type { Heartbeat } from "../wire/heartbeat.ts";

const SLOTS = 32;
const RING = 64;
const LOSS_WEIGHT = 0.02;
const GAP_MAX = 200;
const LATENCY_WEIGHT = 0.1;

export type Verdict =
  /** Newest word of the peer. */
  | "news"
  /** Fresh on this path, but another path brought as much before: the path lives, nothing is new. */
  | "copy"
  | "replayed"
  | "reflected"
  | "duplicate-node"
  | "misdirected"
  /** A session that has not yet repeated our challenge; we repeat its own from now on. */
  | "unproven";

interface PathRecord {
  sequence: number;
  heard_ms: number;
  loss: number;
  latency_ms: number | null;
  candidate_session: number;
  candidate_challenge: number;
}

export class Conversation {
  readonly #node: 1 | 2;
  readonly session: number;
  #challenge = 1;
  #sequence = 0;
  #peer_session = 0;
  #peer_challenge = 0;
  #ack = 0;
  #ack_heard_ms = 0;
  readonly #sent_ms = new Float64Array(RING).fill(Number.NEGATIVE_INFINITY);
  readonly #paths: PathRecord[] = [];

  constructor(node: 1 | 2, session: number) {
    this.#node = node;
    this.session = session;
    for (let slot = 0; slot < SLOTS; slot++) {
      this.#paths.push({
        sequence: 0,
        heard_ms: Number.NEGATIVE_INFINITY,
        loss: 0,
        latency_ms: null,
        candidate_session: 0,
        candidate_challenge: 0,
      });
    }
  }

  /** Number of the last heartbeat sent. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Judges an authentic heartbeat that arrived on `slot`. */
  accept(heartbeat: Heartbeat, slot: number, now_ms: number): Verdict {
    const path = this.#path(slot);
    if (heartbeat.node === this.#node) return heartbeat.session === this.session ? "reflected" : "duplicate-node";
    if (heartbeat.slot !== slot) return "misdirected";
    if (heartbeat.session !== this.#peer_session) {
      if (heartbeat.echo_session !== this.session || heartbeat.echo_challenge !== this.#challenge) {
        path.candidate_session = heartbeat.session;
        path.candidate_challenge = heartbeat.challenge;
        return "unproven";
      }
      this.#adopt(heartbeat.session);
    }
    if (heartbeat.sequence <= path.sequence) return "replayed";
    this.#measure(path, heartbeat, now_ms);
    path.sequence = heartbeat.sequence;
    path.heard_ms = now_ms;
    if (heartbeat.sequence <= this.#ack) return "copy";
    this.#ack = heartbeat.sequence;
    this.#ack_heard_ms = now_ms;
    this.#peer_challenge = heartbeat.challenge;
    return "news";
  }

  /** Numbers the next heartbeat; the same number goes out on every path. */
  next(now_ms: number): number {
    this.#sequence++;
    this.#sent_ms[this.#sequence % RING] = now_ms;
    return this.#sequence;
  }

  /** When our heartbeat of that number left; minus infinity where it is too long ago to be remembered. */
  sent_ms(sequence: number): number {
    const remembered = sequence <= this.#sequence && sequence > this.#sequence - RING;
    return remembered ? (this.#sent_ms[sequence % RING] ?? Number.NEGATIVE_INFINITY) : Number.NEGATIVE_INFINITY;
  }

  /** The fields of a heartbeat on `slot` that carry the conversation. */
  fields(slot: number, now_ms: number) {
    const path = this.#path(slot);
    const known = this.#peer_session !== 0;
    return {
      session: this.session,
      sequence: this.#sequence,
      challenge: this.#challenge,
      echo_session: known ? this.#peer_session : path.candidate_session,
      echo_challenge: known ? this.#peer_challenge : path.candidate_challenge,
      ack: this.#ack,
      ack_hold_us: known ? (now_ms - this.#ack_heard_ms) * 1000 : 0,
    };
  }

  /** When a fresh heartbeat last came by `slot`; minus infinity for never. */
  heard_ms(slot: number): number {
    return this.#path(slot).heard_ms;
  }

  pathFigures(slot: number): { latency_ms: number | null; loss: number } {
    const { latency_ms, loss } = this.#path(slot);
    return { latency_ms, loss };
  }

  #path(slot: number): PathRecord {
    const path = this.#paths[slot];
    if (path === undefined) throw new RangeError(`slot ${slot}`);
    return path;
  }

  #adopt(session: number): void {
    this.#peer_session = session;
    this.#challenge++;
    this.#ack = 0;
    for (const path of this.#paths) path.sequence = 0;
  }

  #measure(path: PathRecord, heartbeat: Heartbeat, now_ms: number): void {
    const missed = path.sequence === 0 ? 0 : Math.min(GAP_MAX, heartbeat.sequence - path.sequence - 1);
    path.loss = 1 - (1 - path.loss) * (1 - LOSS_WEIGHT) ** missed;
    path.loss *= 1 - LOSS_WEIGHT;
    if (heartbeat.echo_session !== this.session || heartbeat.ack === 0) return;
    const round_trip_ms = now_ms - this.sent_ms(heartbeat.ack) - heartbeat.ack_hold_us / 1000;
    if (!(round_trip_ms >= 0 && round_trip_ms < Number.POSITIVE_INFINITY)) return;
    path.latency_ms =
      path.latency_ms === null ? round_trip_ms : path.latency_ms + LATENCY_WEIGHT * (round_trip_ms - path.latency_ms);
  }
}
