/** The commands that talk to a running node. */
import type { LoggedEvent } from "../control/events.ts";
import type { Status } from "../control/node.ts";
import { Failure } from "../errors.ts";
import { ask } from "./client.ts";

const TELL_INTERVAL_MS = 1000;

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

export async function joinCluster(common: Common, nic: string, name: string | undefined): Promise<void> {
  if (!common.json)
    console.log(
      "Cluster creation has started. Go to the active node and create the cluster there; 3600 seconds are allowed. Ctrl+C cancels.",
    );
  const telling = common.json ? undefined : tellWaiting(common);
  try {
    await ask(common.run, "POST", "/cluster/join", { interface: nic, name });
  } finally {
    clearInterval(telling);
  }
  said(common, "This node is now the backup of the cluster.");
}

/** Says what the node waits for, and again when that changes. */
function tellWaiting(common: Common): Timer {
  let told = "";
  return setInterval(async () => {
    const status = await ask<Status>(common.run, "GET", "/status").catch(() => null);
    if (status?.role !== "joining" || status.reason === null || status.reason === told) return;
    told = status.reason;
    console.error(told);
  }, TELL_INTERVAL_MS);
}

export async function createCluster(common: Common, nic: string, matches: string[]): Promise<void> {
  const pairs = matches.map((match) => {
    const [mine, theirs, ...rest] = match.split("=");
    if (!mine || !theirs || rest.length > 0) throw new Failure("usage", `--match ${match} must look like MINE=THEIRS.`);
    return { mine, theirs };
  });
  await ask(common.run, "POST", "/cluster/create", { interface: nic, matches: pairs });
  said(common, "Communication with the server has been established; this node is active.");
}

export async function switchOver(common: Common): Promise<void> {
  await ask(common.run, "POST", "/cluster/switch");
  said(common, "The peer is active now.");
}

export async function destroyCluster(common: Common): Promise<void> {
  await ask(common.run, "POST", "/cluster/destroy");
  said(common, "The cluster was destroyed; this node goes on alone.");
}

export function said(common: Common, text: string): void {
  console.log(common.json ? JSON.stringify({ ok: true, message: text }) : text);
}
