/** Figures for Prometheus, in its text format (version 0.0.4), from what the status shows. */
import type { SwitchCause } from "../heart/messages.ts";
import type { Status } from "./node.ts";

type Labels = Record<string, string | number>;

const ROLES = ["standalone", "joining", "starting", "listening", "backup", "probing", "active", "resuming"];
const SEVERITIES = ["info", "warning", "error"] as const;

export interface Counted {
  /** Since this process was started. */
  events: Record<(typeof SEVERITIES)[number], number>;
  switches: number;
  /** Of switches to this node whose outage is known. */
  outages: Partial<Record<SwitchCause, { count: number; sum_ms: number }>>;
}

class Page {
  #lines: string[] = [];

  add(name: string, type: "gauge" | "counter", help: string, samples: [Labels, number | null][]): void {
    const known = samples.filter((sample): sample is [Labels, number] => sample[1] !== null);
    if (known.length === 0) return;
    this.#lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    for (const [labels, value] of known) this.#lines.push(`${name}${inBraces(labels)} ${value}`);
  }

  /** A summary without quantiles: an average over any time is the increase of the one by that of the other. */
  summary(name: string, help: string, samples: [Labels, { count: number; sum: number }][]): void {
    if (samples.length === 0) return;
    this.#lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} summary`);
    for (const [labels, { count, sum }] of samples)
      this.#lines.push(`${name}_sum${inBraces(labels)} ${sum}`, `${name}_count${inBraces(labels)} ${count}`);
  }

  toString(): string {
    return `${this.#lines.join("\n")}\n`;
  }
}

export function metricsOf(status: Status, counted: Counted): string {
  const page = new Page();
  const { name, version, build, peer, paths, role } = status;
  const each = (value: (path: Status["paths"][number]) => number | null): [Labels, number | null][] =>
    paths.map((path) => [{ interface: path.nic, network: path.network }, value(path)]);
  page.add("understudy_build_info", "gauge", "What runs here.", [[{ node: name, version, build }, 1]]);
  page.add(
    "understudy_role",
    "gauge",
    "1 for the role that this node has.",
    ROLES.map((one) => [{ role: one }, Number(one === role)]),
  );
  page.add("understudy_term", "gauge", "Number of the last claim to be active.", [[{}, status.term]]);
  page.add("understudy_operational", "gauge", "Whether the cluster is operational.", [
    [{}, Number(status.operational)],
  ]);
  page.add("understudy_uptime_seconds", "gauge", "For how long this node has been running.", [[{}, status.uptime_s]]);
  page.add("understudy_peer_uptime_seconds", "gauge", "For how long the peer has been running.", [
    [{}, peer?.uptime_s ?? null],
  ]);
  page.add("understudy_peer_heard", "gauge", "Whether the peer is heard on any path.", [
    [{}, peer === null ? null : Number(peer.heard)],
  ]);
  page.add(
    "understudy_path_up",
    "gauge",
    "Whether the peer is heard on this path.",
    each(({ heard }) => Number(heard)),
  );
  page.add(
    "understudy_path_carrier",
    "gauge",
    "Whether the link has carrier.",
    each(({ carrier }) => Number(carrier)),
  );
  page.add(
    "understudy_path_latency_seconds",
    "gauge",
    "Round trip of heartbeats, median of the recent ones.",
    each(({ latency_ms }) => (latency_ms === null ? null : latency_ms / 1000)),
  );
  page.add(
    "understudy_path_loss_ratio",
    "gauge",
    "Share of the peer's last heartbeats that did not arrive.",
    each(({ loss }) => loss),
  );
  page.add(
    "understudy_address_held",
    "gauge",
    "Whether this node holds the address.",
    status.addresses.map(({ address, nic, held }) => [{ address, interface: nic }, Number(held)]),
  );
  const { plan, running } = status.update;
  page.add("understudy_update_state", "gauge", "1 for the state of the latest update; none where there was none.", [
    [{ state: plan?.state ?? "none" }, 1],
  ]);
  page.add("understudy_version_blessed", "gauge", "Whether the version that runs has proved itself.", [
    [{}, Number(running.blessed)],
  ]);
  page.add(
    "understudy_alarms",
    "gauge",
    "Alarms at this moment.",
    status.alarms.length === 0 ? [[{}, 0]] : alarms(status),
  );
  page.add(
    "understudy_frames_dropped_total",
    "counter",
    "Frames that were not taken, by reason.",
    Object.entries(status.dropped).map(([reason, count]) => [{ reason }, count]),
  );
  page.add("understudy_settings_revision", "gauge", "Revision of this node's settings.", [
    [{}, status.settings_revision],
  ]);
  page.add("understudy_peer_settings_revision", "gauge", "Revision of the peer's settings.", [
    [{}, peer === null || !peer.heard ? null : peer.settings_revision],
  ]);
  page.add("understudy_switches_total", "counter", "How often this node became active or stopped being so.", [
    [{}, counted.switches],
  ]);
  page.summary(
    "understudy_switch_outage_seconds",
    "From the peer's last word as the active node until this one claimed, by cause.",
    Object.entries(counted.outages).map(([cause, { count, sum_ms }]) => [{ cause }, { count, sum: sum_ms / 1000 }]),
  );
  page.add("understudy_last_switch_outage_seconds", "gauge", "The same of the last switch to this node.", [
    [{}, lastOutage_s(status)],
  ]);
  page.add(
    "understudy_events_total",
    "counter",
    "Events of this node.",
    SEVERITIES.map((severity) => [{ severity }, counted.events[severity]]),
  );
  return page.toString();
}

function alarms({ alarms: all }: Status): [Labels, number][] {
  const counts = new Map<string, number>();
  for (const { code } of all) counts.set(code, (counts.get(code) ?? 0) + 1);
  return [...counts].map(([code, count]) => [{ code }, count]);
}

function lastOutage_s({ switches }: Status): number | null {
  const outage_ms = switches.findLast(({ code }) => code === "became-active")?.outage_ms ?? null;
  return outage_ms === null ? null : outage_ms / 1000;
}

function inBraces(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(String(value))}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
