/**
 * `npm run bench failover`: this project and keepalived in the same namespaces, in turn. What is
 * measured is a client's longest gap through the gateway at one probe a millisecond.
 */
import { parseArgs } from "node:util";
import type { ProbeReport } from "../lab/instrument.ts";
import { Pair } from "../lab/pair.ts";
import { ensurePrerequisites } from "../lab/prerequisites.ts";
import { until } from "../lab/shell.ts";
import type { Side } from "../lab/topology.ts";
import { KeepalivedPair } from "./keepalived.ts";
import { positiveNumber, printTable, type Row } from "./statistics.ts";

const OURS = "understudy";
const FASTEST = "keepalived, 10 ms adverts";
const ADVERTS = [
  { who: FASTEST, advert_s: "0.01", settle_ms: 1000, window_ms: 400 },
  { who: "keepalived, 100 ms adverts", advert_s: "0.1", settle_ms: 1500, window_ms: 1000 },
  { who: "keepalived, 1 s adverts", advert_s: "1", settle_ms: 5000, window_ms: 4500 },
];
const RUNS_PER_TURN = 5;
/** A mended link counts as healthy after two seconds. */
const SETTLE_MS = 2500;
/** Faults come at any moment between two heartbeats. */
const PHASE_MS = 50;

const other = (side: Side): Side => (side === "a" ? "b" : "a");
const phase = () => Bun.sleep(100 + Math.random() * PHASE_MS);

async function ours(runs: number, only: string): Promise<Row[]> {
  const pair = await Pair.make({ observed: false });
  let active: Side = "a";
  const faults: [string, (from: Side) => Promise<void> | void, (from: Side) => Promise<void> | void][] = [
    ["freeze", (from) => pair.node(from).freeze(), (from) => pair.node(from).thaw()],
    ["SIGKILL of all", (from) => pair.node(from).kill(), (from) => pair.node(from).start()],
    ["clean stop", (from) => pair.node(from).stop(), (from) => pair.node(from).start()],
    ["planned switch", (from) => void pair.node(from).command(["cluster", "switch"]), () => {}],
    ["LAN cable pulled", (from) => pair.lab.cable(from, "lan0", false), (from) => pair.lab.cable(from, "lan0", true)],
  ];
  try {
    const rows: Row[] = [];
    for (const [fault, strike, mend] of faults.filter(([name]) => name.includes(only))) {
      const gaps_ms: number[] = [];
      for (let run = 0; run < runs; run++) {
        await pair.untilSteady(active);
        await Bun.sleep(SETTLE_MS);
        pair.mark();
        await phase();
        await strike(active);
        await pair.node(other(active)).untilRole("active");
        await Bun.sleep(300);
        gaps_ms.push(await pair.outage_ms());
        await mend(active);
        active = other(active);
      }
      rows.push({ who: OURS, fault, gaps_ms, two_owners: 0 });
      console.error(`  ${OURS}: ${fault} done`);
    }
    return rows;
  } finally {
    pair.lab.remove();
  }
}

async function keepalived(
  { who, advert_s, settle_ms, window_ms }: (typeof ADVERTS)[number],
  runs: number,
  only: string,
): Promise<Row[]> {
  const rows: Row[] = [];
  const faults = ["freeze", "SIGKILL of all", "clean stop", "LAN cable pulled"];
  for (const fault of faults.filter((name) => name.includes(only))) {
    const gaps_ms: number[] = [];
    let owners = 0;
    for (let run = 0; run < runs; run++) {
      const pair = new KeepalivedPair(advert_s);
      try {
        await pair.start("a");
        await until("a holds the address", () => pair.holds("a"), 30_000);
        await pair.start("b");
        await pair.untilTraffic();
        await Bun.sleep(settle_ms);
        pair.mark();
        await phase();
        if (fault === "freeze") pair.freeze("a");
        else if (fault === "clean stop") await pair.stop("a");
        else if (fault === "LAN cable pulled") pair.lab.cable("a", "lan0", false);
        else pair.signal("a", "SIGKILL");
        await Bun.sleep(window_ms);
        if ((await pair.judge.offences(1)).length > 0) owners++;
        gaps_ms.push((await pair.probe.report<ProbeReport>()).gap_ms);
      } finally {
        pair.remove();
      }
    }
    rows.push({ who, fault, gaps_ms, two_owners: owners });
    console.error(`  ${who}: ${fault} done`);
  }
  return rows;
}

function addTo(rows: Row[], more: Row[]): void {
  for (const row of more) {
    const same = rows.find(({ who, fault }) => who === row.who && fault === row.fault);
    if (same === undefined) rows.push(row);
    else {
      same.gaps_ms.push(...row.gaps_ms);
      same.two_owners += row.two_owners;
    }
  }
}

export async function failover(words: string[]): Promise<void> {
  // --fastest compares with keepalived's fastest setting alone; --fault picks faults by a part of their name.
  const { values } = parseArgs({
    args: words,
    options: {
      runs: { type: "string", default: "10" },
      json: { type: "boolean", default: false },
      fastest: { type: "boolean", default: false },
      fault: { type: "string", default: "" },
    },
  });
  const runs = Math.ceil(positiveNumber(values.runs, "--runs"));
  ensurePrerequisites([{ command: "keepalived", package: "keepalived" }]);
  const variants = values.fastest ? ADVERTS.slice(0, 1) : ADVERTS;
  const rows: Row[] = [];
  // In turn, so that a slower hour of the machine is everybody's.
  for (let done = 0; done < runs; done += RUNS_PER_TURN) {
    const turn = Math.min(RUNS_PER_TURN, runs - done);
    addTo(rows, await ours(turn, values.fault));
    for (const variant of variants) addTo(rows, await keepalived(variant, turn, values.fault));
  }
  if (values.json) console.log(JSON.stringify(rows));
  else printTable(rows, FASTEST);
}
