/**
 * Timings of a cluster: defaults and bounds.
 *
 * They hang together. The kernel closes the gate `lease_ms` after the last heartbeat left, and the
 * backup waits at least `detect_floor_ms` after the last one it heard, so a node that froze has lost
 * its lease before anyone else can claim: `lease_ms` < `detect_floor_ms`, with a kernel tick (4 ms at
 * 250 Hz) between them.
 */
import { Failure } from "../errors.ts";
import type { Tuning } from "../heart/messages.ts";

export const DEFAULT_TUNING: Tuning = {
  interval_ms: 8,
  lease_ms: 20,
  detect_floor_ms: 24,
  detect_ceiling_ms: 250,
  listen_ms: 2000,
  on_link_loss: "switch",
};

/** A kernel tick at 250 Hz: how much shorter than meant a lease may be. */
export const LEASE_SLACK_MS = 4;

/** What a step wants done is worth doing for so long; after that the core must know that it was late. */
export const PROMPT_MS = 2;

const BOUNDS: Record<Exclude<keyof Tuning, "on_link_loss">, readonly [number, number]> = {
  interval_ms: [2, 1000],
  lease_ms: [8, 5000],
  detect_floor_ms: [12, 6000],
  detect_ceiling_ms: [12, 60_000],
  listen_ms: [100, 60_000],
};

/** Refuses timings that cannot keep the guarantee; returns them otherwise. Throws Failure `bad-tuning`. */
export function validateTuning(tuning: Tuning): Tuning {
  for (const [name, [least, most]] of Object.entries(BOUNDS)) {
    const value = tuning[name as keyof typeof BOUNDS];
    if (!(value >= least && value <= most)) {
      throw new Failure("bad-tuning", `cluster.${name} is ${value}; choose a value from ${least} to ${most}.`);
    }
  }
  if (tuning.lease_ms < 2 * tuning.interval_ms) {
    throw new Failure(
      "bad-tuning",
      `cluster.lease_ms (${tuning.lease_ms}) must be at least twice cluster.interval_ms (${tuning.interval_ms}), or one late heartbeat closes the gate.`,
    );
  }
  if (tuning.detect_floor_ms < tuning.lease_ms + LEASE_SLACK_MS) {
    throw new Failure(
      "bad-tuning",
      `cluster.detect_floor_ms (${tuning.detect_floor_ms}) must be at least cluster.lease_ms plus ${LEASE_SLACK_MS} (${tuning.lease_ms + LEASE_SLACK_MS}), or both nodes could answer for an address.`,
    );
  }
  if (tuning.detect_ceiling_ms < tuning.detect_floor_ms) {
    throw new Failure("bad-tuning", "cluster.detect_ceiling_ms must not be below cluster.detect_floor_ms.");
  }
  return tuning;
}
