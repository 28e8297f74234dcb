/**
 * The schedule: which faults strike when, all of it data made from a seed before anything happens.
 *
 * A run is a list of rounds. Each round begins with a working pair, lets its faults loose, one alone
 * or several that overlap, mends all of them and ends with a working pair. `active` and `backup`
 * are the roles at the beginning of the round. Of two faults that would take hold of the same thing
 * (a node's processes, one end of a cable) at the same time, the later one is put off.
 */

import { CABLES, type Cable } from "../lab/topology.ts";
import { Random } from "../random.ts";

export type Victim = "active" | "backup";

/** What a fault takes hold of, alone while it lasts. */
type Hold = "node" | "cable" | "all-cables" | "nothing";

interface KindOfFault {
  hold: Hold;
  /** How long it lasts, least and most. */
  lasts_ms: readonly [number, number];
  victims?: readonly Victim[];
  cables?: readonly Cable[];
  /** Chosen at random; what it means is up to the kind (see faults.ts). */
  details?: readonly string[];
}

const BOTH: readonly Victim[] = ["active", "active", "backup"];
const ACTIVE: readonly Victim[] = ["active"];
const DATA_CABLES: readonly Cable[] = ["lan0", "wan0"];
const BRIEF = [1, 18] as const;
const MIDDLE = [20, 150] as const;
const LONG = [200, 1500] as const;

export const KINDS = {
  "freeze, shorter than the lease": { hold: "node", lasts_ms: BRIEF, victims: BOTH },
  "freeze, middle": { hold: "node", lasts_ms: MIDDLE, victims: BOTH },
  "freeze, long": { hold: "node", lasts_ms: LONG, victims: BOTH },
  "SIGKILL all": { hold: "node", lasts_ms: LONG, victims: BOTH },
  "SIGKILL heart": { hold: "node", lasts_ms: [0, 0], victims: BOTH },
  "SIGKILL control": { hold: "node", lasts_ms: LONG, victims: BOTH },
  "SIGSTOP all": { hold: "node", lasts_ms: [5, 1500], victims: BOTH },
  "SIGSTOP heart": { hold: "node", lasts_ms: [5, 1500], victims: BOTH },
  "SIGSTOP control": { hold: "node", lasts_ms: [100, 6000], victims: BOTH },
  "power off": { hold: "node", lasts_ms: LONG, victims: BOTH },
  "clean stop": { hold: "node", lasts_ms: LONG, victims: BOTH },
  "planned switch": { hold: "node", lasts_ms: [0, 0], victims: ACTIVE },
  "firewall flushed": { hold: "node", lasts_ms: [0, 0], victims: BOTH },
  "addresses deleted by hand": { hold: "node", lasts_ms: [0, 0], victims: ACTIVE },
  "address added by hand": { hold: "node", lasts_ms: [0, 0], victims: ["backup"] },
  "data cable cut": { hold: "cable", lasts_ms: LONG, victims: BOTH, cables: DATA_CABLES },
  "cluster cable cut": { hold: "cable", lasts_ms: LONG, victims: BOTH, cables: ["clu0"] },
  "data cable silent": { hold: "cable", lasts_ms: [30, 1000], victims: BOTH, cables: DATA_CABLES },
  "cluster cable silent": { hold: "cable", lasts_ms: LONG, victims: BOTH, cables: ["clu0"] },
  "one-way loss": {
    hold: "cable",
    lasts_ms: [30, 1000],
    victims: BOTH,
    cables: CABLES,
    details: ["ingress", "egress"],
  },
  "lossy cable": { hold: "cable", lasts_ms: LONG, victims: BOTH, cables: CABLES, details: ["5", "20", "50"] },
  "heartbeats blocked": { hold: "cable", lasts_ms: LONG, victims: BOTH, cables: CABLES },
  "heartbeats blocked everywhere": { hold: "all-cables", lasts_ms: [30, 1500], victims: BOTH },
  "all cables silent": { hold: "all-cables", lasts_ms: [30, 1000], victims: BOTH },
  "all cables cut": { hold: "all-cables", lasts_ms: [30, 1000], victims: BOTH },
  "foreign host announces": { hold: "nothing", lasts_ms: [0, 0] },
  "heartbeats replayed": { hold: "nothing", lasts_ms: [300, 300], details: ["lan", "wan", "clu"] },
  "flood of forged heartbeats": {
    hold: "nothing",
    lasts_ms: [100, 600],
    victims: BOTH,
    details: ["random", "wrong-key", "runt", "stolen"],
  },
  "flood of false ARP": { hold: "nothing", lasts_ms: [100, 600], victims: BOTH, details: ["arp", "arp-stolen"] },
  "processor hogs": { hold: "nothing", lasts_ms: [300, 2000] },
  "fsync storm": { hold: "nothing", lasts_ms: [300, 2000], victims: BOTH },
} as const satisfies Record<string, KindOfFault>;

export type Kind = keyof typeof KINDS;

export interface Fault {
  /** In the whole schedule, from 1. */
  number: number;
  kind: Kind;
  victim: Victim;
  cable: Cable;
  detail: string;
  /** Since the round's beginning. */
  start_ms: number;
  duration_ms: number;
}

export interface Round {
  number: number;
  faults: Fault[];
  /** Wait until links count as mended and the cluster network as trusted again, or strike before that. */
  settled: boolean;
  /** Strike even before both nodes are steady again: one active node and traffic are enough. */
  impatient: boolean;
}

const OVERLAPPING_MOST = 7;
const OVERLAPPING_WITHIN_MS = 1500;
/** Between two faults that hold the same thing. */
const APART_MS = 60;

/** `count` faults; every kind comes around before one comes again. */
export function makeSchedule(seed: number, count: number): Round[] {
  const random = new Random(seed);
  const rounds: Round[] = [];
  let deck: Kind[] = [];
  let made = 0;
  while (made < count) {
    const alone = random.below(2) === 0;
    const size = Math.min(count - made, alone ? 1 : random.between(2, OVERLAPPING_MOST));
    const faults: Fault[] = [];
    for (let i = 0; i < size; i++) {
      if (deck.length === 0) deck = Object.keys(KINDS) as Kind[];
      const kind = deck.splice(random.below(deck.length), 1)[0] as Kind;
      faults.push(makeFault(random, ++made, kind, size === 1 ? 0 : random.below(OVERLAPPING_WITHIN_MS)));
    }
    keepApart(faults);
    rounds.push({
      number: rounds.length + 1,
      faults,
      settled: random.below(3) === 0,
      impatient: size > 1 && random.below(2) === 0,
    });
  }
  return rounds;
}

function makeFault(random: Random, number: number, kind: Kind, start_ms: number): Fault {
  const { lasts_ms, victims, cables, details }: KindOfFault = KINDS[kind];
  return {
    number,
    kind,
    victim: random.pick(victims ?? ACTIVE),
    cable: random.pick(cables ?? CABLES),
    detail: random.pick(details ?? [""]),
    start_ms,
    duration_ms: random.between(...lasts_ms),
  };
}

/** Puts off what would take hold of something that an earlier fault still holds. */
function keepApart(faults: Fault[]): void {
  const free_ms = new Map<string, number>();
  for (const fault of faults.sort((one, other) => one.start_ms - other.start_ms)) {
    const held = holds(fault);
    fault.start_ms = Math.max(fault.start_ms, ...held.map((what) => free_ms.get(what) ?? 0));
    for (const what of held) free_ms.set(what, fault.start_ms + fault.duration_ms + APART_MS);
  }
}

/** Names of what a fault takes hold of. Victims are who they were at the round's beginning, so names of roles will do. */
export function holds({ kind, victim, cable }: Fault): string[] {
  const { hold }: KindOfFault = KINDS[kind];
  if (hold === "node") return [victim];
  if (hold === "cable") return [`${victim} ${cable}`];
  return hold === "all-cables" ? CABLES.map((each) => `${victim} ${each}`) : [];
}

/** Only the faults with these numbers; rounds that lose all of theirs are left out. */
export function only(rounds: Round[], numbers: readonly number[]): Round[] {
  return rounds
    .map((round) => ({ ...round, faults: round.faults.filter(({ number }) => numbers.includes(number)) }))
    .filter(({ faults }) => faults.length > 0);
}

export function faultText({ number, kind, victim, cable, detail, start_ms, duration_ms }: Fault): string {
  const { victims, cables }: KindOfFault = KINDS[kind];
  const where = [kind, victims === undefined ? "" : `of the ${victim} node`, cables === undefined ? "" : cable, detail];
  const lasts = duration_ms === 0 ? "" : ` for ${duration_ms} ms`;
  return `${number}. at ${start_ms} ms${lasts}: ${where.filter((word) => word !== "").join(" ")}`;
}
