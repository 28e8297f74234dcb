/**
 * The verdicts of a round.
 *
 * *Owners.* The nodes number their claims: the one with the higher term is the owner. So the owners
 * that an observer sees must be claims in the order of their terms: from A to B only where B claimed
 * after A, and back to A only where A claimed anew after that. No question may have two owners. The
 * only excuse is what the spec concedes: islands, and one heartbeat after they were joined.
 *
 * *Service.* While a healthy node is left (truth.ts says when), traffic may stand still for so long
 * and no longer.
 */
import type { Book, OwnerRun } from "../lab/instrument.ts";
import { shown, type Verdict } from "../lab/judge.ts";
import type { Side } from "../lab/topology.ts";
import { HEARTBEAT_MS, type Truth } from "./truth.ts";

/** A node became active, by its own account. */
export interface Claim {
  side: Side;
  term: number;
  at_ms: number;
}

export interface Owners {
  side_of: ReadonlyMap<string, Side>;
  /** Who was active when the round began. */
  first: Claim;
  claims: Claim[];
  /** The highest term that either node shows at the end. */
  last_term: number;
  /** Nodes whose log may lack a claim or have it late: their control process was killed or stood still. */
  unreliable: Set<Side>;
  truth: Truth;
}

/** A claim is logged by a process that may have to wait for a processor. */
const LOG_DELAY_MS = 1000;
/** Claims are logged at whole milliseconds, after they were made. */
const LOG_JITTER_MS = 20;

/** From when the service is due, traffic flows again within this time … */
export const SERVICE_MS_MAX = 3000;
/** … and within this where the node that is left was ready: detection at its ceiling (250 ms), evidence, announcement. */
export const SERVICE_MS_MAX_READY = 500;
const SAMPLE_MS = 5;

/** Null where the claims explain every owner that was seen. `mark_ms` turns the book's times into the clock's. */
export function judgeOwners(book: Book, mark_ms: number, owners: Owners): Verdict | null {
  const { what, runs, full } = book;
  if (full) return { at_ms: 0, text: `${what}: the window was too long to judge` };
  if (runs.length === 0) return { at_ms: 0, text: `${what}: no answer was seen, so nothing is proved` };
  let present: Claim = owners.first;
  for (const run of runs) {
    if (run.macs.length === 1 && owners.side_of.get(run.macs[0] ?? "") === present.side) continue;
    if (isExcused(run, mark_ms, owners)) continue;
    if (run.macs.length > 1)
      return { at_ms: run.from_ms, text: `${what}: one question had two owners: ${shown(runs, run)}` };
    const side = owners.side_of.get(run.macs[0] ?? "");
    if (side === undefined) return { at_ms: run.from_ms, text: `${what}: a stranger answers: ${shown(runs, run)}` };
    const claim = nextClaim(owners, side, present.term, mark_ms + run.from_ms);
    if (claim === null) {
      const known = owners.claims.map((each) => `${each.side} ${each.term} at ${(each.at_ms - mark_ms).toFixed(0)} ms`);
      const text = `${what}: node ${side} answers and has not claimed since term ${present.term} of node ${present.side} (claims: ${known.join(", ") || "none"}): ${shown(runs, run)}`;
      return { at_ms: run.from_ms, text };
    }
    present = claim;
  }
  return null;
}

/** The lowest claim of `side` above `term` that was made by then. */
function nextClaim(owners: Owners, side: Side, term: number, by_ms: number): Claim | null {
  const { claims, unreliable, last_term } = owners;
  const logged = claims
    .filter((claim) => claim.side === side && claim.term > term)
    .filter((claim) => unreliable.has(side) || claim.at_ms <= by_ms + LOG_DELAY_MS)
    .sort((one, other) => one.term - other.term);
  // Terms of node a are odd, those of node b even.
  const unlogged = term + ((term % 2 === 1) === (side === "a") ? 2 : 1);
  const may_be_unlogged = unreliable.has(side) && unlogged <= last_term;
  if (may_be_unlogged && unlogged < (logged[0]?.term ?? Number.POSITIVE_INFINITY))
    return { side, term: unlogged, at_ms: by_ms };
  return logged[0] ?? null;
}

/** The whole run lies where two owners are excused. */
function isExcused(run: OwnerRun, mark_ms: number, { truth, claims }: Owners): boolean {
  for (let at_ms = mark_ms + run.from_ms; ; at_ms += 1) {
    const here_ms = Math.min(at_ms, mark_ms + run.to_ms);
    const half_joined = claims.some(
      (claim) =>
        here_ms >= claim.at_ms - LOG_JITTER_MS &&
        here_ms <= claim.at_ms + HEARTBEAT_MS &&
        truth.isDeaf(claim.side, claim.at_ms - LOG_JITTER_MS),
    );
    if (!half_joined && !truth.isExcused(here_ms)) return false;
    if (here_ms < at_ms || at_ms === mark_ms + run.to_ms) return true;
  }
}

/** The gaps of the client, on the machine's clock, in which traffic was due for too long. */
export function judgeService(gaps: { from_ms: number; to_ms: number }[], truth: Truth): string[] {
  const offences: string[] = [];
  for (const { from_ms, to_ms } of gaps) {
    for (const [settled, most_ms] of [
      [true, SERVICE_MS_MAX_READY],
      [false, SERVICE_MS_MAX],
    ] as const) {
      if (to_ms - from_ms <= most_ms) continue;
      const due_ms = longestDue(from_ms, to_ms, truth, settled);
      if (due_ms <= most_ms) continue;
      offences.push(
        `traffic stood still for ${(to_ms - from_ms).toFixed(0)} ms, for ${due_ms.toFixed(0)} ms of it although a ${settled ? "ready" : "healthy"} node was left (at most ${most_ms} ms)`,
      );
      break;
    }
  }
  return offences;
}

function longestDue(from_ms: number, to_ms: number, truth: Truth, settled: boolean): number {
  let longest_ms = 0;
  let since_ms = from_ms;
  for (let at_ms = from_ms; at_ms <= to_ms; at_ms += SAMPLE_MS) {
    if (!truth.isServiceDue(at_ms, settled)) since_ms = at_ms;
    longest_ms = Math.max(longest_ms, at_ms - since_ms);
  }
  return longest_ms;
}
