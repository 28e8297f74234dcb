/**
 * Keeps the page alive: status and events as they come, over one stream. A lost one is opened again at once, and more
 * slowly later; after a switch it is the new active node that answers at the same address, and the page goes on with it.
 */
import { app, note } from "./app.ts";
import { forgetSamples, SAMPLE_MS, sampleNow } from "./history.ts";
import { ask, readStream, setMeantFor } from "./http.ts";
import type { LoggedEvent, Public, Status } from "./types.ts";

/** The server says something at least every second. */
const SILENCE_MS = 3500;
/** An answer that brings a new session may still be on its way. */
const END_MS = 500;
const GRACE_MS = 600;
const RETRY_FIRST_MS = 250;
const RETRY_MS_MAX = 2000;
const PROBE_MS_MAX = 1500;
const EVENTS_MAX = 500;

let running: AbortController | null = null;

export function startLive(): void {
  running?.abort();
  const controller = new AbortController();
  running = controller;
  void keepOpen(controller.signal);
  const sampler = setInterval(sampleNow, SAMPLE_MS);
  controller.signal.addEventListener("abort", () => clearInterval(sampler));
}

export function stopLive(): void {
  running?.abort();
  running = null;
  forgetSamples();
}

async function keepOpen(signal: AbortSignal): Promise<void> {
  let retry_ms = RETRY_FIRST_MS;
  while (!signal.aborted) {
    try {
      void loadEvents(signal);
      await readStream("/events/stream", signal, SILENCE_MS, (event, data) => {
        retry_ms = RETRY_FIRST_MS;
        if (event === "status") takeStatus(data as Status);
        if (event === "event") takeEvents([data as LoggedEvent]);
        if (event === "end") setTimeout(() => void ask("GET", "/session").catch(() => {}), END_MS);
      });
    } catch {
      // Shown as a lost connection below; a session that has ended is dealt with in lib/session.ts.
    }
    if (signal.aborted) return;
    loseConnection();
    await new Promise((resolve) => setTimeout(resolve, retry_ms));
    retry_ms = (await somebodyAnswers()) ? RETRY_FIRST_MS : Math.min(RETRY_MS_MAX, retry_ms * 1.5);
  }
}

/** What is mended at once is not worth a word; the time counts from the beginning all the same. */
function loseConnection(): void {
  const { lost_at_ms, connection } = app.get();
  const now_ms = performance.now();
  if (lost_at_ms === null) app.set({ lost_at_ms: now_ms });
  else if (connection !== "lost" && now_ms - lost_at_ms >= GRACE_MS) app.set({ connection: "lost" });
}

async function somebodyAnswers(): Promise<boolean> {
  try {
    app.set({ public: await ask<Public>("GET", "/public", { timeout_ms: PROBE_MS_MAX }) });
    return true;
  } catch {
    return false;
  }
}

async function loadEvents(signal: AbortSignal): Promise<void> {
  try {
    takeEvents(await ask<LoggedEvent[]>("GET", `/events?last=${EVENTS_MAX}`, { signal }), true);
  } catch {
    // The next connection asks again.
  }
}

function takeStatus(status: Status): void {
  const before = app.get();
  const moved = before.status !== null && before.status.name !== status.name;
  if (before.lost_at_ms !== null || moved) {
    const gap_s = before.lost_at_ms === null ? null : (performance.now() - before.lost_at_ms) / 1000;
    const gap = gap_s === null ? "" : ` This page had no answer for ${gap_s.toFixed(1)} s.`;
    if (moved) {
      note(`${status.name} answers at this address now; the page goes on with it.${gap}`);
      app.set({ events: [] });
      forgetSamples();
      void ask<LoggedEvent[]>("GET", `/events?last=${EVENTS_MAX}`).then(
        (events) => takeEvents(events, true),
        () => {},
      );
    } else if (before.connection === "lost") note(`Connected again.${gap}`);
  }
  setMeantFor(status.name);
  const followed = before.following !== null && (moved || status.role === "active");
  app.set({ status, connection: "live", lost_at_ms: null, ...(followed && moved ? { following: null } : {}) });
}

function takeEvents(more: LoggedEvent[], whole = false): void {
  if (!Array.isArray(more)) return;
  const { events } = app.get();
  const known = new Set(events.map(keyOf));
  const added = more.filter((event) => !known.has(keyOf(event)));
  if (added.length === 0 && !whole) return;
  const all = [...events, ...added].sort((one, other) => one.at.localeCompare(other.at));
  app.set({ events: all.slice(-EVENTS_MAX) });
}

function keyOf({ at, code, message }: LoggedEvent): string {
  return `${at} ${code} ${message}`;
}
