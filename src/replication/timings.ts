/**
 * Timings of a cluster change on both nodes together, though no two nodes ever change at the same moment. The lease of
 * each must end before the other one may claim; so for as long as the peer may still run by other timings, a node runs
 * by all of them at once: the shortest lease, the longest patience.
 *
 *   O ──── new settings ───▶ O and N ──── the peer, too, aims at N and runs it beside others ───▶ N
 *
 * Both nodes have one of their timings in common at every moment, and that is enough: each lease is as short as the
 * common one's at most, and each patience as long as its at least. Timings are dropped only on an answer to what this
 * node said last, so that an older word, or one that crosses ours, drops nothing.
 */
import type { Tuning } from "../heart/messages.ts";
import type { MessageOf } from "./messages.ts";

/** How many a node keeps one by one, at most. */
const TUNINGS_MAX = 16;

type Words = MessageOf<"timings">;

export class JointTimings {
  #target: Tuning;
  /** Others that the peer may still run by. */
  #kept: Tuning[];
  /** Counts what this node aimed at and ran by; never the same twice, also over restarts. */
  #generation: number;
  /** The peer's generation that it said last, on this connection. */
  #heard = 0;

  /**
   * `stored`: as `all` said last, the newest one last; not empty. `generation`: higher than any that this node used
   * before, or random and large.
   */
  constructor(stored: Tuning[], generation: number) {
    const target = stored.at(-1);
    if (target === undefined) throw new RangeError("a node runs by some timings at least");
    this.#target = target;
    this.#kept = stored.slice(0, -1);
    this.#generation = generation;
  }

  /** To be stored before the heart runs by it, and not forgotten by a restart: the settings alone do not tell. */
  all(): Tuning[] {
    return [...this.#kept, this.#target];
  }

  /** What the heart is to run by. */
  running(): Tuning {
    return this.#kept.reduce((sum, other) => joint(other, sum), this.#target);
  }

  /** Other settings; false where they have the same timings. More than a few that are kept are as good joined to one. */
  aimAt(target: Tuning): boolean {
    if (same(target, this.#target)) return false;
    const kept = [...this.#kept.filter((other) => !same(other, target)), this.#target];
    this.#kept = kept.length <= TUNINGS_MAX ? kept : [kept.reduce((sum, other) => joint(other, sum))];
    this.#target = target;
    this.#generation++;
    return true;
  }

  /** What to say, once the heart runs by `running()`: at every change, and from time to time. */
  words(): Words {
    return { type: "timings", generation: this.#generation, acknowledged: this.#heard, target: this.#target };
  }

  connected(): void {
    this.#heard = 0;
  }

  /** True where timings were dropped: to be stored, and the heart to run by what is left. */
  take({ generation, acknowledged, target }: Words): boolean {
    this.#heard = generation;
    const agreed = acknowledged === this.#generation && same(target, this.#target);
    if (!agreed || this.#kept.length === 0) return false;
    this.#kept = [];
    this.#generation++;
    return true;
  }
}

/** Timings that are safe beside a node that runs by either. What concerns this node alone is that of the second. */
export function joint(a: Tuning, b: Tuning): Tuning {
  return {
    interval_ms: Math.min(a.interval_ms, b.interval_ms),
    lease_ms: Math.min(a.lease_ms, b.lease_ms),
    detect_floor_ms: Math.max(a.detect_floor_ms, b.detect_floor_ms),
    detect_ceiling_ms: Math.max(a.detect_ceiling_ms, b.detect_ceiling_ms),
    listen_ms: Math.max(a.listen_ms, b.listen_ms),
    on_link_loss: b.on_link_loss,
  };
}

function same(a: Tuning, b: Tuning): boolean {
  return (Object.keys(a) as (keyof Tuning)[]).every((name) => a[name] === b[name]);
}
