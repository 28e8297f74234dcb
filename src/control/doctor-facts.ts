/** What the doctor looks at: the kernel, the disk, the cards, and what the node says of itself. */
import { accessSync, constants, readFileSync, statfsSync } from "node:fs";
import { sentence } from "../errors.ts";
import { list, nextSequence } from "../kernel/exchange.ts";
import { listLinks } from "../kernel/links.ts";
import { NETLINK_NETFILTER } from "../kernel/netlink.ts";
import { FAMILY, listRequest, NFT_MSG } from "../kernel/nftables.ts";
import { openShim } from "../shim.ts";
import { fileTrouble } from "../trouble.ts";
import { type CardReport, type CardUse, reportCards } from "./cards.ts";
import type { Status } from "./node.ts";
import { missingRights } from "./rights.ts";
import { identityOf } from "./watchdog.ts";

export interface Facts {
  missing_rights: string[];
  kernel_release: string;
  /** Null where nftables answers. */
  nftables_trouble: string | null;
  /** Null where the firewall is in force. */
  firewall_trouble: string | null;
  clock_ms: number;
  state_directory: string;
  /** Null where it can be written. */
  state_trouble: string | null;
  free_bytes: number;
  /** Those that are there. */
  cards: CardReport[];
  missing_cards: CardReport[];
  /** Every interface of this machine, virtual ones too. */
  links: { nic: string; link: boolean }[];
  interfaces: { nic: string; enabled: boolean }[];
  in_cluster: boolean;
  cluster_nic: string | null;
  status: Status;
  /** What the watchdog's driver calls it; empty where that is not known. */
  watchdog_identity: string;
  /** How the settings of both nodes compare; null where nobody compares them. */
  sync: string | null;
  license: { state: string; message: string };
}

export interface Subject extends CardUse {
  interfaces: { nic: string; role: "internal" | "external"; enabled?: boolean | undefined }[];
  state_directory: string;
  status: Status;
  firewall_trouble: string | null;
}

export function gatherFacts(subject: Subject): Facts {
  const { state_directory, cluster_nic, status, interfaces, firewall_trouble } = subject;
  // Where settings are replicated, the status says how far.
  const { sync = null } = status as { sync?: { state: string } | null };
  const cards = reportCards(subject);
  return {
    missing_rights: missingRights(readFileSync("/proc/self/status", "utf8")),
    kernel_release: readFileSync("/proc/sys/kernel/osrelease", "utf8").trim(),
    nftables_trouble: troubleOf(
      () => void list(openShim(), NETLINK_NETFILTER, listRequest(nextSequence(), NFT_MSG.get_table, FAMILY.netdev)),
    ),
    firewall_trouble,
    clock_ms: Date.now(),
    state_directory,
    state_trouble: stateTrouble(state_directory),
    free_bytes: freeBytes(state_directory),
    cards: cards.filter(({ state }) => state !== "missing"),
    missing_cards: cards.filter(({ state }) => state === "missing"),
    links: listLinks(openShim()).map(({ name, carrier }) => ({ nic: name, link: carrier })),
    interfaces: interfaces.map(({ nic, enabled = true }) => ({ nic, enabled })),
    in_cluster: cluster_nic !== null,
    cluster_nic,
    status,
    watchdog_identity: identityOf(status.watchdog),
    sync: sync?.state ?? null,
    license: status.license,
  };
}

function troubleOf(work: () => void): string | null {
  try {
    work();
    return null;
  } catch (error) {
    return sentence(error).replace(/\.$/, "");
  }
}

function stateTrouble(directory: string): string | null {
  try {
    accessSync(directory, constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    return fileTrouble(error);
  }
}

function freeBytes(directory: string): number {
  try {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize;
  } catch {
    return 0;
  }
}
