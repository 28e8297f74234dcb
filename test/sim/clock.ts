/** A machine's monotonic clock: begins anywhere, runs a little fast or slow, and may be stopped. */

export class Clock {
  readonly #rate: number;
  #true_us = 0;
  #local_us: number;
  running = true;

  constructor(offset_us: number, drift_ppm: number) {
    this.#local_us = offset_us;
    this.#rate = 1 + drift_ppm / 1e6;
  }

  local(true_us: number): number {
    return this.running ? this.#local_us + (true_us - this.#true_us) * this.#rate : this.#local_us;
  }

  /** When this clock will show `local_us`, should it not be stopped. */
  whenShows(local_us: number): number {
    return this.#true_us + (local_us - this.#local_us) / this.#rate;
  }

  stop(true_us: number): void {
    this.#set(true_us);
    this.running = false;
  }

  go(true_us: number): void {
    this.#set(true_us);
    this.running = true;
  }

  #set(true_us: number): void {
    this.#local_us = this.local(true_us);
    this.#true_us = true_us;
  }
}
