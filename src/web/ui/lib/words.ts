/** Figures and codes in the words of people. */
import type { Status, Sync } from "./types.ts";

type Role = Status["role"] | "unknown";

export const ROLE_WORDS: Record<Role, string> = {
  standalone: "Standalone",
  listening: "Listening",
  backup: "Backup",
  probing: "Taking over",
  active: "Active",
  resuming: "Resuming",
  departed: "Leaving",
  erased: "Being reset",
  starting: "Starting",
  joining: "Waiting to join",
  unknown: "Unknown",
};

export type Tone = "good" | "calm" | "warning" | "bad" | "none";

export function toneOfRole(role: Role): Tone {
  if (role === "active") return "good";
  if (role === "backup" || role === "standalone") return "calm";
  if (role === "unknown" || role === "starting") return "none";
  return "warning";
}

const SYNC_WORDS: Record<Sync["state"], { text: string; tone: Tone }> = {
  "in-sync": { text: "In sync", tone: "good" },
  behind: { text: "Catching up", tone: "warning" },
  ahead: { text: "Other node catching up", tone: "warning" },
  diverged: { text: "Settings differ", tone: "bad" },
  away: { text: "Other node is away", tone: "warning" },
  standalone: { text: "Only on this node", tone: "calm" },
};

export function syncWords({ state, revision, peer_revision }: Sync): { text: string; detail: string; tone: Tone } {
  const { text, tone } = SYNC_WORDS[state];
  const apart = peer_revision === null ? 0 : Math.abs(revision - peer_revision);
  const detail =
    apart === 0
      ? String(revision)
      : `${revision} here, ${peer_revision} there: ${apart} ${apart === 1 ? "change" : "changes"} apart`;
  return { text, detail, tone };
}

export function versionWords({ version, build }: { version: string; build: number }): string {
  return version === "" ? "unknown" : `${version} build ${build}`;
}

export function latencyWords(latency_ms: number | null): string {
  if (latency_ms === null) return "–";
  return latency_ms < 10 ? `${latency_ms.toFixed(2)} ms` : `${latency_ms.toFixed(0)} ms`;
}

/** Behind the sentence of a switch. */
export function outageWords(outage_ms: number | null | undefined): string {
  if (outage_ms === null || outage_ms === undefined) return "";
  return outage_ms === 0 ? "outage below 1 ms" : `outage ${outage_ms.toLocaleString("en")} ms`;
}

export function lossWords(loss: number): string {
  const percent = loss * 100;
  return percent > 0 && percent < 1 ? "< 1 %" : `${percent.toFixed(0)} %`;
}

export function speedWords(mbps: number | null): string {
  if (mbps === null || mbps <= 0) return "unknown speed";
  return mbps >= 1000 ? `${mbps / 1000} Gbit/s` : `${mbps} Mbit/s`;
}

export function sizeWords(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  return bytes < 1 << 20 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / (1 << 20)).toFixed(1)} MiB`;
}

/** In its two greatest units. */
export function durationWords(seconds: number): string {
  const units = [
    { name: "day", size_s: 86_400 },
    { name: "hour", size_s: 3600 },
    { name: "minute", size_s: 60 },
    { name: "second", size_s: 1 },
  ];
  let rest = Math.max(0, Math.floor(seconds));
  const words = units.flatMap(({ name, size_s }) => {
    const count = Math.floor(rest / size_s);
    rest -= count * size_s;
    return count === 0 ? [] : [`${count} ${name}${count === 1 ? "" : "s"}`];
  });
  return words.slice(0, 2).join(", ") || "0 seconds";
}

export function countdownWords(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** Local time, with the year first, so that columns sort by eye. */
export function timeWords(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  const two = (number: number) => String(number).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
