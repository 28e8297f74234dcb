/** Settings as the page sees and changes them. */
import { useCallback, useState } from "preact/hooks";
import { app } from "./app.ts";
import { ask, Refusal } from "./http.ts";
import { type Resource, sentence, useResource } from "./resource.ts";
import { useStore } from "./store.ts";
import type { Settings } from "./types.ts";

export function useSettings(): Resource<Settings> {
  const revision = useStore(app, ({ status }) => status?.settings_revision ?? 0);
  return useResource<Settings>("/settings", revision);
}

/** Places and their new values; null removes. */
export type Change = Record<string, unknown>;

export async function saveSettings(set: Change, alone = false): Promise<void> {
  await ask("PATCH", alone ? "/settings?alone=1" : "/settings", { body: { set } });
}

export interface Saving {
  busy: boolean;
  trouble: string | null;
  /** The peer is there and did not take it: it can be stored on this node all the same. */
  offer_alone: boolean;
  save: (set: Change) => Promise<boolean>;
  saveAlone: () => Promise<boolean>;
}

export function useSaving(): Saving {
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<{ code: string; message: string } | null>(null);
  const [last, setLast] = useState<Change>({});
  const attempt = useCallback(async (set: Change, alone: boolean) => {
    setBusy(true);
    setRefusal(null);
    setLast(set);
    try {
      await saveSettings(set, alone);
      return true;
    } catch (error) {
      setRefusal({ code: error instanceof Refusal ? error.code : "unknown", message: sentence(error) });
      return false;
    } finally {
      setBusy(false);
    }
  }, []);
  return {
    busy,
    trouble: refusal?.message ?? null,
    offer_alone: refusal?.code === "not-replicated",
    save: (set) => attempt(set, false),
    saveAlone: () => attempt(last, true),
  };
}
