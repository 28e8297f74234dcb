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
  const cpu_ms = (process.cpuUsage().user + process.cpuUsage().system) / 1000;
  return [
    `${seeds} seeds, ${(simulated_us / 3.6e9).toFixed(2)} simulated hours, ${faults} faults, ${claims} claims`,
    `${Math.round((seeds / cpu_ms) * 60_000)} seeds a minute of a core's time, ${Math.round((seeds / took_ms) * 60_000)} a minute of the clock`,
    `faults: ${list(coverage.faults)}`,
    `transitions: ${list(coverage.causes)}`,
    `two owners, within the honest limits: ${list(coverage.overlaps)}; longest, ms: ${longest(coverage.overlaps_max_us)}`,
    `outages by the latest fault: ${list(coverage.outages)}; longest, ms: ${longest(coverage.outages_max_us)}`,
    `most frames out of a node in 100 ms: ${coverage.frames_per_100ms_max}; most claims beyond the first and one per fault: ${coverage.claims_beyond_faults_max}`,
  ].join("\n");
}
