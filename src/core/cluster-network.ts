/**
 * The cluster network's own health (S5a). Its loss moves the active role only where it was heard long
 * enough to be trusted: a link that comes and goes must not make the role come and go.
 */

const TRUST_MS = 2000;

export class ClusterNetwork {
  #heard_since_ms = Number.POSITIVE_INFINITY;

  /** True at the moment of the loss of a network that was trusted. */
  isLost(heard: boolean, now_ms: number): boolean {
    if (heard) {
      this.#heard_since_ms = Math.min(this.#heard_since_ms, now_ms);
      return false;
    }
    const trusted = now_ms - this.#heard_since_ms >= TRUST_MS;
    this.#heard_since_ms = Number.POSITIVE_INFINITY;
    return trusted;
  }

  /** The loss that brought us the active role must not send it back: trust is earned anew. */
  earnTrustAnew(now_ms: number): void {
    if (this.#heard_since_ms < now_ms) this.#heard_since_ms = now_ms;
  }
}
