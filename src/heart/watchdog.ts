/**
 * The hardware watchdog, fed by the heart's own loop: a heart that is stopped, hangs or spins in one step feeds nothing,
 * and the machine resets. The heart never disarms it: when it dies, the device stays armed and whoever comes next, the
 * heart that is started again, goes on feeding. A clean stop of the node disarms (control/watchdog.ts).
 */
import { sentence } from "../errors.ts";
import type { Handle, Shim } from "../shim.ts";
import type { Report, WatchdogStatus } from "./messages.ts";

export const WATCHDOG_TIMEOUT_S = 10;
/** A heart that died just before the next time, and is started again after its longest pause, is early enough. */
const FEED_INTERVAL_MS = (WATCHDOG_TIMEOUT_S * 1000) / 4;
const OPEN_RETRY_MS = 500;
/** A predecessor that is dying holds the device until then. */
const TROUBLE_AFTER_MS = 2000;

export class Watchdog {
  readonly #shim: Pick<Shim, "openWatchdog" | "petWatchdog" | "close">;
  readonly #path: string;
  readonly #report: Report;
  #handle: Handle | null = null;
  #due_ms = Number.NEGATIVE_INFINITY;
  #failing_since_ms: number | null = null;
  #trouble: string | null = null;

  constructor(shim: Pick<Shim, "openWatchdog" | "petWatchdog" | "close">, path: string, report: Report) {
    this.#shim = shim;
    this.#path = path;
    this.#report = report;
  }

  get status(): WatchdogStatus {
    return { device: this.#path, armed: this.#handle !== null, trouble: this.#trouble };
  }

  /** Once the loop has done a whole turn. */
  feed(now_ms: number): void {
    if (now_ms < this.#due_ms) return;
    try {
      if (this.#handle === null) this.#open();
      else this.#shim.petWatchdog(this.#handle);
      this.#due_ms = now_ms + FEED_INTERVAL_MS;
      this.#failing_since_ms = null;
    } catch (error) {
      this.#due_ms = now_ms + OPEN_RETRY_MS;
      this.#letGo();
      this.#failing_since_ms ??= now_ms;
      if (this.#trouble === null && now_ms - this.#failing_since_ms >= TROUBLE_AFTER_MS) this.#say(sentence(error));
    }
  }

  /** Opening arms it, and counts as the first time. */
  #open(): void {
    this.#handle = this.#shim.openWatchdog(this.#path, WATCHDOG_TIMEOUT_S);
    this.#trouble = null;
    const message = `The watchdog ${this.#path} is armed: it resets this machine ${WATCHDOG_TIMEOUT_S} s after the heartbeat's process stopped.`;
    this.#report("watchdog-armed", "info", message);
  }

  /** Opened anew the next time: a device that refused once may be another one by then. */
  #letGo(): void {
    if (this.#handle === null) return;
    this.#shim.close(this.#handle);
    this.#handle = null;
  }

  #say(trouble: string): void {
    this.#trouble = trouble;
    const message = `The watchdog ${this.#path} cannot be used, so a machine that hangs is not reset: ${trouble}.`;
    this.#report("watchdog-failed", "error", message);
  }
}
