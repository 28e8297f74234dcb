/**
 * Three switches and the cables to them. A switch learns MACs, floods what it does not know, and each
 * cable has in each direction its own delay, jitter, loss, duplication and cuts.
 */
import type { Random } from "./random.ts";
import type { Timeline } from "./timeline.ts";

/** The truth about a frame, for those who judge: no part of the simulation itself may look at it. */
export interface Origin {
  node: 0 | 1;
  session: number;
  role: string;
  term: number;
  at_us: number;
}

/** One direction of a cable. */
export interface Direction {
  cut: boolean;
  loss: number;
  delay_us: number;
  jitter_us: number;
  duplicate: number;
  reorder: number;
}

export interface Port {
  segment: Segment;
  plugged: boolean;
  /** From the host to the switch, and from the switch to the host. */
  out: Direction;
  in: Direction;
  last_us: number;
  receive: (frame: Uint8Array, origin: Origin | null) => void;
  carrierChanged: () => void;
}

const REORDER_US = 3000;
const MACS_MAX = 256;

export function macKey(frame: Uint8Array, at: number): number {
  const high = ((frame[at] ?? 0) << 8) | (frame[at + 1] ?? 0);
  const low =
    ((frame[at + 2] ?? 0) << 24) | ((frame[at + 3] ?? 0) << 16) | ((frame[at + 4] ?? 0) << 8) | (frame[at + 5] ?? 0);
  return high * 0x1_0000_0000 + (low >>> 0);
}

export class Segment {
  readonly #timeline: Timeline;
  readonly #random: Random;
  readonly #ports: Port[] = [];
  readonly #table = new Map<number, Port>();
  /** Somebody who listens at the switch itself. */
  tap: ((frame: Uint8Array, from: Port, origin: Origin | null) => void) | null = null;
  dead = false;

  constructor(timeline: Timeline, random: Random) {
    this.#timeline = timeline;
    this.#random = random;
  }

  attach(latency_us: number, jitter_us: number, receive: Port["receive"], carrierChanged: () => void): Port {
    const direction = (): Direction => ({
      cut: false,
      loss: 0,
      delay_us: latency_us / 2,
      jitter_us: jitter_us / 2,
      duplicate: 0,
      reorder: 0,
    });
    const port: Port = {
      segment: this,
      plugged: true,
      out: direction(),
      in: direction(),
      last_us: 0,
      receive,
      carrierChanged,
    };
    this.#ports.push(port);
    return port;
  }

  get ports(): readonly Port[] {
    return this.#ports;
  }

  forget(): void {
    this.#table.clear();
  }

  /** Frames to this MAC come out of that port, perhaps of others too. */
  leadsTo(mac: number, port: Port): boolean {
    const learned = this.#table.get(mac);
    return learned === undefined || learned === port;
  }

  send(from: Port, frame: Uint8Array, origin: Origin | null): void {
    if (!hasCarrier(from) || from.out.cut || this.#random.chance(from.out.loss)) return;
    this.tap?.(frame, from, origin);
    this.forward(from, frame, origin);
  }

  /** From within the switch on. */
  forward(from: Port, frame: Uint8Array, origin: Origin | null): void {
    if (this.#table.size < MACS_MAX) this.#table.set(macKey(frame, 6), from);
    const to = (frame[0] ?? 1) & 1 ? undefined : this.#table.get(macKey(frame, 0));
    if (to !== undefined) return this.#deliver(from, to, frame, origin);
    for (const port of this.#ports) this.#deliver(from, port, frame, origin);
  }

  #deliver(from: Port, to: Port, frame: Uint8Array, origin: Origin | null): void {
    if (from === to || to.in.cut || !hasCarrier(to) || this.#random.chance(to.in.loss)) return;
    this.#schedule(from, to, frame, origin);
    if (this.#random.chance(from.out.duplicate + to.in.duplicate)) this.#schedule(from, to, frame, origin);
  }

  #schedule(from: Port, to: Port, frame: Uint8Array, origin: Origin | null): void {
    const random = this.#random;
    const jitter_us = from.out.jitter_us + to.in.jitter_us;
    let at_us = this.#timeline.now_us + from.out.delay_us + to.in.delay_us;
    if (jitter_us > 0) at_us += random.below(jitter_us + 1);
    if (random.chance(from.out.reorder + to.in.reorder)) at_us += random.below(REORDER_US);
    else {
      // A cable keeps the order of what goes through it.
      at_us = Math.max(at_us, to.last_us);
      to.last_us = at_us;
    }
    this.#timeline.at(at_us, () => {
      if (hasCarrier(to)) to.receive(frame, origin);
    });
  }
}

export function hasCarrier(port: Port): boolean {
  return port.plugged && !port.segment.dead;
}

/** Frames go both ways between this port and the switch. */
export function isConnected(port: Port): boolean {
  return hasCarrier(port) && !port.in.cut && !port.out.cut;
}

/** A frame from one port may reach the other within `delay_us_max`, unless chance is against it. */
export function reaches(from: Port, to: Port, now_us: number, delay_us_max: number): boolean {
  if (!hasCarrier(from) || !hasCarrier(to) || from.out.cut || to.in.cut) return false;
  const { out } = from;
  const { in: into } = to;
  const delay_us = out.delay_us + out.jitter_us + into.delay_us + into.jitter_us;
  const perfect = out.loss === 0 && into.loss === 0 && out.reorder === 0 && into.reorder === 0;
  // What is under way, late, goes first.
  return perfect && delay_us <= delay_us_max && to.last_us <= now_us + delay_us_max;
}
