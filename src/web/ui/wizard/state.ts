/**
 * How far the administrator is. What the node knows (its pairing) decides; only what it does not know is kept here, in
 * this window: that the picture was confirmed, the card chosen, and which cards were put together so far.
 */
import { Store } from "../lib/store.ts";
import type { Pairing, PairTest } from "../lib/types.ts";

export const STEPS = ["topology", "card", "search", "code", "match", "summary", "apply"] as const;
export type Step = (typeof STEPS)[number];

export interface Match {
  mine: string;
  theirs: string;
}

/** A test's outcome; or that it runs, or the sentence that says why it could not. */
export type TestState = PairTest | "running" | { refused: string };

interface WizardState {
  step: Step | null;
  nic: string | null;
  matches: Match[];
  /** By the name of this node's card. */
  tests: Record<string, TestState>;
  peer_name: string | null;
  /** Why the pairing ended before its time, in the node's words. */
  ended: string | null;
}

const NOTHING: WizardState = {
  step: null,
  nic: null,
  matches: [],
  tests: {},
  peer_name: null,
  ended: null,
};
const KEY = "understudy-wizard";

export const wizard = new Store<WizardState>(NOTHING);

export function beginWizard(): void {
  wizard.set({ ...NOTHING, step: "topology" });
}

export function endWizard(): void {
  if (wizard.get().step === null) return;
  wizard.set(NOTHING);
  keep();
}

export function chooseCard(nic: string): void {
  wizard.set({ nic });
  keep();
}

export function setMatches(matches: Match[]): void {
  wizard.set({ matches });
  keep();
}

const STEP_OF: Record<Pairing["state"], Step> = {
  searching: "search",
  found: "code",
  confirmed: "match",
  testing: "match",
  applying: "apply",
  joining: "apply",
};

/** Goes to where the node's pairing is; what only the page knows is left as it is. */
export function followPairing({ state, peer }: Pairing): void {
  const { step } = wizard.get();
  if (step === null) wizard.set({ ...NOTHING, ...kept() });
  if (peer !== null) wizard.set({ peer_name: peer.name });
  const due = STEP_OF[state];
  if (due === "match" && (step === "summary" || step === "apply")) return;
  if (step !== due) wizard.set({ step: due, ...(due === "match" ? { ended: null } : {}) });
}

function keep(): void {
  const { nic, matches } = wizard.get();
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ nic, matches }));
  } catch {
    // Where a browser keeps nothing, the cards are matched once more.
  }
}

function kept(): Pick<WizardState, "nic" | "matches"> {
  try {
    const { nic, matches } = JSON.parse(sessionStorage.getItem(KEY) ?? "{}") as Partial<WizardState>;
    return {
      nic: typeof nic === "string" ? nic : null,
      matches: Array.isArray(matches) ? matches.filter(isMatch).slice(0, 31) : [],
    };
  } catch {
    return { nic: null, matches: [] };
  }
}

function isMatch(value: unknown): value is Match {
  const { mine, theirs } = (value ?? {}) as Partial<Match>;
  return typeof mine === "string" && typeof theirs === "string";
}
