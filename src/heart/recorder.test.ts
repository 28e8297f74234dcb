import { expect, test } from "bun:test";
import { CELL_BYTES, DIRECTION, FRAME_BYTES_MAX, readCells } from "./cells.ts";
import type { HeartEvent } from "./messages.ts";
import { Recorder, type Recording } from "./recorder.ts";

const LONG_AFTER_MS = 10_000;

function event(code: string, at_ms: number): HeartEvent {
  return { code, severity: "info", message: `${code}.`, at_ms };
}

/** A frame each millisecond from `from` on; the number of the frame is its first four bytes. */
function say(recorder: Recorder, from: number, count: number): void {
  const frame = new Uint8Array(124);
  for (let number = from; number < from + count; number++) {
    new DataView(frame.buffer).setUint32(0, number);
    recorder.frame(number, 1, DIRECTION.in, "news", frame, 0, frame.length);
  }
}

function numbers({ bytes, cells }: Recording): number[] {
  return readCells(bytes.subarray(0, cells * CELL_BYTES)).map(({ frame }) =>
    new DataView(frame.buffer, frame.byteOffset).getUint32(0),
  );
}

function switchAt(recorder: Recorder, at_ms: number, code = "became-active"): void {
  recorder.happened([event(code, at_ms)], at_ms);
}

test("what was said and heard before and after a switch is kept, as it was", () => {
  const recorder = new Recorder();
  const bytes = Uint8Array.of(9, 1, 2, 3, 9);
  recorder.frame(1.25, 3, DIRECTION.out, "not-sent", bytes, 1, 3);
  switchAt(recorder, 2);
  recorder.frame(3, 0, DIRECTION.in, "replayed", new Uint8Array(1000).fill(7), 0, 1000);
  recorder.settle(300);
  expect(recorder.take(LONG_AFTER_MS, 0)).toBeNull();
  recorder.settle(402);
  const recording = recorder.take(LONG_AFTER_MS, 0);
  expect(recording?.events.map(({ code }) => code)).toEqual(["became-active"]);
  const [first, second] = readCells(recording?.bytes.subarray(0, recording.cells * CELL_BYTES) ?? new Uint8Array());
  expect(first).toMatchObject({ at_ms: 1.25, slot: 3, direction: DIRECTION.out, length: 3, frame: bytes.slice(1, 4) });
  expect(second).toMatchObject({ at_ms: 3, slot: 0, direction: DIRECTION.in, length: 1000 });
  expect(second?.frame).toEqual(new Uint8Array(FRAME_BYTES_MAX).fill(7));
  expect(recording?.cells).toBe(2);
});

test("of a long time before, the last frames are kept, wherever the ring begins again", () => {
  for (const before of [0, 1, 2047, 2048, 2049, 3639, 3640, 3641, 10_000]) {
    const recorder = new Recorder();
    say(recorder, 0, before);
    switchAt(recorder, before);
    say(recorder, before, 100);
    recorder.settle(before + 400);
    const recording = recorder.take(before + LONG_AFTER_MS, 0);
    const from = Math.max(0, before - 2048);
    expect(recording === null ? null : numbers(recording)).toEqual(
      Array.from({ length: before + 100 - from }, (_, index) => from + index),
    );
  }
});

test("a flood ends a capture, and costs nothing of what led to the switch", () => {
  const recorder = new Recorder();
  say(recorder, 0, 5000);
  switchAt(recorder, 5000);
  for (let turn = 0; turn < 50; turn++) {
    say(recorder, 5000 + turn * 200, 200);
    recorder.settle(5000);
  }
  const recording = recorder.take(LONG_AFTER_MS, 0);
  // A turn hears hundreds of frames at most; the last one is the sixth.
  expect(recording === null ? null : numbers(recording)).toEqual(
    Array.from({ length: 3072 }, (_, index) => 5000 + 1200 - 3072 + index),
  );
});

test("what belongs together is one capture; what follows later is another", () => {
  const recorder = new Recorder();
  recorder.happened([event("link-down", 900)], 900);
  switchAt(recorder, 1000, "peer-silent");
  switchAt(recorder, 1024);
  recorder.settle(1399);
  recorder.happened([event("peer-heard", 1400)], 1400);
  recorder.settle(1424);
  switchAt(recorder, 6000, "yielded");
  recorder.settle(6400);
  const codes = () => recorder.take(LONG_AFTER_MS, 0)?.events.map(({ code }) => code);
  expect(codes()).toEqual(["link-down", "peer-silent", "became-active", "peer-heard"]);
  expect(codes()).toEqual(["yielded"]);
  expect(codes()).toBeUndefined();
});

test("a capture is handed on once its switch has settled, and the oldest gives way where none is free", () => {
  const recorder = new Recorder();
  for (let at_ms = 1000; at_ms <= 5000; at_ms += 1000) {
    switchAt(recorder, at_ms);
    recorder.settle(at_ms + 400);
  }
  expect(recorder.take(5000, 3000)).toBeNull();
  const taken = recorder.take(6000, 3000);
  expect(taken?.switched_ms).toBe(3000);
  // It is not free until it is given back.
  switchAt(recorder, 7000);
  recorder.settle(7400);
  const left = [0, 1, 2].map(() => recorder.take(LONG_AFTER_MS, 0)?.switched_ms);
  expect(left).toEqual([5000, 7000, undefined]);
});
