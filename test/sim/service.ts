/**
 * Does the client's traffic flow? Its way is followed whenever anything on it may have changed, which comes to the
 * same as a packet in every instant. The bounds in which it must flow again are stated here.
 */
import type { Tuning } from "../../src/heart/messages.ts";
import { ASK_INTERVAL_US } from "./hosts.ts";
import type { Plan } from "./plan.ts";
import type { World } from "./world.ts";

/** core/evidence.ts: the addresses are asked for so often. */
const PROBE_INTERVAL_US = 3000;
/** core/election.ts: a hand-over that is not answered is given up after this. */
const HAND_OVER_US = 500_000;
const SLACK_US = 10_000;

/**
 * After a node stops serving (freeze, hang, kill, power cut) while its peer is a backup that hears and is
 * heard: its lease ends, until when its kernel may go on answering, then nobody answers for the detector's floor,
 * unless the silence takes longer to be detected, and neighbours are told.
 */
export function takeoverBound(plan: Plan, detector_timeout_ms: number): number {
  const { interval_ms, lease_ms, detect_floor_ms } = plan.tuning;
  const answers_us = lease_ms * 1000 + plan.tick_us;
  const evidence_us = answers_us + detect_floor_ms * 1000 + PROBE_INTERVAL_US;
  return Math.max(evidence_us, detector_timeout_ms * 1000) + interval_ms * 1000 + SLACK_US;
}

/**
 * After the last fault has healed: a node that starts listens first, a claim may wait for the detector's ceiling, a
 * hand-over may be given up, and a neighbour that missed every announcement asks again.
 */
export function healingBound(tuning: Tuning): number {
  const { listen_ms, detect_ceiling_ms, interval_ms } = tuning;
  return (listen_ms + 2 * detect_ceiling_ms + 8 * interval_ms) * 1000 + HAND_OVER_US + ASK_INTERVAL_US + SLACK_US;
}

export class Service {
  readonly #world: World;
  #flows = false;
  #since_us = 0;
  #ever = false;

  constructor(world: World) {
    this.#world = world;
  }

  get flows(): boolean {
    return this.#flows;
  }

  observe(): void {
    const { machines, hosts, timeline, log, faults, judge } = this.#world;
    const flows = machines.some((machine) => this.#world.carriesTraffic(machine));
    if (flows === this.#flows) return;
    this.#flows = flows;
    for (const host of hosts) host.satisfied = flows;
    const { now_us } = timeline;
    log?.(flows ? `traffic flows again after ${((now_us - this.#since_us) / 1000).toFixed(3)} ms` : "traffic stops");
    if (flows && this.#ever) judge.coverage.outage(faults.latest, now_us - this.#since_us);
    this.#ever = true;
    this.#since_us = now_us;
  }

  /** Exactly one node is active and the other its backup, and traffic flows. */
  get isRestored(): boolean {
    const { machines } = this.#world;
    if (!this.#flows) return false;
    const roles = machines.map(({ heart }) => heart?.election.role ?? "off");
    return roles.includes("active") && roles.includes("backup") && machines.every(({ heart }) => heart?.election.heard);
  }
}
