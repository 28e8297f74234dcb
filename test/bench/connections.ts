/**
 * `npm run bench connections`: downloads and idle connections through NAT, and what becomes of them when the active node
 * freezes, is told to switch, or has all its processes killed. In turn with replication and without it, so that the
 * takeover times of both are of the same hour of the machine.
 */
import { parseArgs } from "node:util";
import { type FlowsReport, PACE_MS } from "../lab/flows.ts";
import type { Instrument } from "../lab/instrument.ts";
import { Pair } from "../lab/pair.ts";
import { until } from "../lab/shell.ts";
import { HOST_ADDRESS, type Side } from "../lab/topology.ts";
import { median, positiveNumber } from "./statistics.ts";

const PORT = 7100;
const SCRIPT = `${import.meta.dir}/../lab/flows.ts`;
/** What is older than that has to go on. */
const OLD_MS = 1000;
const AFTER_MS = 500;
/** Connections stand, and the backup has been told of all, by then. */
const STANDING_MS_MAX = 60_000;
const WITHOUT = "/nonexistent/conntrackd";

const FAULTS = {
  freeze: [(pair: Pair, side: Side) => pair.node(side).freeze(), (pair: Pair, side: Side) => pair.node(side).thaw()],
  switch: [(pair: Pair, side: Side) => void pair.node(side).command(["cluster", "switch"]), () => {}],
  kill: [(pair: Pair, side: Side) => pair.node(side).kill(), (pair: Pair, side: Side) => pair.node(side).start()],
} as const;
type Fault = keyof typeof FAULTS;

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

async function turn(replicated: boolean, downloads: number, idle: number): Promise<Result[]> {
  const pair = await Pair.make({ observed: false, options: replicated ? [] : ["--conntrackd", WITHOUT] });
  const results: Result[] = [];
  const ready = async (side: Side) =>
    until(`node ${side} replicates`, async () => (await pair.node(side).status())?.services[0]?.state === "running");
  try {
    await pair.lab.script("host", [SCRIPT, "server", HOST_ADDRESS, `${PORT}`]).line();
    for (const fault of ["freeze", "switch", "kill"] as const) {
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
      results.push({ replicated, fault, takeover_ms, flows: await flows.report<FlowsReport>() });
      flows.end();
      await mend(pair, active);
      pair.active = backup;
      console.error(`  ${replicated ? "with" : "without"} replication: ${fault} done`);
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
    },
  });
  const count = (flag: "runs" | "downloads" | "idle") => Math.ceil(positiveNumber(values[flag], `--${flag}`));
  const [runs, downloads, idle] = [count("runs"), count("downloads"), count("idle")];
  const results: Result[] = [];
  for (let run = 0; run < runs; run++)
    for (const replicated of [true, false]) results.push(...(await turn(replicated, downloads, idle)));
  if (values.json) return console.log(JSON.stringify(results));
  print(results);
}

function print(results: Result[]): void {
  const row = (cells: string[]) =>
    console.log(cells.map((cell, index) => cell.padStart([11, 8, 15, 20, 15, 20, 7, 18][index] ?? 8)).join(" "));
  console.log(`\nA download is a piece every ${PACE_MS} ms; times are in ms, median and worst.`);
  row(["replication", "fault", "downloads on", "stood still", "idle on", "answered after", "UDP on", "takeover"]);
  for (const replicated of [true, false])
    for (const fault of ["freeze", "switch", "kill"] as const) {
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
  for (const fault of ["freeze", "switch", "kill"] as const) {
    const middle = (replicated: boolean) =>
      median(
        results
          .filter((result) => result.replicated === replicated && result.fault === fault)
          .map(({ takeover_ms }) => takeover_ms),
      );
    console.log(`takeover with replication to without, ${fault}: ${(middle(true) / middle(false)).toFixed(2)}`);
  }
}
