/** What faults do to the cables: worked out anew from all that hold, so that they may overlap and end in any order. */
import type { Machine } from "./machine.ts";
import type { Direction, Port } from "./network.ts";
import type { Fault, Index, Plan } from "./plan.ts";

/** More loss than this is a cut. */
const LOSS_MAX = 0.95;

export function applyToCables(world: { machines: Machine[]; plan: Plan }, faults: Iterable<Fault>): void {
  for (const { ports } of world.machines) for (const port of ports) reset(port, world.plan);
  for (const fault of faults)
    for (const { index, ports } of world.machines) ports.forEach((port, slot) => worsen(fault, index, slot, port));
}

function reset(port: Port, { latency_us, jitter_us }: Plan): void {
  for (const direction of [port.out, port.in]) {
    direction.cut = false;
    direction.loss = 0;
    direction.delay_us = latency_us / 2;
    direction.jitter_us = jitter_us / 2;
    direction.duplicate = 0;
    direction.reorder = 0;
  }
}

function worsen({ kind, node, slot, amount }: Fault, index: Index, at: number, port: Port): void {
  if (index !== node) return;
  const both: Direction[] = [port.out, port.in];
  if (kind === "split") for (const direction of both) direction.cut = true;
  // Slot 3 is all of them.
  if (slot !== 3 && slot !== at) return;
  if (kind === "deaf") port.in.cut = true;
  if (kind === "mute") port.out.cut = true;
  for (const direction of both) {
    if (kind === "loss") direction.loss = Math.min(LOSS_MAX, direction.loss + amount / 1000);
    if (kind === "delay") direction.delay_us += amount;
    if (kind === "duplicate") direction.duplicate = amount / 1000;
    if (kind === "reorder") direction.reorder = amount / 1000;
  }
}
