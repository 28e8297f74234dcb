/**
 * The rules of a cluster, in one table: what is refused, why, and what to do instead. Whichever door a change comes
 * through (menu, command, web), it asks here. Editing and disabling interfaces is allowed, so there is no row for it.
 */

export type Operation =
  | "use-cluster-card"
  | "add-interface"
  | "delete-interface"
  | "change-name"
  | "restore-backup"
  | "mailbox-mode"
  | "change-settings";

export interface Situation {
  /** A part of a cluster, and not one that it has left. */
  in_cluster: boolean;
  /** This node is the active one. */
  active: boolean;
  /** The peer is heard, and runs another version or build. */
  versions_differ: boolean;
}

export interface Rule {
  /** Rows of the specification. */
  row: string;
  operation: Operation;
  /** What is refused, in the words of the README's table. */
  what: string;
  code: string;
  applies: (situation: Situation) => boolean;
  because: string;
  instead: string;
}

const inCluster = ({ in_cluster }: Situation): boolean => in_cluster;

/** The first row that applies is the one that is said: the particular before the general. */
export const RULES: readonly Rule[] = [
  {
    row: "B8, S19",
    operation: "change-settings",
    what: "changing settings on the backup",
    code: "not-active",
    applies: ({ in_cluster, active }) => in_cluster && !active,
    because: "Only the active node of a cluster takes changes",
    instead: "make this one there, and it comes here by itself",
  },
  {
    row: "S21",
    operation: "change-settings",
    what: "changing settings while the nodes' versions differ",
    code: "versions-differ",
    applies: ({ in_cluster, versions_differ }) => in_cluster && versions_differ,
    because: "Settings are not synchronised while the two nodes run different versions",
    instead: "update the other node first",
  },
  {
    row: "S9",
    operation: "restore-backup",
    what: "restoring a backup copy",
    code: "restore-forbidden",
    applies: inCluster,
    because: "Backup copies cannot be restored in a cluster",
    instead: "destroy the cluster first, restore, and create it again",
  },
  {
    row: "S3",
    operation: "use-cluster-card",
    what: "using the cluster network's card for anything else",
    code: "card-reserved",
    applies: inCluster,
    because: "This network card is reserved for the cluster network",
    instead: "choose another card, or destroy the cluster first",
  },
  {
    row: "S11",
    operation: "add-interface",
    what: "adding an interface",
    code: "interfaces-fixed",
    applies: inCluster,
    because: "Interfaces cannot be added or deleted in a cluster",
    instead: "destroy the cluster first, or edit an interface that is there",
  },
  {
    row: "S11",
    operation: "delete-interface",
    what: "deleting an interface",
    code: "interfaces-fixed",
    applies: inCluster,
    because: "Interfaces cannot be added or deleted in a cluster",
    instead: "destroy the cluster first, or disable the interface",
  },
  {
    row: "S10",
    operation: "change-name",
    what: "changing the server's name",
    code: "name-fixed",
    applies: inCluster,
    because: "The server's name cannot be changed in a cluster",
    instead: "destroy the cluster first",
  },
  {
    row: "S7",
    operation: "mailbox-mode",
    what: "keeping mailboxes",
    code: "relay-only",
    applies: inCluster,
    because: "Mail works only as a relay in a cluster, because mailboxes are not copied to the other node",
    instead: "set mail.mode to relay or off",
  },
];

/** For menus, which leave out or grey what is forbidden. */
export function forbidding(operation: Operation, situation: Situation): Rule | null {
  return RULES.find((rule) => rule.operation === operation && rule.applies(situation)) ?? null;
}
