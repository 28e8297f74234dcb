/**
 * What is checked with the model: each check is the model with some switches (pair.pml says what they do), searched
 * exhaustively, and either nothing may be found wrong or something must be.
 */

export interface Check {
  name: string;
  /** What it says, for people. */
  says: string;
  switches: string[];
  /** Also "whenever faults have an end, somebody serves in the end" as a formula, with weak fairness. */
  ltl?: true;
  /** Part of `npm test`; the others take minutes or gigabytes. */
  quick: boolean;
  /** What pan compresses its states for: memory, at twice the time. */
  compress?: true;
}

/** Nothing may be found wrong. */
export const CHECKS: Check[] = [
  {
    name: "owner-freeze",
    says: "one owner: a node freezes and thaws, a process hangs",
    switches: ["FREEZE"],
    quick: true,
  },
  {
    name: "owner-kill",
    says: "one owner: a process dies and is started again, a process hangs",
    switches: ["KILL"],
    quick: true,
  },
  {
    name: "owner-loss-freeze",
    says: "one owner: any heartbeats are lost, a node freezes, and no process hangs",
    switches: ["LOSS", "FREEZE", "STEADY"],
    quick: true,
  },
  {
    name: "owner-orders",
    says: "one owner: gates break, nodes stop or are cut off",
    switches: ["ORDERS", "STEADY"],
    quick: false,
  },
  {
    name: "owner-forgetful",
    says: "one owner: a node that is started again has forgotten its term",
    switches: ["KILL", "FORGETFUL", "STEADY"],
    quick: true,
  },
  {
    name: "progress-kill",
    says: "after the last death one node serves, in bounded time",
    switches: ["CALM", "KILL", "STEADY"],
    quick: true,
  },
  {
    name: "progress-freeze",
    says: "after the last freeze one node serves, in bounded time",
    switches: ["CALM", "FREEZE", "STEADY"],
    ltl: true,
    quick: true,
  },
  {
    name: "limit-islands",
    says: "islands that are joined: the lower claim yields at the first heartbeat, in bounded time",
    switches: ["LIMITS", "ISLANDS", "CALM", "STEADY"],
    quick: true,
  },
  {
    name: "limit-clock",
    says: "a machine thaws with its clock stood still: the same",
    switches: ["LIMITS", "CLOCK_STILL", "FREEZE", "CALM", "STEADY"],
    quick: true,
  },
  {
    name: "shipped-freeze",
    says: "one owner with the default timings: a node freezes and thaws",
    switches: ["SHIPPED", "FREEZE", "STEADY"],
    quick: true,
  },
  {
    name: "shipped-kill",
    says: "one owner with the default timings: a process dies and is started again",
    switches: ["SHIPPED", "KILL", "STEADY"],
    quick: true,
  },
  {
    name: "owner-loss-hang",
    says: "one owner: any heartbeats are lost, a process hangs",
    switches: ["LOSS"],
    quick: false,
  },
  {
    name: "owner-orders-kill",
    says: "one owner: gates break, nodes stop or are cut off, processes die",
    switches: ["ORDERS", "KILL", "STEADY"],
    quick: false,
  },
  {
    name: "owner-together",
    says: "one owner: a node freezes, and any processes hang at the same time",
    switches: ["FREEZE", "TOGETHER"],
    quick: false,
  },
  {
    name: "owner-two-faults",
    says: "one owner: two freezes or deaths before the pair has recovered, a process hangs",
    switches: ["FREEZE", "KILL", "FAULTS_MAX=2"],
    compress: true,
    quick: false,
  },
  {
    name: "shipped-loss-freeze",
    says: "one owner with the default timings: any heartbeats are lost, a node freezes, and no process hangs",
    switches: ["SHIPPED", "LOSS", "FREEZE", "STEADY"],
    compress: true,
    quick: false,
  },
  {
    name: "shipped-freeze-hang",
    says: "one owner with the default timings: a node freezes, a process hangs",
    switches: ["SHIPPED", "FREEZE"],
    quick: false,
  },
  {
    name: "shipped-kill-hang",
    says: "one owner with the default timings: a process dies and is started again, a process hangs",
    switches: ["SHIPPED", "KILL"],
    quick: false,
  },
  {
    name: "owner-freeze-kill",
    says: "one owner: freezes, deaths, hangs",
    switches: ["FREEZE", "KILL"],
    quick: false,
  },
  {
    name: "owner-forgetful-hang",
    says: "one owner: a node that is started again has forgotten its term, a process hangs",
    switches: ["KILL", "FORGETFUL"],
    quick: false,
  },
  {
    name: "owner-everything",
    says: "one owner: any heartbeats are lost, a node freezes, a process hangs",
    switches: ["LOSS", "FREEZE"],
    compress: true,
    quick: false,
  },
];

/** Something must be found wrong: the proof can fail. */
export const MUTANTS: Check[] = [
  { name: "no-probe", says: "claims without asking for the addresses", switches: ["NO_PROBE", "LOSS", "STEADY"] },
  { name: "lease-too-long", says: "the lease outlasts the detection", switches: ["GATE=6", "FREEZE"] },
  { name: "no-yield", says: "an active node ignores a higher claim", switches: ["NO_YIELD", "LIMITS", "ISLANDS"] },
  {
    name: "reviving-heartbeat",
    says: "a heartbeat that was on its way at the freeze opens an expired lease",
    switches: ["REVIVING_HEARTBEAT", "FREEZE"],
  },
  { name: "short-evidence", says: "evidence is complete before a lease ends", switches: ["WAIT=1", "FREEZE"] },
  {
    name: "blind-to-probes",
    says: "both ask for the addresses and neither gives way",
    switches: ["BLIND_TO_PROBES", "LOSS", "STEADY"],
  },
  {
    name: "trusts-silence",
    says: "a node that slept opens its lease again as it heard nobody",
    switches: ["TRUSTS_SILENCE", "LOSS"],
  },
  {
    name: "gaps-count",
    says: "time in which nobody asked counts as evidence",
    switches: ["GAPS_COUNT", "SHIPPED", "FREEZE"],
    quick: false,
  },
  { name: "stale-consent", says: "consent counts however old it is", switches: ["STALE_CONSENT", "FREEZE"] },
  {
    name: "never-convinced",
    says: "evidence takes for ever, so nobody takes over",
    switches: ["WAIT=14", "CALM", "FREEZE", "STEADY"],
  },
].map((mutant) => ({ quick: true, ...mutant }));
