/** Hands captures of switches to the control process: when the switch has settled, a small piece a turn. */
import { CELL_BYTES } from "./cells.ts";
import type { ControlLine } from "./control.ts";
import type { CaptureHead, HeartEvent } from "./messages.ts";
import type { Recorder, Recording } from "./recorder.ts";

/** The last announcements have left, and neighbours have been asked whether they followed. */
const SETTLED_MS = 3000;
/** 9 KB: a line of 12 kB, which the pipe takes at once. */
const PIECE_BYTES = 64 * CELL_BYTES;

type Interfaces = CaptureHead["interfaces"];

export class HandOn {
  readonly #recorder: Recorder;
  readonly #control: ControlLine;
  readonly #interfaces: () => Interfaces;
  #recording: Recording | null = null;
  #piece = 0;
  #number = 0;

  constructor(recorder: Recorder, control: ControlLine, interfaces: () => Interfaces) {
    this.#recorder = recorder;
    this.#control = control;
    this.#interfaces = interfaces;
  }

  /** At the end of a turn: the next piece, where the line to the control process is idle. */
  turn(now_ms: number): void {
    if (this.#recording === null) {
      this.#recording = this.#recorder.take(now_ms, SETTLED_MS);
      if (this.#recording === null) return;
      this.#piece = 0;
      this.#number++;
    }
    if (!this.#control.is_idle) return;
    const { cells, bytes, events } = this.#recording;
    const end = cells * CELL_BYTES;
    const pieces = Math.max(1, Math.ceil(end / PIECE_BYTES));
    const from = this.#piece * PIECE_BYTES;
    const data = Buffer.from(bytes.buffer, bytes.byteOffset + from, Math.min(PIECE_BYTES, end - from));
    this.#control.capture({
      number: this.#number,
      piece: this.#piece,
      pieces,
      data: data.toString("base64"),
      ...(this.#piece === 0 ? { head: this.#head(events) } : {}),
    });
    this.#piece++;
    if (this.#piece < pieces) return;
    this.#recorder.giveBack(this.#recording);
    this.#recording = null;
  }

  #head(events: HeartEvent[]): CaptureHead {
    return { events, interfaces: this.#interfaces() };
  }
}
