/** What happens, as it happens, for open pages: server-sent events. Every stream looks at the same text of the status. */
import type { Events } from "./events.ts";

const TICK_MS = 500;
/** An open page notices by its absence that the node has gone: a connection to a dead machine just hangs. */
const COMMENT_MS = 1000;
export const STREAMS_MAX = 32;
/** A page that does not read for so long has gone, whatever its connection says. */
const WAITING_MAX = 256;

interface Page {
  controller: ReadableStreamDefaultController<Uint8Array>;
  /** Null where it may go on; otherwise why not. */
  ended: () => { code: string; message: string } | null;
  status: string;
  events_seen: number;
}

export class Streams {
  readonly #status: () => unknown;
  readonly #events: Events;
  readonly #pages = new Set<Page>();
  #timer: ReturnType<typeof setInterval> | null = null;
  #commented_ms = 0;

  constructor(status: () => unknown, events: Events) {
    this.#status = status;
    this.#events = events;
  }

  /** Null where there are too many. */
  open(ended: Page["ended"]): ReadableStream<Uint8Array> | null {
    if (this.#pages.size >= STREAMS_MAX) return null;
    let page: Page | null = null;
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          page = { controller, ended, status: "", events_seen: this.#events.added };
          this.#pages.add(page);
          this.#tell(page, JSON.stringify(this.#status()), false);
          this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
        },
        cancel: () => {
          if (page !== null) this.#forget(page);
        },
      },
      { highWaterMark: WAITING_MAX },
    );
  }

  stop(): void {
    for (const page of this.#pages) this.#close(page);
  }

  #tick(): void {
    const status = JSON.stringify(this.#status());
    const now_ms = performance.now();
    const comment = now_ms - this.#commented_ms >= COMMENT_MS;
    if (comment) this.#commented_ms = now_ms;
    for (const page of this.#pages) this.#tell(page, status, comment);
  }

  #tell(page: Page, status: string, comment: boolean): void {
    const ended = page.ended();
    if (ended !== null) {
      this.#send(page, `event: end\ndata: ${JSON.stringify(ended)}\n\n`);
      return this.#close(page);
    }
    let text = comment ? ": still here\n\n" : "";
    for (const event of this.#events.since(page.events_seen))
      text += `event: event\ndata: ${JSON.stringify(event)}\n\n`;
    page.events_seen = this.#events.added;
    if (status !== page.status) text += `event: status\ndata: ${status}\n\n`;
    page.status = status;
    if (text !== "") this.#send(page, text);
  }

  #send(page: Page, text: string): void {
    if ((page.controller.desiredSize ?? 0) <= 0) return this.#close(page);
    page.controller.enqueue(new TextEncoder().encode(text));
  }

  #close(page: Page): void {
    this.#forget(page);
    try {
      page.controller.close();
    } catch {
      // It was cancelled.
    }
  }

  #forget(page: Page): void {
    this.#pages.delete(page);
    if (this.#pages.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}
