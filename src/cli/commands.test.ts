/** What `events --follow` makes of the stream: each event, and the status where something that it tells has changed. */
import { expect, test } from "bun:test";
import { type Followed, readStream } from "./commands.ts";

const status = (change: object) =>
  `event: status\ndata: ${JSON.stringify({ role: "backup", term: 2, operational: true, settings_revision: 5, uptime_s: 1, ...change })}\n\n`;
const EVENT = { at: "2026-11-25T10:00:00.000Z", code: "became-active", severity: "info", message: "two\nlines" };

/** In pieces of so many bytes. */
async function read(text: string, size: number): Promise<Followed[]> {
  const bytes = new TextEncoder().encode(text);
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.subarray(at, at + size));
      controller.close();
    },
  });
  const said: Followed[] = [];
  for await (const message of readStream(stream)) said.push(message);
  return said;
}

for (const size of [1, 7, 100_000])
  test(`in pieces of ${size} bytes`, async () => {
    const text = [
      status({}),
      ": still here\n\n",
      status({ uptime_s: 2 }),
      `event: event\ndata: ${JSON.stringify(EVENT)}\n\n`,
      `: still here\n\n`,
      status({ role: "active", term: 3, uptime_s: 3 }),
      "event: other\ndata: {}\n\n",
      status({ role: "ended" }).slice(0, -1),
    ].join("");
    expect(await read(text, size)).toEqual([
      { type: "status", role: "backup", term: 2, operational: true, settings_revision: 5 },
      { type: "event", ...EVENT } as Followed,
      { type: "status", role: "active", term: 3, operational: true, settings_revision: 5 },
    ]);
  });
