/** What happened on this node, newest last: kept in memory, and appended to a bounded file of the state directory. */
import { appendFileSync, existsSync, readFileSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import type { HeartEvent, SwitchCause } from "../heart/messages.ts";

export interface LoggedEvent {
  /** ISO 8601, UTC. */
  at: string;
  code: string;
  severity: HeartEvent["severity"];
  message: string;
  /** Of `became-active`: see HeartEvent. */
  cause?: SwitchCause;
  outage_ms?: number;
}

const KEPT_MAX = 2000;
const FILE_BYTES_MAX = 1 << 20;
/** What waits for a reader of the log that does not read; events beyond it are in the file only. */
const LOG_BYTES_MAX = 1 << 20;
// A reader that has gone must not end the node.
process.stderr.on("error", () => {});

export class Events {
  readonly #path: string;
  #events: LoggedEvent[] = [];
  /** How many were added since this process was started. */
  added = 0;

  constructor(directory: string) {
    this.#path = join(directory, "events.jsonl");
    if (!existsSync(this.#path)) return;
    for (const line of readFileSync(this.#path, "utf8").split("\n")) {
      try {
        if (line !== "") this.#events.push(JSON.parse(line) as LoggedEvent);
      } catch {
        // The last line of a file may be cut off by a power cut: that event is lost, the others are not.
      }
    }
    this.#events = this.#events.slice(-KEPT_MAX);
  }

  add(
    code: string,
    severity: LoggedEvent["severity"],
    message: string,
    figures: Pick<LoggedEvent, "cause" | "outage_ms"> = {},
  ): void {
    const event: LoggedEvent = { at: new Date().toISOString(), code, severity, message, ...figures };
    this.#events.push(event);
    this.added += 1;
    if (this.#events.length > KEPT_MAX) this.#events.shift();
    try {
      if (existsSync(this.#path) && statSync(this.#path).size > FILE_BYTES_MAX)
        renameSync(this.#path, `${this.#path}.1`);
      appendFileSync(this.#path, `${JSON.stringify(event)}\n`, { mode: 0o600 });
    } catch {
      // A full disk must not stop the node; the event is still shown from memory.
    }
    if (process.stderr.writableLength < LOG_BYTES_MAX)
      process.stderr.write(`${event.at} ${severity} ${code}: ${message}\n`);
  }

  latest(count: number): LoggedEvent[] {
    return this.#events.slice(-count);
  }

  /** Those that were added after so many had been. */
  since(added: number): LoggedEvent[] {
    return added >= this.added ? [] : this.#events.slice(-(this.added - added));
  }
}
