/** Virtual time in whole microseconds, and what is to happen when: a binary heap, first come first served at one instant. */

interface Event {
  at_us: number;
  order: number;
  act: () => void;
}

/** More than any run should ever have waiting: something breeds events. */
const EVENTS_MAX = 100_000;

export class Timeline {
  now_us = 0;
  #order = 0;
  readonly #heap: Event[] = [];

  /** Never before now. */
  at(at_us: number, act: () => void): void {
    const heap = this.#heap;
    if (heap.length >= EVENTS_MAX) throw new RangeError("too many events are waiting");
    const event = { at_us: Math.max(this.now_us, Math.ceil(at_us)), order: this.#order++, act };
    let hole = heap.length;
    heap.push(event);
    while (hole > 0) {
      const above = (hole - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || !isBefore(event, parent)) break;
      heap[hole] = parent;
      hole = above;
    }
    heap[hole] = event;
  }

  after(delay_us: number, act: () => void): void {
    this.at(this.now_us + delay_us, act);
  }

  /** Takes out the next event and makes its time the present; undefined at the end of all time. */
  next(): (() => void) | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined) return undefined;
    const { length } = heap;
    if (length > 0) {
      let hole = 0;
      for (;;) {
        let below = 2 * hole + 1;
        let child = heap[below];
        if (child === undefined) break;
        const right = heap[below + 1];
        if (right !== undefined && isBefore(right, child)) {
          child = right;
          below++;
        }
        if (!isBefore(child, last)) break;
        heap[hole] = child;
        hole = below;
      }
      heap[hole] = last;
    }
    this.now_us = first.at_us;
    return first.act;
  }
}

function isBefore(one: Event, other: Event): boolean {
  return one.at_us < other.at_us || (one.at_us === other.at_us && one.order < other.order);
}
