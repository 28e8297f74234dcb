/**
 * What the heart said and heard lately: a ring of copies, for a capture of each switch. Everything is made at the start,
 * and a frame costs a copy of a hundred bytes: nothing is allocated for it, and nothing is recorded before what the core
 * wanted of it has been done.
 *
 * A switch marks its place in the ring. Some hundred milliseconds later the frames around that place are copied out, to
 * be handed on when the switch has settled (heart/hand-on.ts). What is kept has bounds in frames alone, so that a flood
 * makes a capture short in time, never large.
 */
import { VERDICT_CODES, type Verdict } from "../core/verdicts.ts";
import { CELL_BYTES, type Direction, FRAME_BYTES_MAX, writeCell } from "./cells.ts";
import type { HeartEvent } from "./messages.ts";

/** Events that begin a capture. */
const SWITCH_CODES: readonly string[] = ["became-active", "handed-over", "yielded", "peer-silent", "slept"];

/** About 512 KiB. */
const RING_CELLS = 3640;
const BEFORE_CELLS_MAX = 2048;
const AFTER_CELLS_MAX = 1024;
const KEPT_CELLS_MAX = BEFORE_CELLS_MAX + AFTER_CELLS_MAX;
/** A switch goes on for so long after its last event. */
const AFTER_MS = 400;
/** Captures that wait to be handed on. */
const SLOTS = 3;
const EVENTS_MAX = 24;
/** Events of that time before the switch are told with it. */
const EVENTS_BEFORE_MS = 3000;
const VERDICT_NUMBERS = new Map<Verdict, number>(VERDICT_CODES.map((code, number) => [code, number]));

export interface Recording {
  /** When its last event happened. */
  switched_ms: number;
  events: HeartEvent[];
  cells: number;
  bytes: Uint8Array;
}

export class Recorder {
  readonly #ring = new Uint8Array(RING_CELLS * CELL_BYTES);
  /** Frames since the start; the place in the ring is what is left over by its length. */
  #count = 0;
  /** `#count` at the first event of the switch that is under way. */
  #mark: number | null = null;
  #switched_ms = 0;
  #events: HeartEvent[] = [];
  readonly #free: Uint8Array[] = [];
  readonly #waiting: Recording[] = [];

  constructor() {
    // Written to once, so that the pages are there before they are needed.
    this.#ring.fill(0);
    for (let slot = 0; slot < SLOTS; slot++) this.#free.push(new Uint8Array(KEPT_CELLS_MAX * CELL_BYTES).fill(0));
  }

  /** The frame in `bytes[start..start + length)`. */
  frame(
    at_ms: number,
    slot: number,
    direction: Direction,
    verdict: Verdict,
    bytes: Uint8Array,
    start: number,
    length: number,
  ): void {
    const cell = (this.#count % RING_CELLS) * CELL_BYTES;
    writeCell(this.#ring, cell, at_ms, slot, direction, VERDICT_NUMBERS.get(verdict) ?? 0, length);
    const kept = Math.min(length, FRAME_BYTES_MAX);
    const to = cell + CELL_BYTES - FRAME_BYTES_MAX;
    for (let i = 0; i < kept; i++) this.#ring[to + i] = bytes[start + i] ?? 0;
    this.#count++;
  }

  /** What happened in this turn, before its frames are recorded. */
  happened(events: readonly HeartEvent[], now_ms: number): void {
    for (const event of events) {
      this.#events.push(event);
      if (this.#events.length > EVENTS_MAX) this.#events.shift();
      if (!SWITCH_CODES.includes(event.code)) continue;
      this.#mark ??= this.#count;
      this.#switched_ms = now_ms;
    }
  }

  /** Copies a switch out of the ring once it is over, or before the ring overwrites what led to it. */
  settle(now_ms: number): void {
    if (this.#mark === null) return;
    const after = this.#count - this.#mark;
    if (now_ms - this.#switched_ms < AFTER_MS && after < AFTER_CELLS_MAX) return;
    this.#keep(this.#mark);
    this.#mark = null;
  }

  #keep(mark: number): void {
    // Where none is free the oldest that waits gives way: the last switches are what somebody will ask for.
    const bytes = this.#free.pop() ?? this.#waiting.shift()?.bytes;
    if (bytes === undefined) return;
    const from = Math.max(0, mark - BEFORE_CELLS_MAX, this.#count - RING_CELLS, this.#count - KEPT_CELLS_MAX);
    const cells = this.#count - from;
    const first = from % RING_CELLS;
    const until_end = Math.min(cells, RING_CELLS - first);
    bytes.set(this.#ring.subarray(first * CELL_BYTES, (first + until_end) * CELL_BYTES));
    bytes.set(this.#ring.subarray(0, (cells - until_end) * CELL_BYTES), until_end * CELL_BYTES);
    const events = this.#events.filter(({ at_ms }) => at_ms >= this.#switched_ms - EVENTS_BEFORE_MS);
    this.#waiting.push({ switched_ms: this.#switched_ms, events, cells, bytes });
  }

  /** The oldest capture that waits, once its switch is so long ago. Its bytes are the caller's until `giveBack`. */
  take(now_ms: number, settled_ms: number): Recording | null {
    const [oldest] = this.#waiting;
    if (oldest === undefined || now_ms - oldest.switched_ms < settled_ms) return null;
    return this.#waiting.shift() ?? null;
  }

  giveBack({ bytes }: Recording): void {
    this.#free.push(bytes);
  }
}
