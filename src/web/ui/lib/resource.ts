/** Something that is asked for once, shown while it comes, and asked for again on demand. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ask, Refusal } from "./http.ts";

export interface Resource<T> {
  value: T | null;
  trouble: string | null;
  reload: () => Promise<void>;
}

/** `again`: asked again whenever it changes, such as the revision of the settings. */
export function useResource<T>(path: string, again: unknown = null): Resource<T> {
  const [value, setValue] = useState<T | null>(null);
  const [trouble, setTrouble] = useState<string | null>(null);
  const turn = useRef(0);
  const reload = useCallback(async () => {
    const mine = ++turn.current;
    try {
      const answer = await ask<T>("GET", path);
      if (mine !== turn.current) return;
      setValue(answer);
      setTrouble(null);
    } catch (error) {
      if (mine === turn.current) setTrouble(sentence(error));
    }
  }, [path]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `again` is what asks again.
  useEffect(() => {
    void reload();
    return () => {
      turn.current++;
    };
  }, [reload, again]);
  return { value, trouble, reload };
}

export function sentence(error: unknown): string {
  if (error instanceof Refusal || error instanceof Error) return error.message;
  return String(error);
}

export interface Action {
  busy: boolean;
  /** The node's own sentence, where it refused. */
  trouble: string | null;
  clear: () => void;
  /** True where it went well. */
  run: (work: () => Promise<unknown>) => Promise<boolean>;
}

/** Something that is done: one at a time, and a refusal is kept to be shown beside it. */
export function useAction(): Action {
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<string | null>(null);
  const running = useRef(false);
  const run = async (work: () => Promise<unknown>): Promise<boolean> => {
    if (running.current) return false;
    running.current = true;
    setBusy(true);
    setTrouble(null);
    try {
      await work();
      return true;
    } catch (error) {
      setTrouble(sentence(error));
      return false;
    } finally {
      running.current = false;
      setBusy(false);
    }
  };
  return { busy, trouble, clear: () => setTrouble(null), run };
}
