/** The settings as a node finds them at start: what was cut short is ended first, and what an earlier version left is taken over. */
import { FRESH, FRESH_ID, makeRevision } from "../settings/chain.ts";
import { SettingsDatabase } from "../settings/database.ts";
import { parseSettings } from "../settings/model.ts";
import { localPart, type Slot, sharedPart } from "../settings/shared.ts";
import type { Inheritance, Store } from "./store.ts";

/** Throws Failure, and has nothing open then. */
export function openSettings(store: Store): SettingsDatabase {
  store.finishErasure();
  const database = new SettingsDatabase(store.directory);
  try {
    store.finishJoining(({ revision, local }) => database.reset([revision], local));
    takeOverEarlier(store, database);
  } catch (error) {
    database.close();
    throw error;
  }
  store.warnings.push(...database.warnings);
  return database;
}

function takeOverEarlier(store: Store, database: SettingsDatabase): void {
  const earlier = database.head().id === FRESH_ID ? store.earlierSettings() : null;
  if (earlier !== null) {
    const { revision, local } = adopted(earlier, store.cluster()?.matches ?? []);
    database.reset([revision], local);
  }
  // Only now, as the database has them for good.
  store.forgetEarlierSettings();
}

/** Without the time of the change, which nobody wrote down: so two nodes that had the same settings have the same history. */
function adopted(earlier: { revision: number; settings: unknown }, slots: readonly Slot[]): Inheritance {
  const settings = parseSettings(earlier.settings);
  const content = JSON.stringify(sharedPart(settings, slots));
  const parent = { number: earlier.revision - 1, id: FRESH_ID };
  return {
    revision: makeRevision(parent, { at: FRESH.at, author: "an earlier version", term: 0, content }),
    local: localPart(settings, slots),
  };
}
