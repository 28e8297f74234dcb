/** What a run of simulations has met, and its extremes. */

export type Counts = Record<string, number>;

export class Coverage {
  seeds = 0;
  simulated_us = 0;
  claims = 0;
  readonly faults: Counts = {};
  readonly causes: Counts = {};
  readonly overlaps: Counts = {};
  readonly overlaps_max_us: Counts = {};
  readonly outages: Counts = {};
  readonly outages_max_us: Counts = {};
  frames_per_100ms_max = 0;
  /** Claims beyond the first, less the number of faults. */
  claims_beyond_faults_max = Number.NEGATIVE_INFINITY;

  count(counts: Counts, name: string): void {
    counts[name] = (counts[name] ?? 0) + 1;
  }

  overlapped(excuse: string, lasted_us: number): void {
    this.overlaps_max_us[excuse] = Math.max(this.overlaps_max_us[excuse] ?? 0, lasted_us);
  }

  outage(kind: string, lasted_us: number): void {
    this.count(this.outages, kind);
    this.outages_max_us[kind] = Math.max(this.outages_max_us[kind] ?? 0, lasted_us);
  }

  add(other: Coverage): void {
    this.seeds += other.seeds;
    this.simulated_us += other.simulated_us;
    this.claims += other.claims;
    for (const key of ["faults", "causes", "overlaps", "outages"] as const)
      for (const [name, count] of Object.entries(other[key])) this[key][name] = (this[key][name] ?? 0) + count;
    for (const key of ["overlaps_max_us", "outages_max_us"] as const)
      for (const [name, most] of Object.entries(other[key])) this[key][name] = Math.max(this[key][name] ?? 0, most);
    for (const key of ["frames_per_100ms_max", "claims_beyond_faults_max"] as const)
      this[key] = Math.max(this[key], other[key]);
  }
}
