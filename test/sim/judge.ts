/**
 * The judge: at every change it looks at the world as the network sees it, and stops the simulation when the
 * guarantee is broken. It shares nothing with the core but what is on the wire.
 */
import type { WireRole } from "../../src/wire/heartbeat.ts";
import { DATA_SLOTS } from "./addresses.ts";
import type { Cause, Context } from "./context.ts";
import { Coverage } from "./coverage.ts";
import type { Machine } from "./machine.ts";
import { isConnected, type Origin, reaches } from "./network.ts";
import { Oracle } from "./oracle.ts";

const SLACK_US = 500;
/** A fault moves the role once, and its healing may move it back where it was lost altogether. */
const CLAIMS_BEYOND_FAULTS_MAX = 2;
/** Three paths with an answer every millisecond at most, and probes for two addresses on two networks every 3 ms. */
const FRAMES_PER_100MS_MAX = 300 + 140;

export class Violation extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Why two nodes may both serve for a moment (the spec's honest limits). */
export type Excuse = "islands" | "paused" | "flushed";

interface Overlap {
  excuse: Excuse;
  since_us: number;
  serial: number;
}

export class Judge {
  readonly #context: () => Context;
  readonly coverage = new Coverage();
  readonly oracle: Oracle;
  #machines: Machine[] = [];
  #overlap: Overlap | null = null;
  /** A node claimed, rightly, although its peer still served: they were islands. */
  #islands = false;
  /** Until then the claim may still be on its way into the kernel. */
  #islands_until_us = 0;
  #served = "";
  /** Counts the edges of faults. */
  serial = 0;
  claims = 0;

  constructor(context: () => Context) {
    this.#context = context;
    this.oracle = new Oracle(context, this);
  }

  begin(machines: Machine[]): void {
    this.#machines = machines;
  }

  violation(code: string, message: string): never {
    throw new Violation(code, message);
  }

  /** A heart reads a frame. */
  read(machine: Machine, slot: number, frame: Uint8Array, origin: Origin | null): void {
    this.oracle.read(machine, slot, frame, origin);
  }

  transition(machine: Machine, from: WireRole | "off", to: WireRole | "off", cause: Cause, term: number): void {
    this.coverage.count(this.coverage.causes, cause);
    if (cause === "yielded") this.oracle.yielded(machine);
    if (to !== "active") return;
    if (from !== "resuming") this.claims++;
    const peer = this.#peerOf(machine);
    this.oracle.claimed(machine, peer, from, cause, term);
    if (cause !== "evidence" || !peer.serves()) return;
    const { plan, timeline } = this.#context();
    this.#islands = true;
    this.#islands_until_us = timeline.now_us + plan.tuning.detect_floor_ms * 1000;
  }

  /** At the end: no flapping. */
  settle(faults: number): void {
    const beyond = this.claims - 1 - faults;
    this.coverage.claims_beyond_faults_max = beyond;
    if (beyond > CLAIMS_BEYOND_FAULTS_MAX) this.violation("flapping", `${this.claims} claims with ${faults} faults`);
  }

  sent(machine: Machine, frames: number): void {
    this.coverage.frames_per_100ms_max = Math.max(this.coverage.frames_per_100ms_max, frames);
    if (frames > FRAMES_PER_100MS_MAX) this.violation("flood", `${machine.name} has sent ${frames} frames in 100 ms`);
  }

  #peerOf(machine: Machine): Machine {
    const peer = this.#machines[1 - machine.index];
    if (peer === undefined) throw new RangeError("a machine without a peer");
    return peer;
  }

  // ── one owner ──────────────────────────────────────────────────────────────────────────────────

  observe(): void {
    const [a, b] = this.#machines;
    if (a === undefined || b === undefined) return;
    const a_serves = a.serves();
    const b_serves = b.serves();
    // A node that stands still for less than its lease has not let go of its island.
    const { now_us } = this.#context().timeline;
    const hold = [a, b].every(({ on, kernel }) => on && kernel.serves(now_us));
    if (!hold && now_us >= this.#islands_until_us) this.#islands = false;
    for (const machine of this.#machines) if (!machine.serves() && machine.running) machine.lease_stood = false;
    const both = a_serves && b_serves;
    const { log } = this.#context();
    if (log !== null) {
      const served = `${a_serves ? "a" : ""}${b_serves ? "b" : ""}`;
      if (served !== this.#served) log(`served by ${served || "nobody"}`);
      this.#served = served;
    }
    const shared = both && DATA_SLOTS.some((slot) => [a, b].every(({ ports }) => isConnectedAt(ports[slot])));
    // Two owners that do not share a domain: islands, whatever made them so.
    if (both && !shared) this.#islands = true;
    if (!shared) return this.#endOverlap();
    if (this.#overlap === null) this.#beginOverlap(a, b);
  }

  #beginOverlap(a: Machine, b: Machine): void {
    const { timeline } = this.#context();
    const excuse = this.#excuseOf(a, b);
    if (excuse === null) this.violation("two-owners", `both nodes serve, with terms ${termOf(a)} and ${termOf(b)}`);
    // A serial of its own where nothing can be expected of the networks.
    const overlap = { excuse, since_us: timeline.now_us, serial: this.#mustHear(a, b) ? this.serial : -1 };
    this.#overlap = overlap;
    this.coverage.count(this.coverage.overlaps, excuse);
    this.#boundOverlap(overlap, a, b);
  }

  #excuseOf(a: Machine, b: Machine): Excuse | null {
    if (!a.kernel.has_gate || !b.kernel.has_gate) return "flushed";
    if (a.lease_stood || b.lease_stood) return "paused";
    return this.#islands ? "islands" : null;
  }

  /** The bound counts from the last disturbance on: only then is anything to be expected of the networks. */
  #boundOverlap(overlap: Overlap, a: Machine, b: Machine): void {
    const { timeline } = this.#context();
    const { serial } = this;
    const check_us = this.#boundOf(a, b) + 1;
    const must_hear = this.#mustHear(a, b);
    timeline.after(check_us, () => {
      if (this.#overlap !== overlap) return;
      if (must_hear && this.serial === serial && this.#mustHear(a, b))
        this.violation(
          "overlap-too-long",
          `both nodes serve for more than ${check_us - 1} µs in one domain (${overlap.excuse})`,
        );
      this.#boundOverlap(overlap, a, b);
    });
  }

  /** One heartbeat interval and the way of a heartbeat; a lease, where a heart cannot hear. */
  #boundOf(a: Machine, b: Machine): number {
    const { plan } = this.#context();
    const { interval_ms, lease_ms } = plan.tuning;
    // There and back: a peer that has restarted must first prove itself.
    const path_us = 2 * (plan.latency_us + plan.jitter_us) + SLACK_US;
    const awake = [a, b].every(({ heart }) => heart !== null && !heart.hung);
    return (awake ? interval_ms * 1000 : lease_ms * 1000 + plan.tick_us) + path_us;
  }

  #mustHear(a: Machine, b: Machine): boolean {
    const { plan, timeline, faults } = this.#context();
    if (faults.diverted || [a, b].some(({ heart }) => (heart?.load_us ?? 0) > 0)) return false;
    if ([a, b].some(({ heart }) => heart === null || heart.hung)) return true;
    const [low, high] = termOf(a) < termOf(b) ? [a, b] : [b, a];
    return [0, 1, 2].some((slot) => {
      if (slot > 0 && plan.data_heartbeats[slot - 1] !== true) return false;
      const from = high.ports[slot];
      const to = low.ports[slot];
      return (
        from !== undefined && to !== undefined && reaches(from, to, timeline.now_us, plan.latency_us + plan.jitter_us)
      );
    });
  }

  #endOverlap(): void {
    const overlap = this.#overlap;
    if (overlap === null) return;
    this.#overlap = null;
    const lasted_us = this.#context().timeline.now_us - overlap.since_us;
    const where = overlap.serial === this.serial ? "on quiet networks" : "under further faults";
    const { interval_ms } = this.#context().plan.tuning;
    this.coverage.overlapped(`${overlap.excuse} ${where} (heartbeats every ${interval_ms} ms)`, lasted_us);
  }
}

function isConnectedAt(port: Machine["ports"][number] | undefined): boolean {
  return port !== undefined && isConnected(port);
}

function termOf(machine: Machine): number {
  return machine.heart?.election.term ?? 0;
}
