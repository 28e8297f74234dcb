/** `npm run bench idle`: what a node costs while nothing happens, and how fast it starts. */
import { readFileSync } from "node:fs";
import { Pair } from "../lab/pair.ts";
import type { Side } from "../lab/topology.ts";

const WINDOW_S = 30;
const TICKS_PER_SECOND = 100;

function cpu_ticks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

function memory_kb(pid: number, kind: "Rss" | "Pss"): number {
  return Number(
    new RegExp(`^${kind}:\\s+(\\d+)`, "m").exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? 0,
  );
}

export async function idle(): Promise<void> {
  const started_ms = performance.now();
  const pair = await Pair.make({ observed: false });
  const paired_ms = performance.now() - started_ms;
  try {
    await Bun.sleep(3000);
    const sides: Side[] = ["a", "b"];
    const before = sides.map((side) =>
      pair
        .node(side)
        .processes()
        .map(({ pid }) => cpu_ticks(pid)),
    );
    await Bun.sleep(WINDOW_S * 1000);
    for (const [index, side] of sides.entries()) {
      const processes = pair.node(side).processes();
      const role = await pair.node(side).role();
      const parts = processes.map(({ pid, part }, i) => {
        const percent = ((cpu_ticks(pid) - (before[index]?.[i] ?? 0)) / TICKS_PER_SECOND / WINDOW_S) * 100;
        return { part, percent, pss_mb: memory_kb(pid, "Pss") / 1024, rss_mb: memory_kb(pid, "Rss") / 1024 };
      });
      const sum = (pick: (part: (typeof parts)[number]) => number) =>
        parts.reduce((total, part) => total + pick(part), 0);
      console.log(
        `${role.padEnd(7)} CPU ${sum((part) => part.percent).toFixed(2)} % of one core (${parts.map((part) => `${part.part} ${part.percent.toFixed(2)}`).join(", ")}), memory ${sum((part) => part.pss_mb).toFixed(0)} MB PSS, ${sum((part) => part.rss_mb).toFixed(0)} MB RSS`,
      );
    }
    const start_ms: number[] = [];
    for (let run = 0; run < 5; run++) {
      await pair.b.stop();
      const at_ms = performance.now();
      await pair.b.start();
      start_ms.push(performance.now() - at_ms);
    }
    console.log(
      `start   ${Math.min(...start_ms).toFixed(0)} to ${Math.max(...start_ms).toFixed(0)} ms to the first status; two fresh nodes paired and carrying traffic after ${(paired_ms / 1000).toFixed(1)} s, the lab's own set-up included`,
    );
  } finally {
    pair.lab.remove();
  }
}
