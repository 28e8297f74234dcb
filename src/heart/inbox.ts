/** Reading what `shim.wait` wrote: records one after the other in one buffer (layout in shim.ts). */
import { RECORD_HEADER_BYTES } from "../shim.ts";

export interface ShimRecord {
  kind: number;
  source: number;
  /** A view of the buffer: valid until the next `wait`. */
  payload: Uint8Array;
}

/** The records in the first `length` bytes of `buffer`. */
export function* readRecords(buffer: Uint8Array, length: number): Generator<ShimRecord> {
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  let at = 0;
  while (at + RECORD_HEADER_BYTES <= length) {
    const payload_bytes = view.getUint32(at + 8, true);
    const start = at + RECORD_HEADER_BYTES;
    if (start + payload_bytes > length) return;
    yield {
      kind: view.getUint16(at, true),
      source: view.getUint32(at + 4, true),
      payload: buffer.subarray(start, start + payload_bytes),
    };
    at = (start + payload_bytes + 7) & ~7;
  }
}

/** Whole lines out of a stream of bytes; a line longer than the bound is dropped, as nobody honest writes one. */
export class Lines {
  readonly #most_bytes: number;
  readonly #decoder = new TextDecoder();
  #rest = "";
  /** The line at hand was too long: what is left of it goes the same way. */
  #skipping = false;

  constructor(most_bytes: number) {
    this.#most_bytes = most_bytes;
  }

  take(bytes: Uint8Array): string[] {
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split("\n");
    this.#rest = lines.pop() ?? "";
    if (this.#skipping && lines.length > 0) {
      lines.shift();
      this.#skipping = false;
    }
    if (this.#skipping || this.#rest.length > this.#most_bytes) {
      this.#skipping = true;
      this.#rest = "";
    }
    return lines.filter((line) => line !== "");
  }
}
