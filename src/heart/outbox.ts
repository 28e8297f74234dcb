/** Frames on their way out: gathered in one buffer, sent in one call (layout in shim.ts). */
import { type Handle, SEND_HEADER_BYTES, type Shim } from "../shim.ts";

const BATCH_BYTES = 256 * 1024;

/** Told of each frame, after all of them have been given to the kernel; `errno` is 0 where it took it. */
export type Sent = (
  at_ms: number,
  capture: Handle,
  errno: number,
  bytes: Uint8Array,
  start: number,
  length: number,
) => void;

export class Outbox {
  readonly #shim: Shim;
  readonly #sent: Sent | null;
  readonly #batch = new Uint8Array(BATCH_BYTES);
  readonly #view = new DataView(this.#batch.buffer);
  #length = 0;

  constructor(shim: Shim, sent: Sent | null = null) {
    this.#shim = shim;
    this.#sent = sent;
  }

  add(capture: Handle, frame: Uint8Array): void {
    const end = this.#length + SEND_HEADER_BYTES + ((frame.length + 7) & ~7);
    if (end > BATCH_BYTES) this.flush();
    const at = this.#length;
    this.#view.setUint32(at, capture, true);
    this.#view.setUint32(at + 4, frame.length, true);
    this.#view.setInt32(at + 8, 0, true);
    this.#view.setUint32(at + 12, 0, true);
    this.#batch.set(frame, at + SEND_HEADER_BYTES);
    this.#length = at + SEND_HEADER_BYTES + ((frame.length + 7) & ~7);
  }

  /** Sends everything gathered. A frame that cannot leave (no link) is lost, as on any wire. */
  flush(): void {
    if (this.#length === 0) return;
    this.#shim.send(this.#batch, this.#length);
    if (this.#sent !== null) this.#tell(this.#sent);
    this.#length = 0;
  }

  #tell(sent: Sent): void {
    const at_ms = this.#shim.now();
    for (let at = 0; at < this.#length; ) {
      const length = this.#view.getUint32(at + 4, true);
      const errno = this.#view.getInt32(at + 8, true);
      sent(at_ms, this.#view.getUint32(at, true), errno, this.#batch, at + SEND_HEADER_BYTES, length);
      at += SEND_HEADER_BYTES + ((length + 7) & ~7);
    }
  }
}
