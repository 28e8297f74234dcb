/**
 * What the hosts of the data networks say of addresses, sorted: the peer's kernel answering for a shared
 * address is evidence, another host doing so is a conflict, and everybody else is a neighbour to remember.
 */
import { equalBytes, macText } from "../wire/bytes.ts";
import { sourceMac } from "../wire/ethernet.ts";
import type { Announcer } from "./announcer.ts";
import type { Evidence } from "./evidence.ts";
import type { Journal } from "./journal.ts";
import { ownershipOf, probedAddress } from "./owners.ts";
import type { CoreConfiguration, CorePath, OutgoingFrame } from "./types.ts";

const CONFLICT_EVENT_INTERVAL_MS = 1000;
const CONFLICT_ALARM_MS = 60_000;

export class Neighbourhood {
  readonly #evidence: Evidence;
  readonly #announcer: Announcer;
  readonly #journal: Journal;
  #conflict_event_ms = Number.NEGATIVE_INFINITY;

  constructor(evidence: Evidence, announcer: Announcer, journal: Journal) {
    this.#evidence = evidence;
    this.#announcer = announcer;
    this.#journal = journal;
  }

  /** A frame of a data network. Returns what defends a shared address that somebody else uses (B6). */
  take(configuration: CoreConfiguration, slot: number, frame: Uint8Array, now_ms: number): OutgoingFrame[] {
    const path = configuration.paths.find((candidate) => candidate.slot === slot);
    if (slot === 0 || path === undefined) return [];
    this.#giveWay(configuration, path, frame);
    const said = ownershipOf(frame);
    if (said === null || equalBytes(said.mac, path.mac)) return [];
    const { mac, ip, is_answer } = said;
    const shared = configuration.addresses.find((address) => address.slot === slot && equalBytes(address.ip, ip));
    if (shared === undefined) {
      this.#journal.verdict = "neighbour";
      this.#announcer.saw(slot, ip);
      if (is_answer) this.#announcer.followed(slot, ip);
      return [];
    }
    // Only the peer's own MAC counts as the peer: a proxy-ARP router must not pass for it.
    if (equalBytes(mac, path.peer_mac)) {
      this.#journal.verdict = "peer-answers";
      this.#evidence.answered(now_ms);
      return [];
    }
    this.#journal.verdict = "conflict";
    if (now_ms - this.#conflict_event_ms >= CONFLICT_EVENT_INTERVAL_MS) {
      this.#conflict_event_ms = now_ms;
      this.#journal.event("address-conflict", macText(mac), path.nic, shared.text);
    }
    this.#journal.raise("address-conflict", CONFLICT_ALARM_MS, macText(mac), path.nic, shared.text);
    return this.#announcer.defend(now_ms, shared);
  }

  /**
   * Both ask for the shared addresses at once: nobody has them, and both would claim (RFC 5227 section 2.1.1 calls it a
   * conflict). Node 1 goes first.
   */
  #giveWay({ node, addresses }: CoreConfiguration, path: CorePath, frame: Uint8Array): void {
    if (!equalBytes(sourceMac(frame), path.peer_mac)) return;
    const ip = probedAddress(frame);
    if (ip === null || !addresses.some((address) => address.slot === path.slot && equalBytes(address.ip, ip))) return;
    this.#journal.verdict = "peer-asks";
    if (node !== 1) this.#evidence.giveWay();
  }
}
