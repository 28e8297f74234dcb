/**
 * `npm run bench connections`: downloads and idle connections through NAT, and what becomes of them when the active node
 * freezes, is told to switch, or has all its processes killed. In turn with replication and without it, so that the
 * takeover times of both are of the same hour of the machine.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type FlowsReport, PACE_MS } from "../lab/flows.ts";
import type { GapsReport, Instrument } from "../lab/instrument.ts";
import { Pair } from "../lab/pair.ts";
import { sh, until } from "../lab/shell.ts";
import { HOST_ADDRESS, type Side } from "../lab/topology.ts";
import { median, positiveNumber } from "./statistics.ts";

const PORT = 7100;
const SCRIPT = `${import.meta.dir}/../lab/flows.ts`;
/** What is older than that has to go on. */
const OLD_MS = 1000;
const AFTER_MS = 500;
/** Connections stand, and the backup has been told of all, by then. */
const STANDING_MS_MAX = 60_000;
/** How long after the first one of a large table it is looked how many are there. */
const TABLE_LOOKS_S = [5, 15, 60];
const WITHOUT = "/nonexistent/conntrackd";

const FAULTS = {
  freeze: [(pair: Pair, side: Side) => pair.node(side).freeze(), (pair: Pair, side: Side) => pair.node(side).thaw()],
  switch: [(pair: Pair, side: Side) => void pair.node(side).command(["cluster", "switch"]), () => {}],
  kill: [(pair: Pair, side: Side) => pair.node(side).kill(), (pair: Pair, side: Side) => pair.node(side).start()],
} as const;
type Fault = keyof typeof FAULTS;
const FAULT_NAMES: readonly Fault[] = ["freeze", "switch", "kill"];

interface Result {
  replicated: boolean;
  fault: Fault;
  takeover_ms: number;
  flows: FlowsReport;
}

async function startFlows(pair: Pair, downloads: number, idle: number): Promise<Instrument> {
  const words = [SCRIPT, "client", HOST_ADDRESS, `${PORT}`, `${downloads}`, `${idle}`];
  const flows = pair.lab.script("client", words);
  await Promise.race([
    flows.line(),
    Bun.sleep(STANDING_MS_MAX).then(() => Promise.reject(new Error("The connections do not come about."))),
  ]);
  await Bun.sleep(OLD_MS);
  return flows;
}

const makePair = (replicated: boolean): Promise<Pair> =>
  Pair.make({ observed: false, options: replicated ? [] : ["--conntrackd", WITHOUT] });

async function turn(replicated: boolean, faults: readonly Fault[], downloads: number, idle: number): Promise<Result[]> {
  const pair = await makePair(replicated);
  const results: Result[] = [];
  const ready = async (side: Side) =>
    until(`node ${side} replicates`, async () => (await pair.node(side).status())?.services[0]?.state === "running");
  try {
    await pair.lab.script("host", [SCRIPT, "server", HOST_ADDRESS, `${PORT}`]).line();
    for (const fault of faults) {
      const { active, backup } = pair;
      const [strike, mend] = FAULTS[fault];
      if (replicated) for (const side of [active, backup]) await ready(side);
      await pair.untilSettled();
      const flows = await startFlows(pair, downloads, idle);
      flows.mark();
      pair.mark();
      strike(pair, active);
      await pair.node(backup).untilRole("active");
      await Bun.sleep(AFTER_MS);
      const takeover_ms = await pair.outage_ms();
      const report = await flows.report<FlowsReport>();
      results.push({ replicated, fault, takeover_ms, flows: report });
      flows.end();
      await mend(pair, active);
      pair.active = backup;
      const { downloads: loads, idle: idles } = report;
      console.error(
        `  ${replicated ? "with" : "without"} replication, ${fault}: takeover ${takeover_ms.toFixed(1)} ms; ${loads.going} downloads go on (${loads.median_ms.toFixed(0)}, ${loads.worst_ms.toFixed(0)} ms), ${idles.answered} idle ones (${idles.median_ms.toFixed(0)}, ${idles.worst_ms.toFixed(0)} ms)`,
      );
    }
    return results;
  } finally {
    pair.remove();
  }
}

export async function connections(words: string[]): Promise<void> {
  const { values } = parseArgs({
    args: words,
    options: {
      runs: { type: "string", default: "3" },
      downloads: { type: "string", default: "1000" },
      idle: { type: "string", default: "1000" },
      json: { type: "boolean", default: false },
      table: { type: "string", default: "200000" },
      fault: { type: "string", default: "" },
      only: { type: "string", default: "" },
    },
  });
  const count = (flag: "runs" | "downloads" | "idle" | "table") => Math.ceil(positiveNumber(values[flag], `--${flag}`));
  const [runs, downloads, idle] = [count("runs"), count("downloads"), count("idle")];
  // --only table leaves out the rest.
  const tables = async (): Promise<void> => {
    for (const replicated of [true, false]) await fullTable(count("table"), replicated);
  };
  if (values.only === "table") return await tables();
  const faults = FAULT_NAMES.filter((name) => name.includes(values.fault));
  const results: Result[] = [];
  for (let run = 0; run < runs; run++)
    for (const replicated of [true, false]) results.push(...(await turn(replicated, faults, downloads, idle)));
  if (values.json) return console.log(JSON.stringify(results));
  print(results, faults);
  await tables();
}

/** So many connections within a moment: what the backup gets of them, and whether heartbeats and traffic notice. */
async function fullTable(entries: number, replicated: boolean): Promise<void> {
  const pair = await makePair(replicated);
  const known = (side: Side): number =>
    Number(sh(pair.lab.inside(side, ["cat", "/proc/sys/net/netfilter/nf_conntrack_count"])));
  try {
    await pair.untilSettled();
    const beats = pair.lab.instrument("clu", ["gaps", "p-a"]);
    await Bun.sleep(AFTER_MS);
    const table = join(pair.lab.directory, "table.txt");
    writeFileSync(table, Array.from({ length: entries }, (_, index) => entryOf(index)).join("\n"));
    const gaps = async (): Promise<string> => {
      const { gap_ms } = await beats.report<GapsReport>();
      return `longest time between two heartbeats ${gap_ms.toFixed(1)} ms, client's longest gap ${(await pair.outage_ms()).toFixed(1)} ms`;
    };
    const mark = (): void => {
      beats.mark();
      pair.mark();
    };
    mark();
    const from_ms = performance.now();
    sh(pair.lab.inside("a", ["conntrack", "-R", table]), { allow_failure: true });
    const load_s = (performance.now() - from_ms) / 1000;
    console.log(
      `\n${known("a")} connections on the active node, ${replicated ? "with" : "without"} replication, loaded in ${load_s.toFixed(1)} s: ${await gaps()}`,
    );
    mark();
    for (const after_s of TABLE_LOOKS_S) {
      await Bun.sleep(Math.max(0, from_ms + after_s * 1000 - performance.now()));
      console.log(`on the backup after ${after_s} s: ${known("b")}`);
    }
    console.log(`since it was loaded: ${await gaps()}`);
    console.log(`the active node is ${(await pair.a.role()) === "active" ? "still" : "NOT"} node a`);
  } finally {
    pair.remove();
  }
}

/** A stream of UDP, as a file for `conntrack -R`. */
function entryOf(index: number): string {
  const [client, port] = [`192.0.${(index >> 8) & 255}.${index & 255}`, 1024 + (index >> 16)];
  const [there, back] = [`-s ${client} -d 198.51.100.7`, `-r 198.51.100.7 -q ${client}`];
  return `-A -t 600 -u SEEN_REPLY,ASSURED ${there} ${back} -p udp --sport ${port} --dport 9 --reply-port-src 9 --reply-port-dst ${port}`;
}

function print(results: Result[], faults: readonly Fault[]): void {
  const row = (cells: string[]) =>
    console.log(cells.map((cell, index) => cell.padStart([11, 8, 15, 20, 15, 20, 7, 18][index] ?? 8)).join(" "));
  console.log(`\nA download is a piece every ${PACE_MS} ms; times are in ms, median and worst.`);
  row(["replication", "fault", "downloads on", "stood still", "idle on", "answered after", "UDP on", "takeover"]);
  for (const replicated of [true, false])
    for (const fault of faults) {
      const mine = results.filter((result) => result.replicated === replicated && result.fault === fault);
      const sum = (of: (flows: FlowsReport) => number) => mine.reduce((total, { flows }) => total + of(flows), 0);
      const times = (of: (result: Result) => { median_ms: number; worst_ms: number }) => {
        const all = mine.map(of);
        return `${median(all.map(({ median_ms }) => median_ms)).toFixed(0)}, ${Math.max(...all.map(({ worst_ms }) => worst_ms)).toFixed(0)}`;
      };
      const takeovers = mine.map(({ takeover_ms }) => takeover_ms);
      row([
        replicated ? "on" : "off",
        fault,
        `${sum(({ downloads }) => downloads.going)} of ${sum(({ downloads }) => downloads.all)}`,
        times(({ flows }) => flows.downloads),
        `${sum((flows) => flows.idle.answered)} of ${sum((flows) => flows.idle.all)}`,
        times(({ flows }) => flows.idle),
        `${sum(({ stream }) => (stream.going ? 1 : 0))} of ${mine.length}`,
        `${median(takeovers).toFixed(1)}, ${Math.max(...takeovers).toFixed(1)}`,
      ]);
    }
  for (const fault of faults) {
    const middle = (replicated: boolean) =>
      median(
        results
          .filter((result) => result.replicated === replicated && result.fault === fault)
          .map(({ takeover_ms }) => takeover_ms),
      );
    console.log(`takeover with replication to without, ${fault}: ${(middle(true) / middle(false)).toFixed(2)}`);
  }
}
