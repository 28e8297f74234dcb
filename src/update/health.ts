/**
 * Whether a system on trial has proved itself. Decides over facts and a time that is brought to it.
 *
 *   all is well for 30 s ──▶ bless
 *   not within 5 minutes of its start ──▶ reboot; systemd-boot tries again, and after three tries the other slot
 */

export const WELL_MS = 30_000;
export const TRIAL_MS_MAX = 300_000;

export interface Vitals {
  /** Heartbeats run: the heart's word is fresh. */
  heart: boolean;
  /** Settings are loaded, and usable. */
  settings: boolean;
  /** In a cluster: the peer is heard, or nobody expects it. */
  peer: boolean;
  /** A request to this node's own page was answered; true where the web interface is off. */
  web: boolean;
}

const MISSING: Record<keyof Vitals, string> = {
  heart: "its heartbeats did not run",
  settings: "its settings did not load",
  peer: "it did not hear its peer",
  web: "its web interface did not answer",
};

export type Verdict = { kind: "wait"; missing: string | null } | { kind: "bless" } | { kind: "reboot"; reason: string };

export class Trial {
  readonly #began_ms: number;
  #well_since_ms: number | null = null;
  #missing: string[] = [];

  /** `began_ms`: when this start of the system began, on the clock that `judge` is given. */
  constructor(began_ms: number) {
    this.#began_ms = began_ms;
  }

  judge(now_ms: number, vitals: Vitals): Verdict {
    const missing = (Object.keys(MISSING) as (keyof Vitals)[]).filter((name) => !vitals[name]);
    if (missing.length === 0) {
      this.#well_since_ms ??= now_ms;
      if (now_ms - this.#well_since_ms >= WELL_MS) return { kind: "bless" };
    } else {
      this.#well_since_ms = null;
      this.#missing = missing.map((name) => MISSING[name as keyof Vitals]);
    }
    if (now_ms - this.#began_ms < TRIAL_MS_MAX)
      return { kind: "wait", missing: missing.length === 0 ? null : this.#missing.join(", and ") };
    const why = this.#missing.length === 0 ? "it was not well for long enough" : this.#missing.join(", and ");
    return { kind: "reboot", reason: why };
  }
}
