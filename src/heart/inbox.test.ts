import { expect, test } from "bun:test";
import { RECORD_HEADER_BYTES } from "../shim.ts";
import { Lines, readRecords } from "./inbox.ts";

test("records are read one after the other, padded to eight bytes", () => {
  const buffer = new Uint8Array(64);
  const view = new DataView(buffer.buffer);
  const second = (RECORD_HEADER_BYTES + 3 + 7) & ~7;
  view.setUint16(0, 1, true);
  view.setUint32(4, 5, true);
  view.setUint32(8, 3, true);
  buffer.set([7, 8, 9], RECORD_HEADER_BYTES);
  view.setUint16(second, 2, true);
  view.setUint32(second + 4, 6, true);
  const records = [...readRecords(buffer, second + RECORD_HEADER_BYTES)];
  expect(records.map(({ kind, source, payload }) => [kind, source, [...payload]])).toEqual([
    [1, 5, [7, 8, 9]],
    [2, 6, []],
  ]);
  expect([...readRecords(buffer, RECORD_HEADER_BYTES - 1)]).toEqual([]);
});

test("lines come whole, whatever pieces they arrive in; one too long is dropped", () => {
  const bytes = new TextEncoder().encode("één\n\ntwo\nthr");
  const lines = new Lines(10);
  expect([...bytes].flatMap((byte) => lines.take(Uint8Array.of(byte)))).toEqual(["één", "two"]);
  expect(lines.take(new TextEncoder().encode("ee\n"))).toEqual(["three"]);
  expect(lines.take(new TextEncoder().encode("x".repeat(11)))).toEqual([]);
  expect(lines.take(new TextEncoder().encode("\nnext\n"))).toEqual(["next"]);
});

test("nothing of a line that is too long is taken for a line, and cut records are not read", () => {
  const text = (length: number) => new TextEncoder().encode("x".repeat(length));
  const lines = new Lines(10);
  expect([text(11), text(5), new TextEncoder().encode("tail\nnext\n")].flatMap((bytes) => lines.take(bytes))).toEqual([
    "next",
  ]);
  const buffer = new Uint8Array(64);
  new DataView(buffer.buffer).setUint32(8, 0xfffffff0, true);
  expect([...readRecords(buffer, 64)]).toEqual([]);
});
