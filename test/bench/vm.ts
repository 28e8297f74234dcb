/**
 * `npm run bench vm`: the appliance image on two virtual machines. All of it in software emulation: a processor that is
 * some ten to thirty times slower than the one it runs on, timings that suit it (test/vm/pair.ts), and two machines
 * that share two processors with whatever measures them.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ensurePrerequisites, QEMU } from "../lab/prerequisites.ts";
import { addAgent, inside } from "../vm/agent.ts";
import { productImage } from "../vm/image.ts";
import { demandTaps } from "../vm/network.ts";
import { BOOT_MS_MAX } from "../vm/node.ts";
import { type Side, TIMINGS, VmPair } from "../vm/pair.ts";
import { median, positiveNumber } from "./statistics.ts";

const other = (side: Side): Side => (side === "a" ? "b" : "a");

interface Fault {
  name: string;
  strike(pair: VmPair, from: Side): Promise<unknown>;
  /** Until the pair is whole again; what that took is printed where it is named. */
  mend(pair: VmPair, from: Side): Promise<unknown>;
  recovery?: string;
}

const FAULTS: Fault[] = [
  { name: "planned switch", strike: (pair) => pair.switchOver(), mend: async () => {} },
  {
    name: "LAN cable pulled",
    strike: (pair, from) => pair.node(from).vm.cable("lan0", false),
    mend: (pair, from) => pair.node(from).vm.cable("lan0", true),
  },
  {
    name: "freeze",
    strike: (pair, from) => pair.node(from).vm.freeze(),
    mend: (pair, from) => pair.node(from).vm.thaw(),
  },
  {
    name: "power cut",
    strike: (pair, from) => pair.node(from).vm.cut(),
    mend: (pair, from) => pair.node(from).start(),
    recovery: "power-on to backup ready",
  },
];

export async function vm(words: string[]): Promise<void> {
  const { values } = parseArgs({ args: words, options: { runs: { type: "string", default: "5" } } });
  const runs = Math.ceil(positiveNumber(values.runs, "--runs"));
  ensurePrerequisites(QEMU);
  demandTaps();
  // Beside the pair's own files: the variant with a shell, which tells how much memory is in use.
  const variant = join(import.meta.dir, "../../build/vm-agent.img");
  addAgent(productImage(), variant, join(import.meta.dir, "../../build"));
  const pair = new VmPair("bench", variant, { agent: true });
  try {
    await bringUp(pair);
    for (const fault of FAULTS) await measure(pair, fault, runs);
    for (const side of ["a", "b"] as const) {
      const role = side === pair.active ? "active" : "backup";
      print(`memory in use, ${role}`, [await memory_mb(pair, side)], "MB");
    }
  } finally {
    pair.remove();
  }
}

async function bringUp(pair: VmPair): Promise<void> {
  const powered_ms = performance.now();
  await pair.a.start();
  await pair.a.expectConsole("This server was installed just now.", BOOT_MS_MAX);
  print("power-on to menu, one machine", [performance.now() - powered_ms], "ms");
  await pair.b.start();
  await pair.b.expectConsole("This server was installed just now.", BOOT_MS_MAX);
  await pair.form();
}

async function measure(pair: VmPair, { name, strike, mend, recovery }: Fault, runs: number): Promise<void> {
  const outages_ms: number[] = [];
  const recoveries_ms: number[] = [];
  for (let run = 0; run < runs; run++) {
    const from = pair.active;
    outages_ms.push(await pair.scenario(other(from), 1, async () => void (await strike(pair, from))));
    const mending_ms = performance.now();
    await mend(pair, from);
    await pair.untilSteady(other(from));
    recoveries_ms.push(performance.now() - mending_ms);
  }
  print(name, outages_ms, "ms");
  if (recovery !== undefined) print(recovery, recoveries_ms, "ms");
}

function print(what: string, values: number[], unit: string): void {
  const figures = `median ${median(values).toFixed(0)}, worst ${Math.max(...values).toFixed(0)} ${unit}`;
  console.log(
    `${what.padEnd(32)} ${figures}, ${values.length} runs (software emulation, heartbeat ${TIMINGS.interval_ms} ms)`,
  );
}

async function memory_mb(pair: VmPair, side: Side): Promise<number> {
  const text = await inside(pair.node(side).vm, "cat /proc/meminfo");
  const of = (field: string) => Number(new RegExp(`^${field}: +(\\d+) kB`, "m").exec(text)?.[1]);
  return (of("MemTotal") - of("MemAvailable")) / 1024;
}
