/** Looks at the node all the time, so that panel and list follow it. */
import { itemsOf, type Situation, situationOf } from "./items.ts";
import type { NodeDoor, NodeStatus } from "./node.ts";

export class Watch {
  readonly #node: NodeDoor;
  readonly #interval_ms: number;
  /** Hear of every look. */
  readonly listeners = new Set<(status: NodeStatus | null) => void>();
  #timer: Timer | undefined;
  #waiting = new Set<{ situation: Situation; changed: AbortController }>();
  status: NodeStatus | null = null;
  /** What kept the node from answering, one sentence. */
  trouble: string | null = null;

  constructor(node: NodeDoor, interval_ms: number) {
    this.#node = node;
    this.#interval_ms = interval_ms;
  }

  get situation(): Situation {
    return situationOf(this.status);
  }

  /** Resolves after the first look. */
  async start(): Promise<void> {
    await this.look();
    const again = async (): Promise<void> => {
      await this.look();
      if (this.#timer !== undefined) this.#timer = setTimeout(again, this.#interval_ms);
    };
    this.#timer = setTimeout(again, this.#interval_ms);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async look(): Promise<void> {
    try {
      this.status = await this.#node.status();
      this.trouble = null;
    } catch (error) {
      this.status = null;
      this.trouble = error instanceof Error ? error.message : String(error);
    }
    for (const listener of [...this.listeners]) listener(this.status);
    for (const waiting of [...this.#waiting]) if (offersOther(waiting.situation, this.situation)) this.#end(waiting);
  }

  /** A signal that fires as soon as another list is due than the one for `situation`; `done` when it is not needed. */
  changeFrom(situation: Situation): { signal: AbortSignal; done: () => void } {
    const waiting = { situation, changed: new AbortController() };
    this.#waiting.add(waiting);
    if (offersOther(situation, this.situation)) this.#end(waiting);
    return { signal: waiting.changed.signal, done: () => this.#waiting.delete(waiting) };
  }

  #end(waiting: { changed: AbortController } & { situation: Situation }): void {
    this.#waiting.delete(waiting);
    waiting.changed.abort();
  }
}

function offersOther(before: Situation, now: Situation): boolean {
  const items = (situation: Situation) =>
    itemsOf(situation, { console: true })
      .map(({ value }) => value)
      .join();
  return items(before) !== items(now);
}
