/** What the page knows, in one place. */

import { Store } from "./store.ts";
import type { LoggedEvent, Public, Session, Status } from "./types.ts";

export interface App {
  /** Null until the server has answered for the first time. */
  public: Public | null;
  session: Session | null;
  /** Why one must log in again; null at the first time. */
  logged_out: string | null;
  status: Status | null;
  /** Newest last. */
  events: LoggedEvent[];
  connection: "opening" | "live" | "lost";
  /** Milliseconds of `performance.now`. */
  lost_at_ms: number | null;
  /** A switch was ordered here: whoever answers next is the new active node. */
  following: string | null;
  notes: Note[];
}

export interface Note {
  id: number;
  tone: "good" | "bad";
  text: string;
}

const NOTES_MAX = 4;
const NOTE_MS = 9000;

export const app = new Store<App>({
  public: null,
  session: null,
  logged_out: null,
  status: null,
  events: [],
  connection: "opening",
  lost_at_ms: null,
  following: null,
  notes: [],
});

let next_note = 1;

/** Says something for some seconds, also to a screen reader. */
export function note(text: string, tone: Note["tone"] = "good"): void {
  const id = next_note++;
  app.set({ notes: [...app.get().notes, { id, tone, text }].slice(-NOTES_MAX) });
  setTimeout(() => dropNote(id), NOTE_MS);
}

export function dropNote(id: number): void {
  app.set({ notes: app.get().notes.filter((entry) => entry.id !== id) });
}
