/** What the process that faces the network may say, and what it may not bring about by it. */
import { expect, test } from "bun:test";
import { until } from "../../test/lab/shell.ts";
import { WebProcess } from "./web-process.ts";

const CONFIGURATION = { hostname: "127.0.0.1", port: 8443, certificate: "", key: "", refused_addresses: [] };

/** The events of a web process that says `words` and then lives on, or ends. */
async function eventsAfter(words: string, script = 'printf %s "$0"; exec sleep 60'): Promise<string[]> {
  const events: string[] = [];
  let closed = false;
  const spawn = () => {
    const child = Bun.spawn(["sh", "-c", script, words], { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
    void child.exited.then(() => {
      closed = true;
    });
    return child;
  };
  const web = new WebProcess(
    { event: (code, _, message) => events.push(`${code} ${message}`) },
    "/",
    CONFIGURATION,
    spawn,
  );
  web.start();
  // A line that has been written is read in one of the next turns.
  await Bun.sleep(300);
  web.stop();
  await until("it has ended", () => closed);
  return events;
}

for (const line of ["null", "7", "stray", '{"type":"other"}', '{"type":"failed"}'])
  test(`a line that is none of its own does not end the control process: ${line}`, async () => {
    expect((await eventsAfter(`${line}\n`)).length).toBeLessThan(2);
  });

test("it says once whether it serves; whoever has broken into it fills no history with more", async () => {
  const [failed, ready] = ['{"type":"failed","message":"x"}', '{"type":"ready","rights":"some"}'];
  const events = await eventsAfter(`${failed}\n${ready}\n`.repeat(500));
  expect(events).toEqual(["web-failed The web interface cannot serve at 127.0.0.1:8443: x."]);
});

test("what it says reaches a terminal as plain text", async () => {
  const events = await eventsAfter(`${JSON.stringify({ type: "failed", message: "a\u001b[2Jb\nc" })}\n`);
  expect(events).toEqual(["web-failed The web interface cannot serve at 127.0.0.1:8443: a[2Jbc."]);
});

test("what it goes on to say is not read", async () => {
  const flood = 'echo \'{"type":"ready","rights":"none"}\'; yes "$0"; exec sleep 60';
  const events = await eventsAfter("x", flood);
  expect(events).toEqual([]);
});
