/**
 * Evidence: does a silent peer still hold the shared addresses?
 *
 * Before a claim the backup asks for the shared addresses on the data networks (ARP probe, RFC 5227
 * section 2.1.1; neighbour solicitation for IPv6). A frozen or dead node, or one whose gate the
 * kernel has shut, does not answer. One whose kernel answers is still the owner, whatever its
 * heartbeats say, and is asked again until it stops. Only the peer's own MAC counts as the peer.
 *
 * A machine that is frozen just now does not answer either, and owns the addresses again when it thaws while its
 * lease lives. When that ends, the last heartbeat that was heard does not tell, as later ones may have been lost;
 * the first question without an answer does. So the kernel must be silent for longer than a lease, just as the
 * heart must be.
 */
import { emitArpProbe } from "../wire/arp.ts";
import { emitNeighbourProbe } from "../wire/ndp.ts";
import { LEASE_SLACK_MS } from "./tuning.ts";
import type { CorePath, OutgoingFrame, SharedAddress } from "./types.ts";

const PROBE_INTERVAL_MS = 3;
/** As much as the silence must last longer than a lease (tuning.ts). */
const GAP_MS_MAX = LEASE_SLACK_MS;
/** Addresses asked for per network and round; all are held or released together. */
const PROBED_PER_SLOT = 2;

export class Evidence {
  /** Longer than a lease. */
  wait_ms: number;
  #first_unanswered_ms = Number.POSITIVE_INFINITY;
  #next_probe_ms = Number.NEGATIVE_INFINITY;
  #asked_ms = Number.NEGATIVE_INFINITY;
  #answered_ms = Number.NEGATIVE_INFINITY;
  #round = 0;

  constructor(wait_ms: number) {
    this.wait_ms = wait_ms;
  }

  /** Forgets everything asked so far: the peer was heard. */
  reset(): void {
    this.#first_unanswered_ms = Number.POSITIVE_INFINITY;
    this.#next_probe_ms = Number.NEGATIVE_INFINITY;
    this.#answered_ms = Number.NEGATIVE_INFINITY;
  }

  /** The peer's own MAC answered for a shared address. */
  answered(now_ms: number): void {
    this.#answered_ms = now_ms;
    this.giveWay();
  }

  /** The peer asks for the same addresses, and goes first: what was asked before it does not count. */
  giveWay(): void {
    this.#first_unanswered_ms = Number.POSITIVE_INFINITY;
  }

  get answered_ms(): number {
    return this.#answered_ms;
  }

  get next_probe_ms(): number {
    return this.#next_probe_ms;
  }

  /** When the present probes become evidence; infinite before the first of them. */
  get conclusive_ms(): number {
    return this.#first_unanswered_ms + this.wait_ms;
  }

  /** Nobody answered long enough: the addresses are free. */
  isConclusive(now_ms: number): boolean {
    return now_ms >= this.conclusive_ms;
  }

  /** The probes due now, on every data network with a carrier. Without one there can be no evidence. */
  probes(
    now_ms: number,
    paths: readonly CorePath[],
    up: (slot: number) => boolean,
    addresses: readonly SharedAddress[],
  ): OutgoingFrame[] {
    if (now_ms < this.#next_probe_ms) return [];
    const frames: OutgoingFrame[] = [];
    for (const path of paths) {
      if (path.slot === 0 || !up(path.slot)) continue;
      const here = addresses.filter((address) => address.slot === path.slot);
      for (let i = 0; i < Math.min(PROBED_PER_SLOT, here.length); i++) {
        const address = here[(this.#round + i) % here.length];
        if (address === undefined) continue;
        const emit = address.ip.length === 4 ? emitArpProbe : emitNeighbourProbe;
        frames.push({ slot: path.slot, frame: emit(path.mac, address.ip) });
      }
    }
    if (frames.length === 0) return frames;
    this.#round++;
    this.#next_probe_ms = now_ms + PROBE_INTERVAL_MS;
    if (this.#first_unanswered_ms === Number.POSITIVE_INFINITY) this.#first_unanswered_ms = now_ms;
    // In a longer gap between two questions, as while we hung ourselves, the peer could have opened its gate unnoticed.
    else this.#first_unanswered_ms += Math.max(0, now_ms - this.#asked_ms - GAP_MS_MAX);
    this.#asked_ms = now_ms;
    return frames;
  }
}
