/**
 * Somebody on a network, who hears everything there, and sends what he likes: recordings, old and new, on the same
 * network and on others, back to where they came from, cut short, with bits turned over; forged ARP; frames
 * with a node's MAC. He does not have the key.
 */
import { emitArpAnnouncement } from "../../src/wire/arp.ts";
import { ETHER_TYPE, etherType } from "../../src/wire/ethernet.ts";
import { attackerMac, nodeMac, sharedIpv4 } from "./addresses.ts";
import type { Origin, Port, Segment } from "./network.ts";
import type { Fault } from "./plan.ts";
import type { Random } from "./random.ts";
import type { Timeline } from "./timeline.ts";

/** The first recordings are kept for good, the rest makes room for newer ones. */
const OLD_MAX = 64;
const NEW_MAX = 64;

interface Recording {
  slot: number;
  frame: Uint8Array;
  /** For the judges: a recording that overtakes the original is as good as it. */
  origin: Origin | null;
}

export class Attacker {
  readonly #timeline: Timeline;
  readonly #random: Random;
  readonly #ports: Port[];
  readonly #old: Recording[] = [];
  readonly #new: Recording[] = [];
  #count = 0;

  constructor(timeline: Timeline, random: Random, segments: Segment[]) {
    this.#timeline = timeline;
    this.#random = random;
    this.#ports = segments.map((segment, slot) => {
      segment.tap = (frame, from, origin) => {
        if (!this.#ports.includes(from)) this.#record({ slot, frame, origin });
      };
      return segment.attach(
        0,
        0,
        () => {},
        () => {},
      );
    });
  }

  #record(recording: Recording): void {
    if (etherType(recording.frame) !== ETHER_TYPE.understudy) return;
    this.#count++;
    if (this.#old.length < OLD_MAX) {
      if (this.#count % 5 === 0) this.#old.push(recording);
    } else if (this.#new.length < NEW_MAX) this.#new.push(recording);
    else this.#new[this.#count % NEW_MAX] = recording;
  }

  /** Until `end_us`, every `fault.amount` microseconds. */
  attack(fault: Fault, end_us: number): void {
    const again = (): void => {
      if (this.#timeline.now_us >= end_us) return;
      this.#strike(fault);
      this.#timeline.after(fault.amount, again);
    };
    again();
  }

  #strike({ kind, slot, node }: Fault): void {
    const data_slot = slot === 0 ? 1 : slot;
    if (kind === "forge-arp")
      return this.#send(data_slot, emitArpAnnouncement(attackerMac(data_slot), sharedIpv4(data_slot)));
    if (kind === "steal-mac")
      return this.#send(data_slot, emitArpAnnouncement(nodeMac(node, data_slot), sharedIpv4(data_slot)));
    const recordings = this.#random.chance(0.5) ? this.#old : this.#new;
    if (recordings.length === 0) return;
    const recording = this.#random.pick(recordings);
    const frame = recording.frame.slice();
    if (kind === "reflect") frame.copyWithin(0, 6, 12);
    if (kind === "move") return this.#send((recording.slot + 1 + this.#random.below(2)) % 3, this.#readdressed(frame));
    if (kind === "mangle") return this.#send(recording.slot, this.#mangled(frame));
    this.#send(recording.slot, frame, recording.origin);
  }

  #readdressed(frame: Uint8Array): Uint8Array {
    return frame.fill(0xff, 0, 6);
  }

  #mangled(frame: Uint8Array): Uint8Array {
    if (this.#random.chance(0.3)) return frame.subarray(0, this.#random.below(frame.length));
    const turns = this.#random.between(1, 4);
    for (let i = 0; i < turns; i++) {
      const at = this.#random.below(frame.length);
      frame[at] = (frame[at] ?? 0) ^ (1 << this.#random.below(8));
    }
    return frame;
  }

  #send(slot: number, frame: Uint8Array, origin: Origin | null = null): void {
    const port = this.#ports[slot];
    if (port !== undefined && frame.length >= 14) port.segment.send(port, frame, origin);
  }
}
