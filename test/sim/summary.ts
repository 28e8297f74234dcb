/** What a run has covered, for people. */
import type { Counts, Coverage } from "./coverage.ts";

export function summary(coverage: Coverage, took_ms: number): string {
  const { seeds, simulated_us, claims } = coverage;
  const list = (counts: Counts): string =>
    Object.entries(counts)
      .sort(([, one], [, other]) => other - one)
      .map(([name, count]) => `${name} ${count}`)
      .join(", ") || "none";
  const longest = (counts: Counts): string =>
    list(Object.fromEntries(Object.entries(counts).map(([name, most_us]) => [name, Math.round(most_us) / 1000])));
  const faults = Object.values(coverage.faults).reduce((sum, count) => sum + count, 0);
  return [
    `${seeds} seeds, ${(simulated_us / 3.6e9).toFixed(2)} simulated hours, ${faults} faults, ${claims} claims`,
    `${Math.round((seeds / took_ms) * 60_000)} seeds a minute, ${(simulated_us / 1000 / took_ms).toFixed(1)} times as fast as life`,
    `faults: ${list(coverage.faults)}`,
    `transitions: ${list(coverage.causes)}`,
    `two owners, within the honest limits: ${list(coverage.overlaps)}; longest, ms: ${longest(coverage.overlaps_max_us)}`,
    `outages by the latest fault: ${list(coverage.outages)}; longest, ms: ${longest(coverage.outages_max_us)}`,
    `most frames out of a node in 100 ms: ${coverage.frames_per_100ms_max}; most switches per fault: ${coverage.switches_per_fault_max.toFixed(2)}`,
  ].join("\n");
}
