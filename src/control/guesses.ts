/**
 * Limits on guessing passwords: who is wrong waits longer each time, and after ten wrong tries in a row a name is locked for
 * a quarter of an hour. All names together have a wait too, so that many names are no way around it. Names that nobody
 * has are counted like the others: the limits tell nothing about who exists. Kept in memory: a restart forgets it.
 */
import { Failure } from "../errors.ts";

const FREE_TRIES = 3;
const LOCK_TRIES = 10;
const LOCK_MS = 15 * 60_000;
const OVERALL_FREE_TRIES = 20;
const OVERALL_WAIT_MS_MAX = 60_000;
const FIRST_WAIT_MS = 1000;
const NAMES_MAX = 256;

interface Tries {
  wrong: number;
  last_ms: number;
  free_at_ms: number;
}

const none = (): Tries => ({ wrong: 0, last_ms: Number.NEGATIVE_INFINITY, free_at_ms: Number.NEGATIVE_INFINITY });

export class Guesses {
  readonly #now_ms: () => number;
  readonly #names = new Map<string, Tries>();
  #overall = none();

  /** @param now_ms a monotonic clock, so that setting the wall clock opens nothing. */
  constructor(now_ms: () => number) {
    this.#now_ms = now_ms;
  }

  /**
   * Before a password is looked at. It counts as wrong until `right` says otherwise: tries sent all at once are
   * as many as tries sent one after the other. Throws Failure `too-many-tries`.
   */
  begin(name: string): void {
    const now_ms = this.#now_ms();
    const mine = fresh(this.#names.get(name) ?? none(), now_ms);
    this.#overall = fresh(this.#overall, now_ms);
    const wait_ms = Math.max(mine.free_at_ms, this.#overall.free_at_ms) - now_ms;
    if (wait_ms > 0)
      throw new Failure(
        "too-many-tries",
        `Too many wrong passwords; try again in ${inWords(wait_ms)}, or set a new one on the server's console.`,
      );
    charge(mine, now_ms, mine.wrong + 1 >= LOCK_TRIES ? LOCK_MS : doubled(mine.wrong + 1 - FREE_TRIES));
    charge(this.#overall, now_ms, Math.min(OVERALL_WAIT_MS_MAX, doubled(this.#overall.wrong + 1 - OVERALL_FREE_TRIES)));
    this.#keep(name, mine);
  }

  /** The try that began was right. */
  right(name: string): void {
    this.#names.delete(name);
    this.#overall.wrong = Math.max(0, this.#overall.wrong - 1);
    if (this.#overall.wrong < OVERALL_FREE_TRIES) this.#overall.free_at_ms = Number.NEGATIVE_INFINITY;
  }

  /** A new password was set on the console. */
  forget(name: string): void {
    this.#names.delete(name);
    this.#overall = none();
  }

  /** Bounded: the name that was tried longest ago goes. Filling it takes long, as all names together wait. */
  #keep(name: string, tries: Tries): void {
    this.#names.delete(name);
    this.#names.set(name, tries);
    const oldest = this.#names.keys().next().value;
    if (this.#names.size > NAMES_MAX && oldest !== undefined) this.#names.delete(oldest);
  }
}

/** After a quarter of an hour without a wrong try, or once the lock has ended, counting begins anew. */
function fresh(tries: Tries, now_ms: number): Tries {
  return now_ms - tries.last_ms >= LOCK_MS ? none() : tries;
}

function charge(tries: Tries, now_ms: number, wait_ms: number): void {
  tries.wrong += 1;
  tries.last_ms = now_ms;
  tries.free_at_ms = now_ms + wait_ms;
}

/** Nothing for 0 and less, then 1 s, 2 s, 4 s … */
function doubled(steps: number): number {
  return steps <= 0 ? 0 : FIRST_WAIT_MS * 2 ** Math.min(steps - 1, 16);
}

function inWords(wait_ms: number): string {
  const seconds = Math.ceil(wait_ms / 1000);
  if (seconds > 90) return `${Math.ceil(seconds / 60)} minutes`;
  return seconds === 1 ? "1 second" : `${seconds} seconds`;
}
