/** What an open page hears: the status where it changes, each new event, and its end. */
import { afterAll, afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Events } from "./events.ts";
import { STREAMS_MAX, Streams } from "./web-stream.ts";

const root = mkdtempSync(join(tmpdir(), "understudy-stream-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let role = "standalone";
let events: Events;
let streams: Streams;

beforeEach(() => {
  role = "standalone";
  events = new Events(root);
  streams = new Streams(() => ({ role }), events);
});
afterEach(() => streams.stop());

/** Reads until `wanted` was said. */
async function heard(stream: ReadableStream<Uint8Array> | null, wanted: string): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  if (stream === null) throw new Error("no stream");
  for await (const part of stream as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(part);
    if (text.includes(wanted)) break;
  }
  return text;
}

test("the status at once, and again where it has changed", async () => {
  const stream = streams.open(() => null);
  setTimeout(() => {
    role = "active";
  }, 50);
  const text = await heard(stream, "active");
  expect(text.split("event: status").length).toBe(3);
  expect(text).toStartWith('event: status\ndata: {"role":"standalone"}\n\n');
});

test("events that happen from then on, whatever is in them", async () => {
  events.add("before", "info", "Not shown.");
  const stream = streams.open(() => null);
  events.add("after", "info", "two\nlines\n\nevent: forged");
  const text = await heard(stream, "forged");
  expect(text).not.toContain("before");
  expect(text).toContain('event: event\ndata: {"at":');
  expect(text).not.toContain("\nevent: forged");
});

test("a comment every second", async () => {
  expect(
    await heard(
      streams.open(() => null),
      ": still here",
    ),
  ).not.toContain("event: end");
});

test("its end where the session has ended, and nothing after it", async () => {
  let ended: { code: string; message: string } | null = null;
  const stream = streams.open(() => ended);
  ended = { code: "no-session", message: "Log in first." };
  role = "active";
  const text = await heard(stream, "never said");
  expect(text).toEndWith('event: end\ndata: {"code":"no-session","message":"Log in first."}\n\n');
  expect(text).not.toContain("active");
});

test("so many and no more; one that goes makes room", async () => {
  const open = Array.from({ length: STREAMS_MAX }, () => streams.open(() => null));
  expect(streams.open(() => null)).toBeNull();
  await open[0]?.cancel();
  expect(streams.open(() => null)).not.toBeNull();
});
