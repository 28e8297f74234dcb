/**
 * Work that takes much memory and a core, one piece at a time: passwords and passphrases are slow to try on purpose,
 * and many at once would take the memory of a small appliance. Whoever finds the queue full is told so at once.
 */
import { Failure } from "../errors.ts";

const WAITING_MAX = 8;

export class Turns {
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  /** Throws Failure `busy` where too many wait already. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting >= WAITING_MAX)
      throw new Failure("busy", "Too many passwords are being checked at the moment; try again in some seconds.");
    this.#waiting += 1;
    const mine = this.#last.then(work);
    this.#last = mine.catch(() => undefined);
    try {
      return await mine;
    } finally {
      this.#waiting -= 1;
    }
  }
}

/** The one queue of this process. */
export const slowTurns: Turns = new Turns();
