/**
 * When a node whose service will not run hands over. The heart is told the reason, shows this node as unwilling, and
 * hands over at that moment if its peer is willing. Where the peer was away then, it is tried once more when it is back:
 * once, so that two nodes with the same trouble do not pass the role to and fro.
 */

export interface Standing {
  /** What will not run, in words; null where all is well. */
  unfit: string | null;
  is_active: boolean;
  peer_heard: boolean;
  peer_unwilling: boolean;
}

export class Unfitness {
  #owing = false;
  #was_unfit = false;

  /** True: the heart is to be asked for a switch now. */
  step({ unfit, is_active, peer_heard, peer_unwilling }: Standing): boolean {
    const is_new = unfit !== null && !this.#was_unfit;
    this.#was_unfit = unfit !== null;
    if (unfit === null || !is_active) {
      this.#owing = false;
      return false;
    }
    if (is_new) this.#owing = !peer_heard;
    if (!this.#owing || !peer_heard) return false;
    this.#owing = false;
    return !peer_unwilling;
  }
}
