/**
 * A recorded frame: a cell of fixed size, so that a ring of them has no seams. Little-endian, as on the line to the
 * control process.
 *
 * f64 milliseconds since boot · u16 length of the frame · u8 slot · u8 direction · u8 verdict · 3 reserved · frame
 */

/** A heartbeat, ARP and neighbour messages are shorter; of a pairing message the beginning is kept. */
export const FRAME_BYTES_MAX = 128;
const HEADER_BYTES = 16;
export const CELL_BYTES = HEADER_BYTES + FRAME_BYTES_MAX;

export const DIRECTION = { in: 1, out: 2 } as const;
export type Direction = (typeof DIRECTION)[keyof typeof DIRECTION];

export interface Cell {
  at_ms: number;
  /** As it was seen, which may be more than was kept. */
  length: number;
  slot: number;
  direction: number;
  verdict: number;
  /** A view of the bytes that were read. */
  frame: Uint8Array;
}

const time = new Float64Array(1);
const time_bytes = new Uint8Array(time.buffer);

/** All but the frame itself, to `ring` at `at`. */
export function writeCell(
  ring: Uint8Array,
  at: number,
  at_ms: number,
  slot: number,
  direction: Direction,
  verdict: number,
  length: number,
): void {
  time[0] = at_ms;
  for (let i = 0; i < 8; i++) ring[at + i] = time_bytes[i] ?? 0;
  ring[at + 8] = length;
  ring[at + 9] = length >>> 8;
  ring[at + 10] = slot;
  ring[at + 11] = direction;
  ring[at + 12] = verdict;
  ring[at + 13] = 0;
  ring[at + 14] = 0;
  ring[at + 15] = 0;
}

/** The cells in `bytes`, whole ones. */
export function readCells(bytes: Uint8Array): Cell[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: Math.floor(bytes.length / CELL_BYTES) }, (_, index) => {
    const at = index * CELL_BYTES;
    const length = view.getUint16(at + 8, true);
    const start = at + HEADER_BYTES;
    return {
      at_ms: view.getFloat64(at, true),
      length,
      slot: view.getUint8(at + 10),
      direction: view.getUint8(at + 11),
      verdict: view.getUint8(at + 12),
      frame: bytes.subarray(start, start + Math.min(length, FRAME_BYTES_MAX)),
    };
  });
}
