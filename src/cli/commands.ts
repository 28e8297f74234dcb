/** The commands that talk to a running node. */
import type { LoggedEvent } from "../control/events.ts";
import type { Status } from "../control/node.ts";
import { Failure } from "../errors.ts";
import { ask, listen } from "./client.ts";

export interface Common {
  run: string;
  json: boolean;
}

/** What the stream says, an object a line with --json. */
export type Followed =
  /** At first, and whenever one of these is another one. */
  | ({ type: "status" } & Pick<Status, "role" | "term" | "operational" | "settings_revision">)
  | ({ type: "event" } & LoggedEvent);

/** Until the node ends: then Failure `no-node`. */
export async function followEvents(common: Common): Promise<void> {
  const stream = await listen(common.run, "/events/stream");
  try {
    for await (const message of readStream(stream))
      console.log(common.json ? JSON.stringify(message) : followedText(message));
  } catch (error) {
    // The node's end cuts the connection off; anything else is no end.
    if ((error as { code?: string }).code !== "ECONNRESET") throw error;
  }
  throw new Failure("no-node", `The node at ${common.run} has ended.`);
}

/** Of server-sent events what a program that follows this node needs. */
export async function* readStream(stream: ReadableStream<Uint8Array>): AsyncGenerator<Followed> {
  const decoder = new TextDecoder();
  let text = "";
  let shown = "";
  for await (const chunk of stream) {
    const parts = (text + decoder.decode(chunk, { stream: true })).split("\n\n");
    text = parts.pop() ?? "";
    for (const part of parts) {
      const [, type, data] = /^event: (\w+)\ndata: (.*)$/.exec(part) ?? [];
      if (data === undefined) continue;
      if (type === "event") yield { type, ...(JSON.parse(data) as LoggedEvent) };
      if (type !== "status") continue;
      const { role, term, operational, settings_revision } = JSON.parse(data) as Status;
      const status = { type, role, term, operational, settings_revision } as const;
      if (JSON.stringify(status) === shown) continue;
      shown = JSON.stringify(status);
      yield status;
    }
  }
}

function followedText(message: Followed): string {
  if (message.type === "event") return eventText(message);
  const { role, term, operational, settings_revision } = message;
  return `-- ${role}, term ${term}, ${operational ? "operational" : "not operational"}, settings revision ${settings_revision}`;
}

export async function showEvents(common: Common, last: string | undefined): Promise<void> {
  if (last !== undefined && !/^\d+$/.test(last)) throw new Failure("usage", `--last ${last} must be a whole number.`);
  const events = await ask<LoggedEvent[]>(common.run, "GET", `/events?last=${last ?? 100}`);
  if (common.json) return console.log(JSON.stringify(events, null, 2));
  for (const event of events) console.log(eventText(event));
}

function eventText({ at, severity, code, message }: LoggedEvent): string {
  return `${at}  ${severity.padEnd(7)} ${code.padEnd(20)} ${message}`;
}

export function said(common: Common, text: string): void {
  console.log(common.json ? JSON.stringify({ ok: true, message: text }) : text);
}
