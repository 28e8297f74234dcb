/**
 * What happens in one simulation, as data: everything follows from it, so a failure can be replayed, and
 * shrunk by leaving out faults.
 */
import type { Tuning } from "../../src/heart/messages.ts";

/** 0 is node 1 (a), 1 is node 2 (b). */
export type Index = 0 | 1;

export const FAULT_KINDS = [
  /** The whole machine stands still; its clocks run on, stand still, or (suspend) only the kernel's timers stand. */
  "freeze",
  /** SIGSTOP of the heart: its kernel goes on. */
  "hang",
  /** SIGKILL of the heart, which its control process starts again. */
  "kill",
  /** Power cut: what was not yet on disk is lost. */
  "power",
  /** At the next step that acts, after so many of its duties: killed, frozen or hung. */
  "trap",
  /** At the next step that shuts or opens the gate, its cables become slow: what it says then arrives when it is old. */
  "trap-delay",
  /** A loaded machine: steps come late, and so do their duties. */
  "load",
  /** A slow disk. */
  "disk",
  /** A cable is pulled: carrier lost on the node's side. */
  "unplug",
  /** Frames to the node (deaf) or from it (mute) are lost, and the carrier does not tell. */
  "deaf",
  "mute",
  /** No path at all between the nodes. */
  "split",
  "loss",
  "delay",
  "duplicate",
  "reorder",
  /** A switch restarts: all its carriers go, and it forgets what it learned. */
  "switch-reboot",
  /** Somebody flushes the firewall. */
  "flush",
  /** The control process hangs, or an administrator asks for maintenance. */
  "impair",
  /** An administrator's orders. */
  "order-switch",
  "order-take",
  "order-stop",
  /** A cable with a loose contact. */
  "flap",
  /** Somebody on the network. */
  "replay",
  "reflect",
  "mangle",
  "move",
  "forge-arp",
  "steal-mac",
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export type FreezeClock = "runs" | "stands" | "suspend";

export interface Fault {
  kind: FaultKind;
  at_us: number;
  lasts_us: number;
  /** Whom or what it concerns; faults that have no use for one ignore it. */
  node: Index;
  /** It strikes whichever node is active then, and `node` where none is. */
  at_active: boolean;
  slot: number;
  /** A probability, a delay in microseconds, a number of duties, whatever the kind calls for. */
  amount: number;
  clock: FreezeClock;
}

export interface Plan {
  seed: number;
  tuning: Tuning;
  /** Length of the kernels' timer tick. */
  tick_us: number;
  drift_ppm: [number, number];
  /** Heartbeats on the data networks (B4). */
  data_heartbeats: [boolean, boolean];
  /** Shared IPv6 addresses too. */
  ipv6: boolean;
  /** The cluster network is one cable: when one end loses its carrier, so does the other. */
  direct_cable: boolean;
  /** `created`: node a has just created the cluster; `cold`: both boot with terms on their disks. */
  start: "created" | "cold";
  latency_us: number;
  jitter_us: number;
  faults: Fault[];
}

export function describeFault(fault: Fault): string {
  const { kind, at_us, lasts_us, node, at_active, slot, amount, clock } = fault;
  const whom = `${at_active ? "the active node or " : ""}${"ab"[node]} ${["cluster", "lan", "wan", "all"][slot]}`;
  return `${ms(at_us)} ms for ${ms(lasts_us)} ms: ${kind} ${whom} (${amount}, ${clock})`;
}

function ms(time_us: number): string {
  return (time_us / 1000).toFixed(3);
}
