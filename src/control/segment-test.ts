/** One side of a segment test: probes out of each matched card, and on which cards the peer's come in. */
import type { Report } from "../core/pairing/messages.ts";
import { listLinks } from "../kernel/links.ts";
import { openShim } from "../shim.ts";
import type { PairingWire } from "./pairing-wire.ts";

const REPEAT_MS = 100;

/** The n-th match: the card here, what its probes carry, and what those of its counterpart carry. */
export interface Ours {
  nic: string;
  says: string;
  expects: string;
}

export class SegmentTest {
  readonly #wire: PairingWire;
  readonly #matches: Ours[];
  readonly #arrived = new Map<string, { match: number; nic: string }>();
  #said_ms = Number.NEGATIVE_INFINITY;

  constructor(wire: PairingWire, matches: Ours[]) {
    this.#wire = wire;
    this.#matches = matches;
  }

  turn(now_ms: number): void {
    if (now_ms - this.#said_ms < REPEAT_MS) return;
    this.#said_ms = now_ms;
    for (const { nic, says } of this.#matches) this.#wire.say(nic, { kind: "probe", token: says });
  }

  hear(nic: string, token: string): void {
    const match = this.#matches.findIndex(({ expects }) => expects === token);
    if (match >= 0) this.#arrived.set(`${match} ${nic}`, { match, nic });
  }

  report(): Report {
    const links = listLinks(openShim());
    const hasLink = (nic: string) => links.some(({ name, carrier }) => name === nic && carrier);
    return {
      arrivals: [...this.#arrived.values()],
      unlinked: this.#matches.map(({ nic }) => nic).filter((nic) => !hasLink(nic)),
    };
  }
}
