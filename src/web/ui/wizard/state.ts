/**
 * How far the administrator is. What the node knows (its pairing) decides; only what it does not know is kept here, in
 * this window: that the picture was confirmed, and which cards were put together so far.
 */
import { Store } from "../lib/store.ts";
import type { Pairing, PairTest } from "../lib/types.ts";

export const STEPS = ["topology", "card", "search", "code", "match", "summary", "apply"] as const;
export type Step = (typeof STEPS)[number];

export interface Match {
  mine: string;
  theirs: string;
}

interface WizardState {
  step: Step | null;
  nic: string | null;
  matches: Match[];
  /** By the name of this node's card. */
  tests: Record<string, PairTest | "running" | string>;
  peer_name: string | null;
  /** Why the search or the pairing ended. */
  ended: string | null;
}

const NOTHING: WizardState = { step: null, nic: null, matches: [], tests: {}, peer_name: null, ended: null };
const KEY = "understudy-matches";

export const wizard = new Store<WizardState>(NOTHING);

export function beginWizard(): void {
  wizard.set({ ...NOTHING, step: "topology" });
}

export function endWizard(): void {
  if (wizard.get().step === null) return;
  keep([]);
  wizard.set(NOTHING);
}

export function setMatches(matches: Match[]): void {
  keep(matches);
  wizard.set({ matches });
}

const FIRST_STEP: Record<Pairing["state"], Step> = {
  searching: "search",
  found: "code",
  confirmed: "match",
  testing: "match",
  applying: "apply",
  done: "apply",
};

/** Goes to where the node's pairing is; steps that only the page knows are left as they are. */
export function resumeWizard(state: Pairing["state"]): void {
  const { step, matches } = wizard.get();
  const due = FIRST_STEP[state];
  if (step === null) wizard.set({ matches: matches.length > 0 ? matches : kept() });
  if (due === "match" && (step === "summary" || step === "apply")) return;
  if (step !== due) wizard.set({ step: due, ended: null });
}

function keep(matches: Match[]): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(matches));
  } catch {
    // A browser that keeps nothing makes nothing worse than a match to be made again.
  }
}

function kept(): Match[] {
  try {
    const value: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
    return Array.isArray(value) ? value.filter(isMatch).slice(0, 31) : [];
  } catch {
    return [];
  }
}

function isMatch(value: unknown): value is Match {
  const { mine, theirs } = (value ?? {}) as Partial<Match>;
  return typeof mine === "string" && typeof theirs === "string";
}
