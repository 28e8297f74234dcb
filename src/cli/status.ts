/** `understudy status`: the node at a glance. */
import type { Status } from "../control/node.ts";
import { ask } from "./client.ts";

const WATCH_INTERVAL_MS = 500;

export async function showStatus(run: string, options: { json: boolean; watch: boolean }): Promise<void> {
  for (;;) {
    const status = await ask<Status>(run, "GET", "/status");
    if (options.json) console.log(JSON.stringify(status, null, options.watch ? 0 : 2));
    else console.log((options.watch ? "\x1b[H\x1b[2J" : "") + statusText(status));
    if (!options.watch) return;
    await Bun.sleep(WATCH_INTERVAL_MS);
  }
}

export function statusText(status: Status): string {
  const lines = [
    `${status.name}   ${status.role}${status.term > 0 ? `, term ${status.term}` : ""}   version ${status.version} build ${status.build}`,
    status.operational ? "The cluster is operational." : `Not operational: ${status.reason ?? "unknown"}`,
  ];
  const { peer } = status;
  if (peer !== null) lines.push("", `peer       ${peer.name}   ${peer.heard ? peer.role : "not heard"}`);
  status.paths.forEach((path, index) => {
    const latency = path.latency_ms === null ? "" : `${path.latency_ms.toFixed(2)} ms`;
    const loss = path.loss > 0.005 ? `loss ${(path.loss * 100).toFixed(0)} %` : "";
    const heard = path.heard ? "heard" : "not heard";
    const state = path.carrier ? (path.heartbeat ? heard : "off") : "no link";
    lines.push(
      `${index === 0 ? "paths" : "     "}      ${path.nic.padEnd(10)} ${path.network.padEnd(9)} ${state.padEnd(10)} ${latency} ${loss}`.trimEnd(),
    );
  });
  status.addresses.forEach(({ address, nic, held }, index) => {
    lines.push(
      `${index === 0 ? "addresses" : "         "}  ${address.padEnd(20)} ${nic.padEnd(10)} ${held ? "held here" : "not held here"}`,
    );
  });
  lines.push(`settings   revision ${status.settings_revision}${syncText(status.sync)}`);
  for (const { title, state } of status.services.filter(({ wanted }) => wanted))
    lines.push(`services   ${title}: ${state}`);
  if (status.watchdog !== null)
    lines.push(`watchdog   ${status.watchdog.device}   ${status.watchdog.armed ? "armed" : "NOT armed"}`);
  if (status.license.state !== "valid") lines.push(`license    WARNING: ${status.license.message}`);
  for (const { message } of status.alarms) lines.push("", `ALARM: ${message}`);
  if (status.switches.length > 0) lines.push("", "last switches");
  for (const { at, message, outage_ms } of status.switches)
    lines.push(
      `  ${at}  ${message}${outage_ms === null ? "" : `  outage ${outage_ms === 0 ? "below 1" : outage_ms} ms`}`,
    );
  return lines.join("\n");
}

function syncText({ state, peer_revision }: Status["sync"]): string {
  const there = peer_revision === null ? "" : ` (revision ${peer_revision} there)`;
  if (state === "standalone") return "";
  if (state === "in-sync") return ", the same on the peer";
  if (state === "away") return ", not compared: the peer is not connected";
  if (state === "diverged") return `, WARNING: changed apart from the peer${there}`;
  return `, ${state === "behind" ? "behind" : "ahead of"} the peer${there}`;
}
