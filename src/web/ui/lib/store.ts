/** One value that components look at; those that look are drawn again when what they see of it has changed. */
import { useEffect, useReducer, useRef } from "preact/hooks";

export class Store<T extends object> {
  #value: T;
  readonly #listeners = new Set<() => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get(): T {
    return this.#value;
  }

  set(change: Partial<T>): void {
    this.#value = { ...this.#value, ...change };
    for (const listener of [...this.#listeners]) listener();
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

export function useStore<T extends object, S>(store: Store<T>, select: (value: T) => S): S {
  const [, draw] = useReducer((count: number) => count + 1, 0);
  const selected = select(store.get());
  const last = useRef({ selected, select });
  last.current = { selected, select };
  useEffect(() => {
    const look = () => {
      if (last.current.select(store.get()) !== last.current.selected) draw(undefined);
    };
    look();
    return store.subscribe(look);
  }, [store]);
  return selected;
}
