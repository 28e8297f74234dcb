/**
 * Pairing messages: JSON in Ethernet frames of our EtherType on the reserved card, in pieces where
 * one frame is too short. The first payload byte is 0: only an active node's heartbeat has a 1 there.
 */
import { ETHER_TYPE, ETHERNET_HEADER_BYTES, emitEthernet, etherType } from "./ethernet.ts";
import { FRAME_TYPE, WIRE_VERSION } from "./heartbeat.ts";

const P = ETHERNET_HEADER_BYTES;
const VERSION = P + 1;
const TYPE = P + 2;
const INDEX = P + 4;
const COUNT = P + 5;
const LENGTH = P + 6;
const MESSAGE = P + 8;
const BODY = P + 12;
const PIECE_BYTES = 1400;
const PIECES_MAX = 128;
/** The longest message. */
export const PAIRING_BYTES_MAX = PIECES_MAX * PIECE_BYTES;

export interface Piece {
  index: number;
  count: number;
  /** The same in all pieces of one message. */
  message: number;
  body: Uint8Array;
}

/** True for a frame of our EtherType that says it is a piece of a pairing message. */
export function isPairing(frame: Uint8Array): boolean {
  return etherType(frame) === ETHER_TYPE.understudy && frame[P] === 0 && frame[TYPE] === FRAME_TYPE.pairing;
}

/** A piece of a pairing message; null for every other or malformed frame. */
export function parsePiece(frame: Uint8Array): Piece | null {
  if (frame.length < BODY || etherType(frame) !== ETHER_TYPE.understudy) return null;
  if (frame[P] !== 0 || frame[VERSION] !== WIRE_VERSION || frame[TYPE] !== FRAME_TYPE.pairing) return null;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const index = view.getUint8(INDEX);
  const count = view.getUint8(COUNT);
  const length = view.getUint16(LENGTH);
  if (count === 0 || count > PIECES_MAX || index >= count || length > PIECE_BYTES || BODY + length > frame.length)
    return null;
  return { index, count, message: view.getUint32(MESSAGE), body: frame.subarray(BODY, BODY + length) };
}

/** The frames of a message. Throws RangeError where it is longer than 128 pieces. */
export function emitPieces(
  destination: Uint8Array,
  source: Uint8Array,
  message: number,
  body: Uint8Array,
): Uint8Array[] {
  const count = Math.max(1, Math.ceil(body.length / PIECE_BYTES));
  if (count > PIECES_MAX) throw new RangeError("pairing message too long");
  return Array.from({ length: count }, (_, index) => {
    const piece = body.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES);
    const frame = new Uint8Array(Math.max(60, BODY + piece.length));
    const view = new DataView(frame.buffer);
    emitEthernet(frame, destination, source, ETHER_TYPE.understudy);
    frame[VERSION] = WIRE_VERSION;
    frame[TYPE] = FRAME_TYPE.pairing;
    view.setUint8(INDEX, index);
    view.setUint8(COUNT, count);
    view.setUint16(LENGTH, piece.length);
    view.setUint32(MESSAGE, message);
    frame.set(piece, BODY);
    return frame;
  });
}

/** Puts pieces together again; one message per sender at a time, so nothing piles up. */
export class Assembly {
  #message = -1;
  #pieces: (Uint8Array | undefined)[] = [];

  /** The whole body when `piece` was the last missing one, else null. */
  take(piece: Piece): Uint8Array | null {
    if (piece.message !== this.#message || piece.count !== this.#pieces.length) {
      this.#message = piece.message;
      this.#pieces = new Array<Uint8Array | undefined>(piece.count).fill(undefined);
    }
    this.#pieces[piece.index] = piece.body.slice();
    if (this.#pieces.some((body) => body === undefined)) return null;
    const bodies = this.#pieces as Uint8Array[];
    this.#message = -1;
    const whole = new Uint8Array(bodies.reduce((sum, body) => sum + body.length, 0));
    let at = 0;
    for (const body of bodies) {
      whole.set(body, at);
      at += body.length;
    }
    return whole;
  }
}
