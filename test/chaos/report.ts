/** Outages by kind of fault: single ones by what happened to which node, overlapping ones by how many there were. */
import type { RunResult } from "./runner.ts";
import { KINDS } from "./schedule.ts";

export interface Outages {
  what: string;
  overlapping: boolean;
  count: number;
  median_ms: number;
  worst_ms: number;
  all_ms: number[];
}

/** Single faults first, by kind; what happens to the active node before what happens to the backup. */
export function outages({ rounds }: Pick<RunResult, "rounds">): Outages[] {
  const groups = new Map<string, Outages>();
  for (const { round, outage_ms } of rounds) {
    const [first] = round.faults;
    if (first === undefined) continue;
    const overlapping = round.faults.length > 1;
    const victim = "victims" in KINDS[first.kind] ? `, ${first.victim}` : "";
    const what = overlapping ? `${round.faults.length} faults at once` : `${first.kind}${victim}`;
    const group = groups.get(what) ?? { what, overlapping, count: 0, median_ms: 0, worst_ms: 0, all_ms: [] };
    group.all_ms.push(outage_ms);
    groups.set(what, group);
  }
  const order = Object.keys(KINDS);
  const rank = ({ what, overlapping }: Outages) =>
    overlapping ? order.length + what.charCodeAt(0) : order.findIndex((kind) => what.startsWith(kind));
  return [...groups.values()]
    .map((group) => {
      const all_ms = group.all_ms.sort((one, other) => one - other);
      const count = all_ms.length;
      const median_ms = ((all_ms[(count - 1) >> 1] ?? 0) + (all_ms[count >> 1] ?? 0)) / 2;
      return { ...group, count, median_ms, worst_ms: all_ms.at(-1) ?? 0 };
    })
    .sort((one, other) => rank(one) - rank(other) || (one.what < other.what ? -1 : 1));
}

export function table(figures: Outages[]): string {
  const width = Math.max(...figures.map(({ what }) => what.length), 20);
  const rows = figures.map(
    ({ what, count, median_ms, worst_ms }) =>
      `  ${what.padEnd(width)}  ${String(count).padStart(5)}  ${median_ms.toFixed(1).padStart(9)} ms  ${worst_ms.toFixed(1).padStart(9)} ms`,
  );
  return ["", `  ${"client's outage".padEnd(width)}  count        median         worst`, ...rows].join("\n");
}
