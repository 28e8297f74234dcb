/** The commands that talk to a running node. */
import type { LoggedEvent } from "../control/events.ts";
import { Failure } from "../errors.ts";
import { ask } from "./client.ts";

export interface Common {
  run: string;
  json: boolean;
}

export async function showEvents(common: Common, last: string | undefined): Promise<void> {
  if (last !== undefined && !/^\d+$/.test(last)) throw new Failure("usage", `--last ${last} must be a whole number.`);
  const events = await ask<LoggedEvent[]>(common.run, "GET", `/events?last=${last ?? 100}`);
  if (common.json) return console.log(JSON.stringify(events, null, 2));
  for (const { at, severity, code, message } of events)
    console.log(`${at}  ${severity.padEnd(7)} ${code.padEnd(20)} ${message}`);
}

export function said(common: Common, text: string): void {
  console.log(common.json ? JSON.stringify({ ok: true, message: text }) : text);
}
