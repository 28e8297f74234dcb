/** What a service manager such as systemd wants to hear (sd_notify(3)): ready, still there, ending. Nothing without one. */
import { SystemFailure } from "../errors.ts";
import type { Shim } from "../shim.ts";

export class ServiceManager {
  readonly #shim: Pick<Shim, "notify">;
  /** Where it listens; empty without one. */
  readonly #socket: string;
  /** How often it wants to hear that the process is there; 0 for never. */
  readonly #interval_ms: number;
  #telling: Timer | undefined;

  constructor(shim: Pick<Shim, "notify">, environment: Record<string, string | undefined>) {
    this.#shim = shim;
    this.#socket = environment["NOTIFY_SOCKET"] ?? "";
    // Twice as often as it must.
    this.#interval_ms = Math.floor((Number(environment["WATCHDOG_USEC"] ?? 0) || 0) / 1000 / 2);
  }

  ready(): void {
    this.#tell("READY=1");
    if (this.#interval_ms > 0) this.#telling = setInterval(() => this.#tell("WATCHDOG=1"), this.#interval_ms);
  }

  /** It is still told that the process is there: a clean stop may take longer than its patience. */
  stopping(): void {
    this.#tell("STOPPING=1");
  }

  stop(): void {
    clearInterval(this.#telling);
  }

  #tell(text: string): void {
    if (this.#socket === "") return;
    try {
      this.#shim.notify(this.#socket, new TextEncoder().encode(text));
    } catch (error) {
      // A manager that does not listen does what it does; the node's work is another.
      if (!(error instanceof SystemFailure)) throw error;
    }
  }
}
