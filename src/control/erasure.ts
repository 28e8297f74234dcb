/**
 * The reset to a fresh install, once the peer has said that the cluster is gone (S20). Until everything is off the disk
 * the node stays as it is, erased and silent: its settings hold addresses that its former peer uses now, so it
 * must not go on with them as a node of its own.
 */
import { sentence } from "../errors.ts";

/** How long a node that is reset goes on saying that it knows. */
const FAREWELL_MS = 500;
/** A disk that refused is tried again so often. */
const RETRY_MS = 10_000;

export interface ErasureHost {
  /** From here on a restart ends in a fresh install, too. */
  begin(): void;
  /** Removes everything from the disk. */
  erase(): void;
  /** What is left is a fresh install. */
  done(): void;
  failed(message: string): void;
}

export class Erasure {
  readonly #host: ErasureHost;
  readonly #times: { farewell_ms: number; retry_ms: number };
  #timer: Timer | undefined;
  #phase: "idle" | "due" | "begun" | "done" = "idle";

  constructor(host: ErasureHost, times = { farewell_ms: FAREWELL_MS, retry_ms: RETRY_MS }) {
    this.#host = host;
    this.#times = times;
  }

  /** Once; told again until the heart has become another one, it does nothing. */
  start(): void {
    if (this.#phase !== "idle") return;
    this.#phase = "due";
    this.#try(() => this.#begin());
    this.#timer = setTimeout(() => this.#erase(), this.#times.farewell_ms);
  }

  /** The heart is no longer one that was told so: the next cluster may end in the same way. */
  forget(): void {
    if (this.#phase === "done") this.#phase = "idle";
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #begin(): void {
    if (this.#phase === "due") this.#host.begin();
    this.#phase = "begun";
  }

  #erase(): void {
    const is_done = this.#try(() => {
      this.#begin();
      this.#host.erase();
    });
    if (!is_done) {
      this.#timer = setTimeout(() => this.#erase(), this.#times.retry_ms);
      return;
    }
    this.#phase = "done";
    this.#host.done();
  }

  #try(work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      this.#host.failed(
        `This node cannot be reset to a fresh install yet, and does nothing until then: ${sentence(error)}`,
      );
      return false;
    }
  }
}
