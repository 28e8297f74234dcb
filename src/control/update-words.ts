/** What a node does, or waits for, in the words of the status and the events. */
import type { Action } from "../update/plan.ts";

/** Null where there is nothing to say. */
export function stepOf(action: Action, peer_name: string): string | null {
  switch (action.kind) {
    case "fetch":
      return `The update comes from ${peer_name}.`;
    case "write":
      return "The update is written to the other slot.";
    case "hand-over":
      return `${peer_name} becomes active.`;
    case "refuse-other":
      return "The new version is not started any more.";
    case "reboot":
      return action.prepare === "none"
        ? "This node restarts into the new version."
        : "This node restarts into the previous version.";
    case "wait":
      return action.reason;
    default:
      return null;
  }
}
