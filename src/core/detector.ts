/**
 * Failure detector: after how long a silence is the peer suspected?
 *
 * The phi accrual detector (Hayashibara, Défago, Yared, Katayama: The phi Accrual Failure Detector,
 * SRDS 2004) keeps a window of the times between heartbeats and asks how improbable the present
 * silence is under a normal distribution with their mean and variance. We fix phi and turn it round:
 * the silence at which phi is reached, kept between a floor (the lease must have ended by then) and
 * a ceiling (a dead node must be replaced, however noisy its paths were).
 */

/** phi = 8 is a false suspicion in 10^8 heartbeats; a normal distribution reaches it 5.6 deviations above its mean. */
const DEVIATIONS_AT_PHI_8 = 5.6;
const WINDOW = 512;
/** Below this many samples the window says nothing yet, and the ceiling holds. */
const SAMPLES_MIN = 32;

export class Detector {
  #floor_ms: number;
  #ceiling_ms: number;
  readonly #samples = new Float64Array(WINDOW);
  #count = 0;
  #next = 0;
  #sum = 0;
  #sum_of_squares = 0;
  #heard_ms = Number.NEGATIVE_INFINITY;
  #timeout_ms: number;

  constructor(floor_ms: number, ceiling_ms: number) {
    this.#floor_ms = floor_ms;
    this.#ceiling_ms = ceiling_ms;
    this.#timeout_ms = ceiling_ms;
  }

  setBounds(floor_ms: number, ceiling_ms: number): void {
    this.#floor_ms = floor_ms;
    this.#ceiling_ms = ceiling_ms;
    this.#timeout_ms = this.#judge();
  }

  /** A heartbeat was heard for the first time (not a copy from another path). */
  heard(now_ms: number): void {
    const interval_ms = now_ms - this.#heard_ms;
    this.#heard_ms = now_ms;
    // A silence that ended in a takeover, a reboot or our own sleep says nothing about the path.
    if (interval_ms >= this.#ceiling_ms) return;
    const oldest = this.#samples[this.#next] ?? 0;
    this.#samples[this.#next] = interval_ms;
    this.#next = (this.#next + 1) % WINDOW;
    if (this.#count < WINDOW) this.#count++;
    this.#sum += interval_ms - oldest;
    this.#sum_of_squares += interval_ms * interval_ms - oldest * oldest;
    this.#timeout_ms = this.#judge();
  }

  /** Starts the silence anew without a heartbeat: we slept ourselves, and the peer may have been talking. */
  forgive(now_ms: number): void {
    if (this.#heard_ms !== Number.NEGATIVE_INFINITY) this.#heard_ms = now_ms;
  }

  /** Milliseconds since the last heartbeat; infinite before the first. */
  silence_ms(now_ms: number): number {
    return now_ms - this.#heard_ms;
  }

  /** The silence from which on the peer is suspected. */
  get timeout_ms(): number {
    return this.#timeout_ms;
  }

  isSilent(now_ms: number): boolean {
    return this.silence_ms(now_ms) >= this.#timeout_ms;
  }

  #judge(): number {
    if (this.#count < SAMPLES_MIN) return this.#ceiling_ms;
    const mean = this.#sum / this.#count;
    const variance = Math.max(0, this.#sum_of_squares / this.#count - mean * mean);
    const timeout_ms = mean + DEVIATIONS_AT_PHI_8 * Math.sqrt(variance);
    return Math.min(this.#ceiling_ms, Math.max(this.#floor_ms, timeout_ms));
  }
}
