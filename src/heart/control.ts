/** The heart's line to its control process: standard input and output, never blocking. */
import { SystemFailure } from "../errors.ts";
import { RECORD, type Shim } from "../shim.ts";
import { Lines, type ShimRecord } from "./inbox.ts";
import type { CapturePiece, FromHeart, HeartEvent, Snapshot, ToHeart } from "./messages.ts";

const STDIN = 0;
const STDOUT = 1;
const LINE_BYTES_MAX = 1024 * 1024;
/** What waits while the control process does not read; events come first, the oldest are dropped. */
const QUEUE_MAX = 256;

export class ControlLine {
  readonly #shim: Shim;
  readonly #lines = new Lines(LINE_BYTES_MAX);
  readonly #encoder = new TextEncoder();
  readonly #queue: FromHeart[] = [];
  #snapshot: Snapshot | null = null;
  #writing: Uint8Array | null = null;
  /** True once the control process has gone. */
  ended = false;

  constructor(shim: Shim) {
    this.#shim = shim;
    shim.watchInput(STDIN);
  }

  /** Messages in a record of standard input; none for other records. */
  take(record: ShimRecord): ToHeart[] {
    if (record.kind !== RECORD.input || record.source !== STDIN) return [];
    if (record.payload.length === 0) this.ended = true;
    return this.#lines.take(record.payload).flatMap((line) => parseToHeart(line) ?? []);
  }

  event(event: HeartEvent): void {
    this.#push({ type: "event", event });
  }

  reply(id: number, failure: { code: string; message: string } | null): void {
    this.#push(failure === null ? { type: "reply", id, ok: true } : { type: "reply", id, ok: false, ...failure });
  }

  /** Nothing waits to be written. */
  get is_idle(): boolean {
    return this.#writing === null && this.#queue.length === 0;
  }

  capture(capture: CapturePiece): void {
    this.#push({ type: "capture", capture });
  }

  /** Only the newest snapshot is worth sending. */
  snapshot(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
  }

  /** A control process that has gone reads nothing more; its end is told by the other pipe. */
  #write(bytes: Uint8Array): number {
    try {
      return this.#shim.write(STDOUT, bytes);
    } catch (error) {
      if (error instanceof SystemFailure) return bytes.length;
      throw error;
    }
  }

  #push(message: FromHeart): void {
    if (this.#queue.length >= QUEUE_MAX) this.#queue.shift();
    this.#queue.push(message);
  }

  /** Writes what the pipe takes; the rest stays for the next time. */
  flush(): void {
    for (let turn = 0; turn < QUEUE_MAX + 2; turn++) {
      if (this.#writing === null) {
        let next = this.#queue.shift();
        if (next === undefined && this.#snapshot !== null) {
          next = { type: "snapshot", snapshot: this.#snapshot };
          this.#snapshot = null;
        }
        if (next === undefined) return;
        this.#writing = this.#encoder.encode(`${JSON.stringify(next)}\n`);
      }
      const written = this.#write(this.#writing);
      if (written < this.#writing.length) {
        this.#writing = this.#writing.subarray(written);
        return;
      }
      this.#writing = null;
    }
  }
}

/** An order of the control process; null for a line that is none, as after one that was cut short. */
export function parseToHeart(line: string): ToHeart | null {
  try {
    const message = JSON.parse(line) as ToHeart | null;
    return typeof message === "object" && message !== null && "type" in message ? message : null;
  } catch {
    return null;
  }
}
