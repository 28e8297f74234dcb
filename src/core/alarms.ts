/** What an administrator should know now: each alarm is shown for a while after its cause was last seen. */
export interface Alarm {
  code: string;
  message: string;
}

export class Alarms {
  readonly #alarms = new Map<string, { message: string; until_ms: number }>();

  /** True where the alarm was not shown already. */
  raise(code: string, message: string, now_ms: number, hold_ms: number): boolean {
    const is_new = !this.isRaised(code, now_ms);
    this.#alarms.set(code, { message, until_ms: now_ms + hold_ms });
    return is_new;
  }

  clear(code: string): void {
    this.#alarms.delete(code);
  }

  isRaised(code: string, now_ms: number): boolean {
    return now_ms < (this.#alarms.get(code)?.until_ms ?? Number.NEGATIVE_INFINITY);
  }

  list(now_ms: number): Alarm[] {
    return [...this.#alarms]
      .filter(([code]) => this.isRaised(code, now_ms))
      .map(([code, { message }]) => ({ code, message }));
  }
}
