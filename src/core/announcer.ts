/**
 * Announcements after a takeover: every shared address at once and twice, again after more than a
 * second and once more (gratuitous ARP, RFC 5227 section 3; unsolicited advertisement, RFC 4861
 * section 7.2.6), then questions to the gateways and the neighbours seen lately, whose answers
 * prove that they send to the right MAC. While active it also defends the addresses.
 */
import { emitArpAnnouncement, emitArpRequest } from "../wire/arp.ts";
import { equalBytes, ipv4Text, ipv6Text } from "../wire/bytes.ts";
import { emitNeighbourAnnouncement, emitNeighbourSolicitation } from "../wire/ndp.ts";
import type { CoreConfiguration, OutgoingFrame, SharedAddress } from "./types.ts";

/** After the claim. The third comes after more than a second, for switches that were busy learning. */
const ANNOUNCE_AFTER_MS = [0, 0, 100, 1100, 2200];
const ASK_AFTER_MS = [5, 200, 600, 1200, 1900];
const VERDICT_AFTER_MS = 2500;
const NEIGHBOURS_MAX = 32;
/** Announcements a step: with thousands of addresses all of them take longer than a lease, and heartbeats must leave. */
const ANNOUNCED_PER_STEP = 64;
const DEFEND_INTERVAL_MS = 100;

interface Neighbour {
  slot: number;
  ip: Uint8Array;
  text: string;
  followed: boolean;
}

export interface FollowVerdict {
  followed: number;
  asked: number;
  missing: string[];
}

export class Announcer {
  #configuration: CoreConfiguration;
  #claimed_ms = Number.NEGATIVE_INFINITY;
  /** Rounds of announcements that are complete, and addresses announced in the present one. */
  #announced = ANNOUNCE_AFTER_MS.length;
  #announced_in_round = 0;
  #asked = ASK_AFTER_MS.length;
  #judged = true;
  #defended_ms = Number.NEGATIVE_INFINITY;
  /** Hosts of the data networks seen asking by ARP, the latest last. */
  readonly #seen = new Map<string, Neighbour>();
  #asking: Neighbour[] = [];

  constructor(configuration: CoreConfiguration) {
    this.#configuration = configuration;
  }

  reconfigure(configuration: CoreConfiguration): void {
    this.#configuration = configuration;
  }

  /** A host of a data network was seen using `ip`. */
  saw(slot: number, ip: Uint8Array): void {
    const text = ip.length === 4 ? ipv4Text(ip) : ipv6Text(ip);
    const key = `${slot} ${text}`;
    const known = this.#seen.get(key);
    if (known !== undefined) return;
    if (this.#seen.size >= NEIGHBOURS_MAX) {
      const oldest = this.#seen.keys().next();
      if (!oldest.done) this.#seen.delete(oldest.value);
    }
    this.#seen.set(key, { slot, ip: ip.slice(), text, followed: false });
  }

  /** A host of a data network answered us at our own MAC. */
  followed(slot: number, ip: Uint8Array): void {
    for (const neighbour of this.#asking) {
      if (neighbour.slot === slot && equalBytes(neighbour.ip, ip)) neighbour.followed = true;
    }
  }

  claimed(now_ms: number): void {
    this.#claimed_ms = now_ms;
    this.#announced = 0;
    this.#announced_in_round = 0;
    this.#asked = 0;
    this.#judged = false;
    const gateways = this.#configuration.gateways.map((gateway) => ({ ...gateway, followed: false }));
    const others = [...this.#seen.values()].filter(
      (seen) => !gateways.some((gateway) => gateway.slot === seen.slot && equalBytes(gateway.ip, seen.ip)),
    );
    this.#asking = [...gateways, ...others.map((seen) => ({ ...seen, followed: false }))];
  }

  released(): void {
    this.#announced = ANNOUNCE_AFTER_MS.length;
    this.#asked = ASK_AFTER_MS.length;
    this.#judged = true;
  }

  get wake_ms(): number {
    const announce = ANNOUNCE_AFTER_MS[this.#announced] ?? Number.POSITIVE_INFINITY;
    const ask = ASK_AFTER_MS[this.#asked] ?? Number.POSITIVE_INFINITY;
    const judge = this.#judged ? Number.POSITIVE_INFINITY : VERDICT_AFTER_MS;
    const after_ms = Math.min(announce, ask, judge);
    return after_ms === Number.POSITIVE_INFINITY ? after_ms : this.#claimed_ms + after_ms;
  }

  /** Frames due now while active. */
  due(now_ms: number): OutgoingFrame[] {
    const frames: OutgoingFrame[] = [];
    const age_ms = now_ms - this.#claimed_ms;
    for (let count = 0; count < ANNOUNCED_PER_STEP; count++) {
      if (age_ms < (ANNOUNCE_AFTER_MS[this.#announced] ?? Number.POSITIVE_INFINITY)) break;
      this.#announceNext(frames);
    }
    if (age_ms >= (ASK_AFTER_MS[this.#asked] ?? Number.POSITIVE_INFINITY)) {
      this.#asked++;
      for (const neighbour of this.#asking) if (!neighbour.followed) this.#ask(frames, neighbour);
    }
    return frames;
  }

  /** Once after each claim, when all questions have been asked: who followed. Null until then. */
  verdict(now_ms: number): FollowVerdict | null {
    if (this.#judged || now_ms - this.#claimed_ms < VERDICT_AFTER_MS) return null;
    this.#judged = true;
    const missing = this.#asking.filter((neighbour) => !neighbour.followed).map((neighbour) => neighbour.text);
    return { followed: this.#asking.length - missing.length, asked: this.#asking.length, missing };
  }

  /** Answers a foreign announcement of one of our addresses (RFC 5227 section 2.4 (c): the address is defended). */
  defend(now_ms: number, address: SharedAddress): OutgoingFrame[] {
    if (now_ms - this.#defended_ms < DEFEND_INTERVAL_MS) return [];
    this.#defended_ms = now_ms;
    const frame = this.#announcement(address);
    return frame === null ? [] : [frame];
  }

  #announceNext(frames: OutgoingFrame[]): void {
    const address = this.#configuration.addresses[this.#announced_in_round++];
    const frame = address === undefined ? null : this.#announcement(address);
    if (frame !== null) frames.push(frame);
    if (this.#announced_in_round < this.#configuration.addresses.length) return;
    this.#announced_in_round = 0;
    this.#announced++;
  }

  #mac(slot: number): Uint8Array | undefined {
    return this.#configuration.paths.find((path) => path.slot === slot)?.mac;
  }

  #announcement(address: SharedAddress): OutgoingFrame | null {
    const mac = this.#mac(address.slot);
    if (mac === undefined) return null;
    const emit = address.ip.length === 4 ? emitArpAnnouncement : emitNeighbourAnnouncement;
    return { slot: address.slot, frame: emit(mac, address.ip) };
  }

  #ask(frames: OutgoingFrame[], neighbour: Neighbour): void {
    const mac = this.#mac(neighbour.slot);
    const from = this.#configuration.addresses.find(
      (address) => address.slot === neighbour.slot && address.ip.length === neighbour.ip.length,
    );
    if (mac === undefined || from === undefined) return;
    const emit = neighbour.ip.length === 4 ? emitArpRequest : emitNeighbourSolicitation;
    frames.push({ slot: neighbour.slot, frame: emit(mac, from.ip, neighbour.ip) });
  }
}
