/** What the core has to tell people: events of this step, alarms that last a while, frames dropped by reason. */
import type { HeartEvent, SwitchCause } from "../heart/messages.ts";
import { NOTICES, type NoticeCode, type NoticeValues, noticeText } from "./notices.ts";
import type { Verdict } from "./verdicts.ts";

export interface Alarm {
  code: string;
  message: string;
}

export class Journal {
  readonly dropped: Record<string, number> = {};
  /** What became of the frame at hand. */
  verdict: Verdict = "no-matter";
  readonly #alarms = new Map<NoticeCode, { message: string; until_ms: number }>();
  #events: HeartEvent[] = [];
  #now_ms: number;

  constructor(now_ms: number) {
    this.#now_ms = now_ms;
  }

  /** The time of everything that is written from now on. */
  turnTo(now_ms: number): void {
    this.#now_ms = now_ms;
  }

  event<Code extends NoticeCode>(code: Code, ...values: NoticeValues<Code>): void {
    const { severity } = NOTICES[code];
    this.#events.push({ code, severity, message: noticeText(code, values), at_ms: this.#now_ms });
  }

  /** This node became active: also in figures, for whoever counts switches. */
  claimed(term: number, cause: SwitchCause, outage_ms: number | null): void {
    this.event("became-active", term, cause);
    const event = this.#events.at(-1);
    if (event !== undefined)
      Object.assign(event, { cause, ...(outage_ms === null ? {} : { outage_ms: Math.round(outage_ms) }) });
  }

  /** The events since the last call. */
  takeEvents(): HeartEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /** An alarm, and an event too where it did not stand already. */
  alarm<Code extends NoticeCode>(code: Code, hold_ms: number, ...values: NoticeValues<Code>): void {
    if (!this.isRaised(code)) this.event(code, ...values);
    this.raise(code, hold_ms, ...values);
  }

  /** An alarm stands for `hold_ms` from the last time it was raised. */
  raise<Code extends NoticeCode>(code: Code, hold_ms: number, ...values: NoticeValues<Code>): void {
    this.#alarms.set(code, { message: noticeText(code, values), until_ms: this.#now_ms + hold_ms });
  }

  clear(code: NoticeCode): void {
    this.#alarms.delete(code);
  }

  isRaised(code: NoticeCode): boolean {
    const alarm = this.#alarms.get(code);
    return alarm !== undefined && this.#now_ms < alarm.until_ms;
  }

  alarms(): Alarm[] {
    return [...this.#alarms].filter(([code]) => this.isRaised(code)).map(([code, { message }]) => ({ code, message }));
  }

  drop(reason: Verdict): void {
    this.verdict = reason;
    this.dropped[reason] = (this.dropped[reason] ?? 0) + 1;
  }
}
