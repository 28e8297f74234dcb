/** What replication says to people. */
import type { Verdict } from "./types.ts";

const count = (changes: number): string => (changes === 1 ? "one change" : `${changes} changes`);

export const outcomeText = {
  mayBeThere: (peer: string) => ` ${peer} may have it all the same, and then it applies when the two are in step.`,
  synced: (peer: string, revision: number) => `${peer} has the same settings as this node (revision ${revision}).`,
  behind: (peer: string, changes: number) =>
    `This node takes over ${changes > 0 ? count(changes) : "changes"} of the settings from ${peer}.`,
  alone: (peer: string, revision: number) =>
    `The settings from revision ${revision} on are on this node alone; ${peer} gets them when the two are connected again.`,
  kept: (peer: string, changes: number, name: string) =>
    `${peer} and this node were changed apart from each other; the settings of ${peer} apply, and ${count(changes)} of ` +
    `this node ${changes === 1 ? "is" : "are"} kept as ${name}.`,
  diverged: (peer: string, unrelated: boolean) =>
    unrelated
      ? `The settings of ${peer} and of this node have no history in common; destroy the cluster and create it again.`
      : `${peer} and this node were changed apart from each other; the settings of the active node will apply.`,
};

const REFUSALS = {
  busy: () => "Another change of the settings is under way; try again in a moment.",
  "not-active": (peer: string) => `Settings are changed on the active node only, which is ${peer} at the moment.`,
  "settings-moved": () => "The settings were changed by somebody else meanwhile; look at them and try again.",
  "settings-too-large": () => "These settings are too large to be replicated.",
  "not-replicated": (peer: string, why?: string) =>
    `The change was refused, as ${why ?? `${peer}, which is heard, did not store it within 5 seconds`}; ` +
    "see `understudy status`, or store it on this node alone with --alone.",
};

/** `may_be_there`: it has left for the peer, and nobody knows whether it arrived. */
export function failed(
  code: keyof typeof REFUSALS,
  peer: string,
  why: string | undefined,
  may_be_there: boolean,
): Verdict {
  const rest = may_be_there ? outcomeText.mayBeThere(peer) : "";
  return { ok: false, code, message: REFUSALS[code](peer, why) + rest };
}
