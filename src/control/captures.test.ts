import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VERDICT_CODES } from "../core/verdicts.ts";
import { CELL_BYTES, DIRECTION, FRAME_BYTES_MAX, writeCell } from "../heart/cells.ts";
import type { CapturePiece } from "../heart/messages.ts";
import { sectionComment } from "../wire/pcapng.ts";
import { Captures } from "./captures.ts";

const BOOTED_MS = Date.UTC(2026, 0, 2, 3, 4, 5);

let state: string;
let now_ms: number;
let failures: string[];
let captures: Captures;

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), "understudy-captures-"));
  now_ms = 0;
  failures = [];
  captures = new Captures(state, {
    facts: () => ({ node: "node-b,", application: "understudy", wall_ms: (at_ms) => BOOTED_MS + at_ms }),
    now_ms: () => now_ms,
    failed: (message) => failures.push(message),
  });
});

afterEach(() => rmSync(state, { recursive: true, force: true }));

function cell(at_ms: number, slot: number): Uint8Array {
  const bytes = new Uint8Array(CELL_BYTES);
  writeCell(bytes, 0, at_ms, slot, DIRECTION.out, VERDICT_CODES.indexOf("sent"), 60);
  bytes.fill(5, CELL_BYTES - FRAME_BYTES_MAX);
  return bytes;
}

const data = (...cells: Uint8Array[]) => Buffer.concat(cells).toString("base64");

function piecesOf(code: string, at_ms: number, number = 1): CapturePiece[] {
  const events = [{ code, severity: "info" as const, message: `It is ${code}.`, at_ms }];
  const interfaces = [{ slot: 0, nic: "clu0", mac: "02:00:00:00:00:01" }];
  return [
    { number, piece: 0, pieces: 2, data: data(cell(at_ms + 1, 0)), head: { events, interfaces } },
    { number, piece: 1, pieces: 2, data: data(cell(at_ms, 0), cell(at_ms, 9)) },
  ];
}

function record(code: string, at_ms: number): void {
  for (const piece of piecesOf(code, at_ms)) captures.take(piece);
}

test("the pieces of a switch become a file, told by its time and its most telling event", () => {
  record("became-active", 1500);
  const [entry] = captures.list();
  expect(entry).toEqual({
    name: "2026-01-02T03-04-06.500Z-became-active.pcapng",
    at: "2026-01-02T03:04:06.500Z",
    code: "became-active",
    bytes: captures.read(entry?.name ?? "").length,
    events: [{ at: "2026-01-02T03:04:06.500Z", code: "became-active", message: "It is became-active." }],
  });
  expect(sectionComment(captures.read(entry?.name ?? ""))).toContain("as node-b, saw it");
  expect(statSync(join(state, "captures", entry?.name ?? "")).mode & 0o777).toBe(0o600);
});

test("a heart that was started anew in between leaves no half of a capture", () => {
  const [first, second] = piecesOf("became-active", 1) as [CapturePiece, CapturePiece];
  captures.take(second);
  captures.take(first);
  captures.take({ ...second, number: 2 });
  captures.take(second);
  const { head: _, ...headless } = first;
  captures.take(headless);
  captures.take(second);
  captures.take({ ...first, pieces: 1000 });
  captures.take({ ...first, pieces: 3 });
  captures.take({ ...second, piece: 2, pieces: 3 });
  expect(captures.list()).toEqual([]);
  captures.take(first);
  captures.take(second);
  expect(captures.list().length).toBe(1);
});

test("the last eight switches are kept, newest first, and what is not ours is left alone", () => {
  record("handed-over", 0);
  writeFileSync(join(state, "captures", "notes.txt"), "mine");
  for (let at_ms = 1; at_ms <= 9; at_ms++) record("became-active", at_ms);
  expect(captures.list().map(({ at }) => Date.parse(at) - BOOTED_MS)).toEqual([9, 8, 7, 6, 5, 4, 3, 2]);
  expect(readdirSync(join(state, "captures"))).toContain("notes.txt");
});

test("suspicions push out no switch, and come once a minute", () => {
  record("became-active", 0);
  for (let minute = 1; minute <= 10; minute++) {
    now_ms = minute * 60_000;
    record("peer-silent", now_ms);
    record("peer-silent", now_ms + 1);
  }
  const kept = captures.list().map(({ at, code }) => [code, (Date.parse(at) - BOOTED_MS) / 60_000]);
  expect(kept).toEqual([
    ["peer-silent", 10],
    ["peer-silent", 9],
    ["became-active", 0],
  ]);
});

test("what is not in the list is refused by name", () => {
  record("became-active", 1);
  writeFileSync(join(state, "secret"), "key");
  for (const name of ["../secret", "secret", "", "2026-01-02T03-04-06.500Z-became-active.pcapng"])
    expect(() => captures.read(name)).toThrow(`There is no capture ${name};`);
});

test("a disk that refuses costs the capture, and is said", () => {
  writeFileSync(join(state, "captures"), "in its place");
  chmodSync(join(state, "captures"), 0o600);
  record("became-active", 1);
  expect(failures.length).toBe(1);
  expect(failures[0]).toContain("The capture of a switch cannot be written");
});
