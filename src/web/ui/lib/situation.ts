/** Where this node stands, and what is refused there. The sentences are the node's own, from the one table of rules. */

import { forbidding, type Operation, type Situation } from "../../../control/rules.ts";
import type { Status } from "./types.ts";

export function inCluster({ role }: Status): boolean {
  return !["standalone", "starting", "joining"].includes(role);
}

export function isActive({ role }: Status): boolean {
  return role === "active" || role === "resuming";
}

export function versionsDiffer({ version, build, peer }: Status): boolean {
  return peer?.heard === true && peer.version !== "" && (peer.version !== version || peer.build !== build);
}

function situationOf(status: Status): Situation {
  return { in_cluster: inCluster(status), active: isActive(status), versions_differ: versionsDiffer(status) };
}

/** Why something cannot be done now; null where it can. */
export function whyNot(operation: Operation, status: Status | null): string | null {
  if (status === null) return null;
  const situation = situationOf(status);
  const rule = forbidding("change-settings", situation) ?? forbidding(operation, situation);
  return rule === null ? null : `${rule.because}; ${rule.instead}.`;
}
