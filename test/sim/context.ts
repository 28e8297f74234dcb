/** What the parts of one simulation share. */
import type { Authenticator, WireRole } from "../../src/wire/heartbeat.ts";
import type { Faults } from "./faults.ts";
import type { Judge } from "./judge.ts";
import type { Machine } from "./machine.ts";
import type { Plan } from "./plan.ts";
import type { Random } from "./random.ts";
import type { Timeline } from "./timeline.ts";

export const CAUSES = [
  /** off → listening. */
  "started",
  /** off → active, right after the cluster was created on this node. */
  "created",
  /** any → off: killed, or its power was cut. */
  "died",
  /** any → off: an orderly stop has ended. */
  "stopped",
  /** listening → backup: listened long enough. */
  "listened",
  /** any but active → backup: an active peer was heard. */
  "peer-active",
  /** backup → probing: the peer has been silent long enough. */
  "silent",
  /** probing → backup: the peer is heard again. */
  "heard",
  /** → active: the peer agreed or handed over. */
  "consent",
  /** → active: the peer is silent and nobody answers. */
  "evidence",
  /** active → resuming: did not run for longer than its lease. */
  "slept",
  /** resuming → active: the peer has proved that it did not claim. */
  "acknowledged",
  /** resuming → backup: the peer is silent, or has claimed or wants to. */
  "unproved",
  /** active → backup: a higher claim. */
  "yielded",
  /** active → backup: the peer takes over, in order. */
  "handed-over",
  /** active → backup: the gate cannot be restored. */
  "gate-broken",
  /** active → backup: no data link, and the peer is not heard. */
  "cut-off",
  /** active → backup: stopping, and nobody takes over. */
  "stopping",
] as const;
export type Cause = (typeof CAUSES)[number];

export interface Transition {
  node: 0 | 1;
  from: WireRole | "off";
  to: WireRole | "off";
  cause: Cause;
  term: number;
  holds: boolean;
  /** Its kernel serves the shared addresses, before the duties of this step. */
  serves: boolean;
}

export interface Context {
  readonly plan: Plan;
  readonly timeline: Timeline;
  /** For machines and processes; networks have their own. */
  readonly random: Random;
  readonly authenticate: Authenticator;
  readonly judge: Judge;
  readonly faults: Faults;
  /** Something changed that the judge has to look at. */
  dirty: boolean;
  readonly onTransition: ((transition: Transition) => void) | null;
  /** Writes a line to the log; null where nobody reads it. */
  readonly log: ((text: string) => void) | null;
  /** With a direct cable, the other end of it has no plug. */
  peerUnplugged(machine: Machine, slot: number): boolean;
}
