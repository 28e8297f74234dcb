/**
 * The way of a cluster, or of one node, to another version. A plan lies on the disks of both nodes; what has been done of it is
 * never written down but seen: which build runs, whether it is blessed, what is in the other slot. So each node decides from
 * facts alone what to do next, again and again, and a power cut at any moment changes nothing but the facts.
 *
 *   first:   stage ─▶ write ─▶ hand over, if active ─▶ reboot ─▶ healthy, blessed
 *   second:                                                       ─▶ fetch ─▶ write ─▶ hand over ─▶ reboot ─▶ blessed ─▶ done
 *
 * A node reboots only as the backup of a peer that it hears and that is active, so never both at once, and nobody without
 * service; where the peer is away only on an administrator's word (`alone`). On any doubt it waits, and says for what.
 */
import { z } from "zod";

export const ORDERS = ["active-first", "backup-first"] as const;
export type Order = (typeof ORDERS)[number];

const text = (most: number) => z.string().max(most);
const whole = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const node = z.literal(1).or(z.literal(2));

/** Unknown keys of a later version are left out, not refused. */
export const planSchema = z.object({
  id: z.string().regex(/^[0-9a-f]{16}$/),
  /** Rises with every change; the later one of two copies counts. */
  revision: whole,
  /** Of the cluster; null on a node that stands alone. */
  cluster: text(16).nullable(),
  started_at: text(40),
  target: z.object({ version: text(40), build: whole, sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
  order: z.enum(ORDERS),
  first: node,
  /** Goes on while the peer is away. */
  alone: z.boolean(),
  state: z.enum(["running", "paused", "aborting", "done", "failed", "aborted"]),
  /** Why it is paused, failed or aborted. */
  reason: text(500).nullable(),
});
export type Plan = z.infer<typeof planSchema>;

export const reportSchema = z.object({
  version: text(40),
  build: whole,
  blessed: z.boolean(),
  /** Digest of the image of which all is here. */
  staged: text(64).nullable(),
  /** Build in the other slot; null where there is none. */
  other_build: whole.nullable(),
  /** The other slot is started next. */
  other_next: z.boolean(),
  /** Where the target was tried here in vain: why. */
  failure: z.object({ build: whole, reason: text(500) }).nullable(),
  /** What it does or waits for, one sentence. */
  step: text(500),
  /** This node's takeovers since the plan began. */
  switches: z.array(z.object({ at: text(40), cause: text(40).nullable(), outage_ms: z.number().nullable() })).max(20),
});
/** What one node tells the other about itself. */
export type Report = z.infer<typeof reportSchema>;

export interface Facts {
  node: 1 | 2;
  plan: Plan | null;
  me: Pick<Report, "build" | "blessed" | "staged" | "other_build" | "other_next" | "failure">;
  /** The heart's word; `other` for everything on the way from one role to another. */
  role: "standalone" | "active" | "backup" | "other";
  cluster: string | null;
  /** The settings are the same on both disks. */
  in_sync: boolean;
  maintenance: boolean;
  /** Null while standalone. */
  peer: PeerFacts | null;
}

export interface PeerFacts {
  name: string;
  /** On any path, by the heart. */
  heard: boolean;
  /** Not heard for longer than a reboot takes. */
  long_away: boolean;
  /** As it says in its heartbeats. */
  active: boolean;
  unwilling: boolean;
  build: number;
  /** Over the connection for the settings; null where it has not told since it was connected. */
  report: Report | null;
}

export type Action =
  | { kind: "idle" }
  | { kind: "fetch" }
  | { kind: "write" }
  | { kind: "hand-over" }
  /** `prepare`: which slot must be the one that is started. */
  | { kind: "reboot"; prepare: "none" | "other" }
  /** The other slot is not to be started. */
  | { kind: "refuse-other" }
  | { kind: "wait"; reason: string }
  | { kind: "finish"; state: "done" | "failed" | "aborted"; reason: string | null };

export function isUnderWay(plan: Plan | null): boolean {
  return plan !== null && ["running", "paused", "aborting"].includes(plan.state);
}

/** Of two copies: the one that was changed later. Both nodes come to the same one. */
export function laterOf(one: Plan | null, other: Plan | null): Plan | null {
  if (one === null || other === null) return one ?? other;
  if (one.revision !== other.revision) return one.revision > other.revision ? one : other;
  const rank = ({ state }: Plan): number =>
    ["running", "paused", "done", "aborting", "failed", "aborted"].indexOf(state);
  if (rank(one) !== rank(other)) return rank(one) > rank(other) ? one : other;
  return JSON.stringify(one) >= JSON.stringify(other) ? one : other;
}

export function nextAction(facts: Facts): Action {
  const { plan, cluster } = facts;
  if (plan === null || !isUnderWay(plan)) return { kind: "idle" };
  if (plan.cluster !== cluster)
    return {
      kind: "finish",
      state: "failed",
      reason: "The cluster was made or destroyed while the update was under way.",
    };
  if (plan.state === "paused") return wait(plan.reason ?? "Paused by an administrator.");
  return plan.state === "aborting" ? takeBack(facts, plan) : goOn(facts, plan);
}

/** Towards the target. */
function goOn(facts: Facts, plan: Plan): Action {
  const { me, peer } = facts;
  const { target } = plan;
  const is_first = peer === null || plan.first === facts.node;
  if (me.build === target.build) return me.blessed ? concluded(facts, plan) : wait("The new version proves itself.");
  if (me.failure?.build === target.build) return failed(`The new version did not come up here: ${me.failure.reason}`);
  if (me.build > target.build) return failed(`Build ${me.build}, which runs here, is newer than the update.`);
  const theirs = peer?.report ?? null;
  if (theirs?.failure?.build === target.build && theirs.build !== target.build)
    return failed(`The new version did not come up on ${peer?.name}: ${theirs.failure.reason}`);
  if (!is_first) {
    if (theirs === null) return wait(`${peer?.name} is first and cannot be reached.`);
    if (theirs.build !== target.build) return wait(`${peer?.name} is first.`);
    if (!theirs.blessed) return wait(`The new version proves itself on ${peer?.name}.`);
  }
  if (me.staged !== target.sha256) {
    if (theirs?.staged === target.sha256) return { kind: "fetch" };
    return wait(
      peer === null
        ? "The update is not on this node; give the file again."
        : `${peer.name} has the update and cannot be reached.`,
    );
  }
  const doubt = doubtOf(facts, plan, is_first);
  if (doubt !== null) return wait(doubt);
  if (me.other_build !== target.build || !me.other_next) return { kind: "write" };
  return leave(facts, plan, "none");
}

/** This node is at the target, and blessed. */
function concluded({ peer }: Facts, plan: Plan): Action {
  const done: Action = { kind: "finish", state: "done", reason: null };
  if (peer === null) return done;
  const { name, report } = peer;
  if (report === null) return wait(`${name} gets the update when it can be reached.`);
  if (report.build === plan.target.build && report.blessed) return done;
  if (report.failure?.build === plan.target.build)
    return failed(`The new version did not come up on ${name}: ${report.failure.reason}`);
  return wait(
    report.build === plan.target.build ? `The new version proves itself on ${name}.` : `${name} gets the update.`,
  );
}

/** What keeps a node from leaving the service to its peer, or from being the one that serves alone meanwhile. */
function doubtOf({ peer, in_sync, maintenance }: Facts, plan: Plan, is_first: boolean): string | null {
  if (peer === null) return null;
  const { name } = peer;
  if (!peer.heard)
    return plan.alone && is_first
      ? null
      : `${name} is not heard, so nobody would serve meanwhile; start the update with --alone to go on without it.`;
  if (maintenance) return "This node is in maintenance.";
  if (peer.unwilling) return `${name} does not take over at the moment; see its status.`;
  if (peer.report === null) return `${name} cannot be reached over the cluster network.`;
  if (!peer.report.blessed) return `The new version proves itself on ${name}.`;
  // While versions differ nothing is synchronised, and nothing changes either.
  if (is_first && peer.build !== plan.target.build && !in_sync)
    return "The settings are not the same on both nodes yet.";
  return null;
}

/** Out of the service, and into the other slot. */
function leave({ node, role, peer }: Facts, plan: Plan, prepare: "none" | "other"): Action {
  if (peer === null) return role === "standalone" ? { kind: "reboot", prepare } : wait("This node is starting.");
  if (!peer.heard) {
    // One of the two alone may, or two islands might reboot at the same time.
    const may = plan.alone && plan.first === node;
    if (may && (role === "active" || role === "backup")) return { kind: "reboot", prepare };
    return wait(`${peer.name} is not heard, so nobody would serve meanwhile.`);
  }
  if (role === "active") return peer.active ? wait("Both nodes are active at this moment.") : { kind: "hand-over" };
  if (role === "backup" && peer.active) return { kind: "reboot", prepare };
  return wait(`It must be clear that ${peer.name} serves.`);
}

/** Back to where both nodes came from. */
function takeBack(facts: Facts, plan: Plan): Action {
  const { me, peer } = facts;
  const { target } = plan;
  if (me.build !== target.build) {
    if (me.other_build === target.build && me.other_next) return { kind: "refuse-other" };
    if (peer === null) return aborted(plan);
    if (peer.report === null) return wait(`${peer.name} goes back when it can be reached.`);
    return peer.report.build === target.build ? wait(`${peer.name} goes back.`) : aborted(plan);
  }
  if (me.other_build === null || me.other_build === target.build)
    return failed("There is no previous version on this node to go back to.");
  // It may be on its way back itself; `alone` means one that does not come.
  if (peer !== null && !peer.heard && !peer.long_away) return wait(`${peer.name} is not heard; perhaps it restarts.`);
  if (peer === null || !peer.heard) return leave(facts, plan, "other");
  if (peer.unwilling) return wait(`${peer.name} does not take over at the moment; see its status.`);
  if (peer.report === null) return wait(`${peer.name} cannot be reached over the cluster network.`);
  // Of two that go back the backup is first; the active one waits until it is there again.
  if (facts.role === "active" && peer.report.build === target.build) return wait(`${peer.name} goes back first.`);
  return leave(facts, plan, "other");
}

function aborted({ reason }: Plan): Action {
  return { kind: "finish", state: "aborted", reason };
}

function failed(reason: string): Action {
  return { kind: "finish", state: "failed", reason };
}

function wait(reason: string): Action {
  return { kind: "wait", reason };
}
