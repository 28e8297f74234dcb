/**
 * Data links and their health. A link that is lost counts as lost at once; one that returns counts
 * as up only after a while, so that a flapping cable cannot make the cluster flap.
 */

const UP_DELAY_MS = 2000;

interface Link {
  carrier: boolean;
  /** When the carrier came; counts as up after the delay. Minus infinity: it was there from the start. */
  since_ms: number;
}

export class Links {
  readonly #links = new Map<number, Link>();

  carrier(slot: number, up: boolean, now_ms: number): void {
    const link = this.#links.get(slot);
    if (link === undefined) this.#links.set(slot, { carrier: up, since_ms: Number.NEGATIVE_INFINITY });
    else if (link.carrier !== up) this.#links.set(slot, { carrier: up, since_ms: now_ms });
  }

  /** Forgets links that are no longer used. */
  keep(slots: readonly number[]): void {
    for (const slot of [...this.#links.keys()]) if (!slots.includes(slot)) this.#links.delete(slot);
  }

  /** True once anything is known of the link. */
  has(slot: number): boolean {
    return this.#links.has(slot);
  }

  hasCarrier(slot: number): boolean {
    return this.#links.get(slot)?.carrier ?? false;
  }

  /** There are data links, and all of them have lost their carrier. */
  get isCutOff(): boolean {
    const data = [...this.#links].filter(([slot]) => slot !== 0);
    return data.length > 0 && data.every(([, link]) => !link.carrier);
  }

  /** Data links with a carrier as bits, slot n as bit n. */
  get carriers(): number {
    let bits = 0;
    for (const [slot, link] of this.#links) if (slot !== 0 && link.carrier) bits |= 1 << slot;
    return bits >>> 0;
  }

  /** Healthy data links: those whose carrier has been there for a while. */
  bits(now_ms: number): number {
    let bits = 0;
    for (const [slot, link] of this.#links) {
      if (slot !== 0 && link.carrier && now_ms - link.since_ms >= UP_DELAY_MS) bits |= 1 << slot;
    }
    return bits >>> 0;
  }
}

export function countBits(bits: number): number {
  let count = 0;
  for (let rest = bits; rest !== 0; rest &= rest - 1) count++;
  return count;
}
