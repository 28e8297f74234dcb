/**
 * Was a claim allowed? Judged by what really left, arrived and was read, not by what the core says.
 *
 *   - by consent: the peer itself said it, in a term of the claimant, while it was not active; and it does not
 *     serve now;
 *   - by evidence: nothing new from the peer was read for the time of detection, and a probe has been on its
 *     way for the time an answer may take (less what it may have been sent late), without an answer from the peer's card;
 *   - resuming: the peer said since the sleep that it has claimed nothing; and it does not serve.
 */
import { PROMPT_MS } from "../../src/core/tuning.ts";
import { ETHER_TYPE, etherType } from "../../src/wire/ethernet.ts";
import type { WireRole } from "../../src/wire/heartbeat.ts";
import { parseNeighbour } from "../../src/wire/ndp.ts";
import { nodeMac, sharedAddresses } from "./addresses.ts";
import type { Cause, Context } from "./context.ts";
import type { Judge } from "./judge.ts";
import type { Machine } from "./machine.ts";
import { macKey, type Origin } from "./network.ts";

const ARP_SENDER_IP = 28;
const CHALLENGE = 50;
const ECHO_SESSION = 54;
const ECHO_CHALLENGE = 62;
/** Rounding of clocks that run at different rates. */
const ROUNDING_US = 20;

interface Record {
  /** The term of its last claim. */
  claimed: number;
  session: number;
  /** What it last asked a new session of its peer to repeat. */
  challenge: number;
  /** By the node's own clock: when something new from the peer was last read. */
  heard_us: number;
  newest: Origin | null;
  /** Since when a probe is unanswered. */
  asked_us: number;
}

export class Oracle {
  readonly #context: () => Context;
  readonly #judge: Judge;
  readonly #records: Record[] = [];

  constructor(context: () => Context, judge: Judge) {
    this.#context = context;
    this.#judge = judge;
  }

  #recordOf(machine: Machine): Record {
    const session = machine.heart?.election.conversation.session ?? 0;
    const known = this.#records[machine.index];
    if (known !== undefined && known.session === session) return known;
    const record = {
      claimed: 0,
      session,
      challenge: 0,
      heard_us: Number.NEGATIVE_INFINITY,
      newest: null,
      asked_us: Number.POSITIVE_INFINITY,
    };
    this.#records[machine.index] = record;
    return record;
  }

  read(machine: Machine, slot: number, frame: Uint8Array, origin: Origin | null): void {
    if (etherType(frame) === ETHER_TYPE.understudy) {
      if (origin === null || origin.node === machine.index) return;
      const record = this.#recordOf(machine);
      if (record.newest !== null && origin.at_us <= record.newest.at_us) return;
      // Only a peer that knows us, and what we ask of a new session, can be believed; before, it may be a recording.
      if (readUint(frame, ECHO_SESSION, 8) !== record.session) return;
      const is_known = origin.session === record.newest?.session;
      if (!is_known && readUint(frame, ECHO_CHALLENGE, 4) !== record.challenge) return;
      record.newest = origin;
      record.heard_us = machine.heart?.local_us ?? 0;
      record.asked_us = Number.POSITIVE_INFINITY;
    } else if (slot > 0 && macKey(frame, 6) === macKey(nodeMac(1 - machine.index, slot), 0)) {
      if (ownsShared(frame, slot, this.#context().plan.ipv6))
        this.#recordOf(machine).asked_us = Number.POSITIVE_INFINITY;
    }
  }

  /** The heart's process has sent a frame; a probe that left counts as asked. */
  sent(machine: Machine, frame: Uint8Array): void {
    const record = this.#recordOf(machine);
    if (etherType(frame) === ETHER_TYPE.understudy) {
      record.challenge = readUint(frame, CHALLENGE, 4);
      return;
    }
    if (!isProbe(frame)) return;
    record.asked_us = Math.min(record.asked_us, machine.heart?.local_us ?? 0);
  }

  /** Of two claims the higher one stays. */
  yielded(machine: Machine): void {
    const { claimed, newest } = this.#recordOf(machine);
    if (newest === null || newest.term < claimed)
      this.#judge.violation("yield", `${machine.name} gives up term ${claimed} for term ${newest?.term ?? 0}`);
  }

  claimed(machine: Machine, peer: Machine, from: WireRole | "off", cause: Cause, term: number): void {
    const record = this.#recordOf(machine);
    const { newest } = record;
    const claim = `${machine.name} claims term ${term} by ${cause}`;
    const refuse = (why: string): never => this.#judge.violation("claim", `${claim}: ${why}`);
    record.claimed = term;
    if (term % 2 === machine.index) refuse("the term is the other node's");
    if (cause === "created") return;
    if (machine.heart?.gate_broken === true) refuse("its gate is broken");
    if (cause !== "acknowledged" && term <= (machine.heart?.term_floor ?? 0))
      refuse(`term ${machine.heart?.term_floor} was known to its disk at the start`);
    if (cause === "evidence") {
      const { detect_floor_ms } = this.#context().plan.tuning;
      const local_us = machine.heart?.local_us ?? 0;
      if (local_us - record.heard_us < detect_floor_ms * 1000 - ROUNDING_US)
        refuse(`the peer was heard ${Math.round(local_us - record.heard_us)} µs ago`);
      if (!(local_us - record.asked_us >= (detect_floor_ms - PROMPT_MS) * 1000 - ROUNDING_US))
        refuse(`an unanswered probe is on its way since ${Math.round(local_us - record.asked_us)} µs`);
      return;
    }
    if (newest === null) return refuse("the peer has said nothing");
    if (newest.role === "active") refuse("the peer's last word was that it is active");
    if (cause === "consent" && newest.term !== term) refuse(`the peer spoke of term ${newest.term}`);
    if (from === "resuming" && newest.term > term) refuse(`the peer knows term ${newest.term}`);
    machine.trusts_stood_word = newest.at_us < machine.stood_us;
    if (machine.trusts_stood_word) return;
    if (peer.serves() && !peer.lease_stood) refuse("the peer serves");
    if (peer.heart?.election.role === "active" && !peer.frozen) refuse("the peer is active");
  }
}

function readUint(frame: Uint8Array, at: number, bytes: number): number {
  let value = 0;
  for (let i = 0; i < bytes; i++) value = value * 256 + (frame[at + i] ?? 0);
  return value;
}

function isProbe(frame: Uint8Array): boolean {
  if (etherType(frame) === ETHER_TYPE.arp) {
    for (let i = 0; i < 4; i++) if (frame[ARP_SENDER_IP + i] !== 0) return false;
    return true;
  }
  return parseNeighbour(frame)?.source.every((byte) => byte === 0) === true;
}

function ownsShared(frame: Uint8Array, slot: number, ipv6: boolean): boolean {
  if (etherType(frame) === ETHER_TYPE.arp) {
    return sharedAddresses(false).some(
      (shared) => shared.slot === slot && shared.ip.every((byte, i) => frame[ARP_SENDER_IP + i] === byte),
    );
  }
  const neighbour = ipv6 ? parseNeighbour(frame) : null;
  if (neighbour?.kind !== "advertisement") return false;
  return sharedAddresses(true).some(
    ({ slot: at, ip }) => at === slot && ip.every((byte, i) => neighbour.target[i] === byte),
  );
}
