/** What the heart recorded around a switch, put together from its pieces and made a file for Wireshark. */
import { VERDICT_CODES, verdictText } from "../core/verdicts.ts";
import { CELL_BYTES, type Cell, DIRECTION, readCells } from "../heart/cells.ts";
import type { CaptureHead, CapturePiece } from "../heart/messages.ts";
import { macBytes } from "../wire/bytes.ts";
import { emitPcapng } from "../wire/pcapng.ts";

/** Pieces of a capture, and bytes of a piece: twice what the heart makes. */
const PIECES_MAX = 128;
const PIECE_BYTES_MAX = 128 * CELL_BYTES;

export interface Recorded {
  head: CaptureHead;
  cells: Cell[];
}

/** Pieces come in order; where one is missing, the heart was started anew, and the rest is worth nothing. */
export class CaptureAssembly {
  #head: CaptureHead | null = null;
  #number = -1;
  #data: Buffer[] = [];

  /** The capture where this was its last piece. */
  take({ number, piece, pieces, data, head }: CapturePiece): Recorded | null {
    if (piece === 0 && isHead(head)) {
      this.#number = number;
      this.#head = head;
      this.#data = [];
    }
    const bytes = Buffer.from(data, "base64");
    const due = this.#head !== null && number === this.#number && piece === this.#data.length;
    if (!due || pieces > PIECES_MAX || bytes.length > PIECE_BYTES_MAX) {
      this.#head = null;
      return null;
    }
    this.#data.push(bytes);
    if (piece + 1 < pieces || this.#head === null) return null;
    const recorded = { head: this.#head, cells: readCells(new Uint8Array(Buffer.concat(this.#data))) };
    this.#head = null;
    this.#data = [];
    return recorded;
  }
}

function isHead(head: CaptureHead | undefined): head is CaptureHead {
  return Array.isArray(head?.events) && Array.isArray(head.interfaces);
}

export interface CaptureFacts {
  /** In the middle of a sentence: "node-b, version 0.1.0 build 143,". */
  node: string;
  application: string;
  /** The wall clock's time of a time since boot. */
  wall_ms: (since_boot_ms: number) => number;
}

const NOTE = "Times are those at which the node's loop took or sent a frame. Frames are authenticated, not encrypted.";

/** The file. Its comment is read again by `readEvents`. */
export function captureFile({ head, cells }: Recorded, { node, application, wall_ms }: CaptureFacts): Uint8Array {
  const events = head.events.map(
    ({ at_ms, code, message }) => `${new Date(wall_ms(at_ms)).toISOString()} ${code}: ${message}`,
  );
  // A frame that was on its way when its interface went: its slot has none any more.
  const slots = new Map(head.interfaces.map(({ slot }, index) => [slot, index]));
  // What a turn said was recorded before what it had heard.
  const in_order = cells.filter(({ slot }) => slots.has(slot)).sort((one, other) => one.at_ms - other.at_ms);
  return emitPcapng({
    application,
    comment: [`Understudy: a switch as ${node} saw it.`, ...events, NOTE].join("\n"),
    interfaces: head.interfaces.map(({ nic, mac }) => ({ name: nic, mac: macBytes(mac) })),
    packets: in_order.map(({ at_ms, slot, direction, verdict, frame, length }) => ({
      interface: slots.get(slot) ?? 0,
      at_us: wall_ms(at_ms) * 1000,
      direction: direction === DIRECTION.out ? "out" : "in",
      comment: verdictText(VERDICT_CODES[verdict] ?? "no-matter"),
      frame,
      length,
    })),
  });
}

export interface CapturedEvent {
  at: string;
  code: string;
  message: string;
}

/** The events in the comment of such a file. */
export function readEvents(comment: string): CapturedEvent[] {
  return comment.split("\n").flatMap((line) => {
    const [, at, code, message] = /^(\S+Z) ([a-z-]+): (.*)$/.exec(line) ?? [];
    return at === undefined || code === undefined || message === undefined ? [] : [{ at, code, message }];
  });
}
