/** The steps of the pairing as the node offers them. They go on there when this page is closed. */
import { ask, Refusal } from "../lib/http.ts";
import { sentence } from "../lib/resource.ts";
import type { PairTest } from "../lib/types.ts";
import { type Match, type TestState, wizard } from "./state.ts";

/** As long as the node itself waits for the other one. */
const SEARCH_MS_MAX = 3_600_000;
const APPLY_MS_MAX = 60_000;
const BUSY_CODES: readonly string[] = ["pairing", "pairing-busy"];
const BUSY_MS = 300;
const BUSY_TRIES_MAX = 20;

/** Searches until somebody is found. What ends it is kept to be shown where the search is. */
export async function search(nic: string): Promise<void> {
  wizard.set({ step: "search", tests: {} });
  try {
    await ask("POST", "/cluster/search", { body: { interface: nic }, timeout_ms: SEARCH_MS_MAX });
    wizard.set({ ended: null });
  } catch (error) {
    // Lost on its way, or asked twice: the node's own state goes on to tell.
    if (error instanceof Refusal && (error.status === 0 || error.code === "pairing" || error.code === "cancelled"))
      return;
    wizard.set({ ended: sentence(error) });
  }
}

/** A wrong code ends the pairing on both sides; the next try begins at once, with another code over there. */
export async function typeCode(code: string, nic: string | null): Promise<void> {
  try {
    await ask("POST", "/cluster/code", { body: { code }, timeout_ms: APPLY_MS_MAX });
    wizard.set({ ended: null });
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== "wrong-code" || nic === null) throw error;
    wizard.set({ ended: error.message, step: "search" });
    void searchAgain(nic);
  }
}

/** The old session needs a moment to end. */
async function searchAgain(nic: string): Promise<void> {
  const before = wizard.get().ended;
  const order = () => ask("POST", "/cluster/search", { body: { interface: nic }, timeout_ms: SEARCH_MS_MAX });
  try {
    await unlessBusy(order);
  } catch (error) {
    wizard.set({ ended: before === null ? sentence(error) : `${before} ${sentence(error)}` });
  }
}

export async function testMatch(match: Match): Promise<void> {
  const put = (state: TestState) => wizard.set({ tests: { ...wizard.get().tests, [match.mine]: state } });
  put("running");
  try {
    const answer = await unlessBusy(() => ask<{ matches: PairTest[] }>("POST", "/cluster/test", { body: match }));
    const result = answer.matches[0];
    if (result !== undefined) put(result);
  } catch (error) {
    put({ refused: sentence(error) });
  }
}

/** What this page ordered before, or before it was opened anew, may still be under way. */
async function unlessBusy<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Refusal) || !BUSY_CODES.includes(error.code) || tries >= BUSY_TRIES_MAX) throw error;
      await new Promise((resolve) => setTimeout(resolve, BUSY_MS));
    }
  }
}

export async function apply(matches: Match[]): Promise<void> {
  await ask("POST", "/cluster/apply", { body: { matches }, timeout_ms: APPLY_MS_MAX });
}

export async function cancelPairing(): Promise<void> {
  try {
    await ask("DELETE", "/cluster/pairing");
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== "no-pairing") throw error;
  }
}

/** Why a pairing that is gone has ended: the node keeps the sentence for the step that comes after. */
export async function whyEnded(): Promise<string | null> {
  try {
    // Cards that there are not: refused in any case, and where there is no pairing, with why there is none.
    await ask("POST", "/cluster/test", { body: { mine: "-", theirs: "-" } });
    return null;
  } catch (error) {
    return sentence(error);
  }
}
