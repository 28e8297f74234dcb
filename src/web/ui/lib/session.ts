/** Logging in and out. The session itself is a cookie that no script can read. */
import { app } from "./app.ts";
import { ask, Refusal, setMeantFor, whenLoggedOut } from "./http.ts";
import { startLive, stopLive } from "./live.ts";
import type { Public, Session } from "./types.ts";

const RETRY_MS = 1500;

/** Who is there, and are we known to it? Goes on asking until somebody answers. */
export async function open(): Promise<void> {
  whenLoggedOut(() => {
    if (app.get().session !== null) leave("Your session has ended; log in again.");
  });
  let known: Public;
  for (;;) {
    try {
      known = await ask<Public>("GET", "/public", { timeout_ms: 5000 });
      break;
    } catch {
      app.set({ connection: "lost" });
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
  const session = await ask<Session>("GET", "/session").catch(() => null);
  app.set({ public: known, connection: "opening" });
  if (session !== null) enter(session);
}

export async function logIn(name: string, password: string): Promise<void> {
  enter(await ask<Session>("POST", "/session", { body: { name, password } }));
}

/** On a server where nobody has a password yet. */
export async function setFirstPassword(password: string): Promise<void> {
  enter(await ask<Session>("POST", "/session", { body: { name: "admin", password, first: true } }));
}

export async function logOut(): Promise<void> {
  try {
    await ask("DELETE", "/session");
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
  leave(null);
}

function enter(session: Session): void {
  app.set({ session: { name: session.name }, logged_out: null, connection: "opening", lost_at_ms: null });
  startLive();
}

function leave(why: string | null): void {
  stopLive();
  setMeantFor(null);
  app.set({ session: null, logged_out: why, status: null, events: [], following: null, notes: [] });
  void ask<Public>("GET", "/public").then(
    (answer) => app.set({ public: answer }),
    () => {},
  );
}
