/** Figures in the text format of Prometheus, with names that follow its conventions. */
import { expect, test } from "bun:test";
import { NO_UPDATES } from "../../test/update/none.ts";
import { metricsOf } from "./metrics.ts";
import type { Status } from "./node.ts";

const status = {
  name: 'a "name"\\',
  version: "1.2.3",
  build: 4,
  role: "active",
  term: 7,
  uptime_s: 90,
  operational: true,
  peer: {
    name: "b",
    role: "backup",
    heard: true,
    version: "1.2.3",
    build: 4,
    settings_revision: 8,
    links: [],
    uptime_s: 50,
  },
  paths: [
    { nic: "clu0", slot: 0, network: "cluster", carrier: true, heartbeat: true, heard: true, latency_ms: 0.5, loss: 0 },
    {
      nic: "lan0",
      slot: 1,
      network: "internal",
      carrier: true,
      heartbeat: true,
      heard: false,
      latency_ms: null,
      loss: 1,
    },
  ],
  addresses: [{ address: "10.1.0.1/24", nic: "lan0", held: true }],
  alarms: [{ code: "one-path", message: "" }],
  dropped: { forged: 3 },
  update: NO_UPDATES,
  settings_revision: 9,
  switches: [
    { at: "", code: "became-active", message: "", cause: "silence", outage_ms: 31 },
    { at: "", code: "handed-over", message: "", cause: null, outage_ms: null },
  ],
} as unknown as Status;
const counted = {
  events: { info: 5, warning: 1, error: 0 },
  switches: 2,
  outages: { silence: { count: 2, sum_ms: 71 } },
};

const kindOf = (name: string) =>
  name.endsWith("_total") ? "counter" : name === "understudy_switch_outage_seconds" ? "summary" : "gauge";
const lines = metricsOf(status, counted).split("\n");

test("says what it shows", () => {
  for (const line of [
    'understudy_build_info{node="a \\"name\\"\\\\",version="1.2.3",build="4"} 1',
    'understudy_role{role="active"} 1',
    'understudy_role{role="backup"} 0',
    "understudy_term 7",
    "understudy_uptime_seconds 90",
    "understudy_peer_uptime_seconds 50",
    'understudy_path_latency_seconds{interface="clu0",network="cluster"} 0.0005',
    'understudy_path_loss_ratio{interface="lan0",network="internal"} 1',
    'understudy_alarms{code="one-path"} 1',
    'understudy_frames_dropped_total{reason="forged"} 3',
    "understudy_settings_revision 9",
    "understudy_peer_settings_revision 8",
    "understudy_switches_total 2",
    'understudy_switch_outage_seconds_sum{cause="silence"} 0.071',
    'understudy_switch_outage_seconds_count{cause="silence"} 2',
    "understudy_last_switch_outage_seconds 0.031",
    'understudy_events_total{severity="warning"} 1',
  ])
    expect(lines).toContain(line);
  expect(lines.some((line) => line.startsWith('understudy_path_latency_seconds{interface="lan0"'))).toBe(false);
});

test("every figure is announced once, before its samples, and counters say that they are", () => {
  const announced = lines.filter((line) => line.startsWith("# TYPE")).map((line) => line.split(" ").slice(2));
  expect(new Set(announced.map(([name]) => name)).size).toBe(announced.length);
  for (const [name = "", type] of announced) expect([name, type]).toEqual([name, kindOf(name)]);
  for (const line of lines)
    if (line !== "") expect(line).toMatch(/^(# (HELP|TYPE) understudy_|understudy_\w+(\{[^}]*\})? [\d.e+-]+$)/);
});
