/** What the menu offers, by what the server is at the moment (S16, S17, S19). */
import type { Choice } from "./dialogue.ts";
import type { NodeStatus } from "./node.ts";

export type Situation = "standalone" | "active" | "backup" | "joining" | "pairing" | "starting" | "away";

export type Item =
  | "interface"
  | "web-access"
  | "backup"
  | "restore"
  | "rename"
  | "password"
  | "join"
  | "create"
  | "watch-pairing"
  | "cancel-pairing"
  | "switch"
  | "destroy"
  | "update"
  | "doctor"
  | "console"
  | "reboot"
  | "poweroff"
  | "exit";

const LABELS: Record<Item, string> = {
  interface: "Configure an interface",
  "web-access": "Web access from outside",
  backup: "Create a backup copy",
  restore: "Restore a backup copy",
  rename: "Change the server's name",
  password: "Administrator's password",
  join: "Create cluster: this server becomes the backup",
  create: "Create cluster: this server stays and becomes active",
  "watch-pairing": "Wait for the active node",
  "cancel-pairing": "Cancel the creation of the cluster",
  switch: "Switch over to the other node",
  destroy: "Destroy cluster",
  update: "Version, and the previous one",
  doctor: "Diagnostics",
  console: "Console",
  reboot: "Reboot server",
  poweroff: "Turn off server",
  exit: "Exit",
};

/** Everything, in the order of the list. A cluster forbids a rename (S10), restoring (S9) and another cluster (S1). */
const OFFERED: Record<Situation, Item[]> = {
  standalone: [
    "interface",
    "web-access",
    "backup",
    "restore",
    "rename",
    "password",
    "join",
    "create",
    "update",
    "doctor",
    "console",
    "reboot",
    "poweroff",
    "exit",
  ],
  active: [
    "interface",
    "web-access",
    "backup",
    "password",
    "switch",
    "destroy",
    "update",
    "doctor",
    "console",
    "reboot",
    "poweroff",
    "exit",
  ],
  backup: ["destroy", "reboot", "poweroff", "exit"],
  joining: ["watch-pairing", "cancel-pairing", "exit"],
  pairing: ["cancel-pairing", "doctor", "reboot", "poweroff", "exit"],
  starting: ["doctor", "console", "reboot", "poweroff", "exit"],
  // Without the node nobody can prove to be the administrator, so there is no console either.
  away: ["exit"],
};

export function situationOf(status: NodeStatus | null): Situation {
  if (status === null) return "away";
  if (status.role === "joining") return "joining";
  if (status.role === "starting") return "starting";
  if (status.role === "standalone") return status.pairing ? "pairing" : "standalone";
  // Whoever is about to be active or has just been (resuming, listening, probing) changes nothing meanwhile.
  return status.role === "active" ? "active" : "backup";
}

export function itemsOf(situation: Situation, { console }: { console: boolean }): Choice<Item>[] {
  return OFFERED[situation]
    .filter((item) => item !== "console" || console)
    .map((value) => ({ label: LABELS[value], value }));
}

/** Said when the list changes under the reader. */
export const NOW: Record<Situation, string> = {
  standalone: "This server is in no cluster now.",
  active: "This server is the active node now.",
  backup: "This server is the backup node now.",
  joining: "This server waits for the active node of a new cluster now.",
  pairing: "This server creates a cluster now.",
  starting: "The node on this server is starting.",
  away: "The node on this server does not answer; its items are back as soon as it does.",
};
