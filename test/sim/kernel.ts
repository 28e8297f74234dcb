/**
 * A node's kernel, as far as the guarantee rests on it: the gate with its lease (src/kernel/gate-rules.ts is
 * the definition of what is told again here), the shared addresses, and answers to ARP and neighbour
 * solicitations. It goes on while the heart hangs or is dead, and stands still with the machine.
 */
import { emitArpAnnouncement } from "../../src/wire/arp.ts";
import { ETHER_TYPE, etherType } from "../../src/wire/ethernet.ts";
import { emitNeighbourAnnouncement, parseNeighbour } from "../../src/wire/ndp.ts";
import { nodeMac, type Shared } from "./addresses.ts";
import type { Clock } from "./clock.ts";

const CLAIM_BYTE = 14;
const ARP_OPERATION = 21;
const ARP_REQUEST = 1;
const ARP_REPLY = 2;
const ARP_SENDER_IP = 28;
const ARP_TARGET_MAC = 32;
const ARP_TARGET_IP = 38;

export class Kernel {
  readonly #node: number;
  readonly #shared: Shared[];
  readonly #clock: Clock;
  readonly #tick_us: number;
  readonly #lease_ticks: number;
  /** Something changed that may make the node an owner or end its being one. */
  readonly #changed: () => void;
  /** The shared addresses are on the interfaces. */
  holds = false;
  /** The gate's table is there. Without it everything passes. */
  has_gate = false;
  /** The tick at which the lease ends; 0 where it is closed. */
  #lease_until = 0;

  constructor(node: number, shared: Shared[], clock: Clock, tick_us: number, lease_ms: number, changed: () => void) {
    this.#node = node;
    this.#shared = shared;
    this.#clock = clock;
    this.#tick_us = tick_us;
    // As the kernel does: rounded up to ticks, counted from the tick that has begun.
    this.#lease_ticks = Math.ceil((lease_ms * 1000) / tick_us);
    this.#changed = changed;
  }

  #tick(now_us: number): number {
    return Math.floor(this.#clock.local(now_us) / this.#tick_us);
  }

  isLive(now_us: number): boolean {
    return this.has_gate && this.#lease_until > this.#tick(now_us);
  }

  /** When the lease ends if nothing renews it. */
  get lease_until_us(): number {
    return this.#clock.whenShows(this.#lease_until * this.#tick_us);
  }

  /** Would it answer for the shared addresses, and forward? */
  serves(now_us: number): boolean {
    return this.holds && (!this.has_gate || this.#lease_until > this.#tick(now_us));
  }

  installGate(open: boolean, now_us: number): void {
    this.has_gate = true;
    this.#lease_until = open ? this.#tick(now_us) + this.#lease_ticks : 0;
    this.#changed();
  }

  /** A foreign flush of the firewall. */
  loseGate(): void {
    this.has_gate = false;
    this.#lease_until = 0;
    this.#changed();
  }

  /** False where the gate is gone: the call fails. */
  openLease(now_us: number): boolean {
    if (!this.has_gate) return false;
    this.#lease_until = this.#tick(now_us) + this.#lease_ticks;
    this.#changed();
    return true;
  }

  closeLease(): void {
    this.#lease_until = 0;
    this.#changed();
  }

  hold(holds: boolean): void {
    this.holds = holds;
    this.#changed();
  }

  /** May the frame leave? An active heartbeat renews a live lease as it does. */
  passesOut(frame: Uint8Array, now_us: number): boolean {
    if (!this.has_gate) return true;
    const type = etherType(frame);
    const live = this.isLive(now_us);
    if (type === ETHER_TYPE.understudy) {
      if (live && frame[CLAIM_BYTE] === 1) this.#lease_until = this.#tick(now_us) + this.#lease_ticks;
      return true;
    }
    if (live) return true;
    if (type === ETHER_TYPE.arp) return this.#sharedAt(frame, ARP_SENDER_IP, 4) === undefined;
    const neighbour = parseNeighbour(frame);
    return neighbour?.kind === "solicitation" && neighbour.source.every((byte) => byte === 0);
  }

  /** What the kernel itself answers to a frame that came in, if anything. */
  answer(slot: number, frame: Uint8Array, now_us: number): Uint8Array | null {
    if (slot === 0 || !this.serves(now_us)) return null;
    const type = etherType(frame);
    if (type === ETHER_TYPE.arp) {
      if (frame[ARP_OPERATION] !== ARP_REQUEST) return null;
      const shared = this.#sharedAt(frame, ARP_TARGET_IP, 4);
      if (shared?.slot !== slot || this.#sharedAt(frame, ARP_SENDER_IP, 4) !== undefined) return null;
      const reply = emitArpAnnouncement(nodeMac(this.#node, slot), shared.ip);
      reply.set(frame.subarray(6, 12), 0);
      reply[ARP_OPERATION] = ARP_REPLY;
      reply.copyWithin(ARP_TARGET_MAC, 0, 6);
      reply.set(frame.subarray(ARP_SENDER_IP, ARP_SENDER_IP + 4), ARP_TARGET_IP);
      return reply;
    }
    if (type !== ETHER_TYPE.ipv6) return null;
    const neighbour = parseNeighbour(frame);
    if (neighbour?.kind !== "solicitation") return null;
    const shared = this.#shared.find(({ ip }) => ip.length === 16 && matches(neighbour.target, 0, ip));
    return shared?.slot === slot ? emitNeighbourAnnouncement(nodeMac(this.#node, slot), shared.ip) : null;
  }

  #sharedAt(frame: Uint8Array, at: number, bytes: number): Shared | undefined {
    for (const shared of this.#shared) if (shared.ip.length === bytes && matches(frame, at, shared.ip)) return shared;
    return undefined;
  }
}

function matches(bytes: Uint8Array, at: number, wanted: Uint8Array): boolean {
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false;
  return true;
}
