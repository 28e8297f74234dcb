/**
 * Puts the gate (gate-rules.ts) into the kernel, opens and closes its lease, and sees whether somebody
 * changed it. Everything here is a short netlink exchange: no process is started, no file is read.
 *
 *     const gate = installGate(shim, configuration, "closed");
 *     openLease(shim, gate);   // from now on the node's own active heartbeats keep it open
 *     closeLease(shim, gate);
 *
 * Where the kernel can (Linux 6.9), the table belongs to our socket and outlives it: nobody else can change
 * or flush it while we run, and it stays in force when we are gone, for the next start to adopt. The control process
 * holds the socket as well (`keepGateSocket`), so that this goes on while the heart is dead. On older kernels a
 * foreign `nft flush ruleset` removes it; the notification says so, and the caller installs it again.
 */

import { Failure, SystemFailure } from "../errors.ts";
import type { Shim } from "../shim.ts";
import { command, commandUnless, list, nextSequence, ownTable } from "./exchange.ts";
import { GATE_TABLE, type GateConfiguration, gateDefinition, LEASE_KEY, LEASE_SET } from "./gate-rules.ts";
import { NETLINK_NETFILTER, readMessages } from "./netlink.ts";
import { FAMILY, isForeignChange, listRequest, NFT_MSG, readElements, Transaction } from "./nftables.ts";
import { pictureOf } from "./picture.ts";

export type { GateConfiguration } from "./gate-rules.ts";
export { NFNLGRP_NFTABLES } from "./nftables.ts";

export type LeaseState = "open" | "closed";

/** An installed gate. */
export interface Gate {
  configuration: GateConfiguration;
  /** True where the kernel lets nobody else change it. */
  owned: boolean;
  /** What the kernel listed right after the installation, to compare with. */
  picture: string;
  /** Requests made once: opening and closing the lease must not cost more than sending these. */
  open_request: Uint8Array;
  close_request: Uint8Array;
}

/**
 * Replaces whatever table of ours there is by the gate of this configuration, in one transaction: there is no
 * moment without a gate. With `lease` "open" it is open from that moment on, for the lease time, which only
 * a node that knows itself to be active may ask for.
 * Throws Failure `no-interface` (an interface is not there), `gate-held` (another process of ours lives and
 * owns it), or SystemFailure.
 */
export function installGate(
  shim: Shim,
  configuration: GateConfiguration,
  lease: LeaseState,
  options: { owned: boolean } = { owned: true },
): Gate {
  try {
    const request = (owned: boolean): Uint8Array => installRequest(configuration, lease, owned);
    const owned = options.owned && ownTable(shim, request(true));
    if (!owned) command(shim, NETLINK_NETFILTER, request(false));
    return {
      configuration,
      owned,
      picture: gatePicture(shim),
      open_request: openRequest(configuration.lease_ms),
      close_request: closeRequest(),
    };
  } catch (error) {
    throw explained(error, configuration);
  }
}

/** The socket that owns the gate, for a process that outlives the one that uses it. */
export function keepGateSocket(shim: Shim): number {
  return shim.newNetlinkSocket(NETLINK_NETFILTER);
}

/** Makes this process own its gate through a socket that it was given. Before anything else here. */
export function useGateSocket(shim: Shim, fd: number): void {
  shim.adoptNetlinkSocket(NETLINK_NETFILTER, fd);
}

/** Removes the gate; no error where there is none. From then on everything passes. */
export function removeGate(shim: Shim): void {
  const remove = new Transaction(nextSequence()).deleteTable(FAMILY.netdev, GATE_TABLE).finish();
  commandUnless(shim, NETLINK_NETFILTER, remove, ["ENOENT"]);
}

/** Opens the lease for the lease time from now, whatever state it is in. Throws SystemFailure ENOENT where the gate is gone. */
export function openLease(shim: Shim, gate: Gate): void {
  if (commandUnless(shim, NETLINK_NETFILTER, gate.open_request, ["ENFILE"])) return;
  // The expired element is still counted and cannot be removed: the kernel is just collecting it, or is one (6.1 before
  // August 2023) that passes over expired elements. A gate made anew has room.
  command(shim, NETLINK_NETFILTER, installRequest(gate.configuration, "open", gate.owned));
  gate.picture = gatePicture(shim);
}

/** Closes the lease; no error where it is closed. Throws SystemFailure ENOENT where the gate is gone. */
export function closeLease(shim: Shim, gate: Gate): void {
  command(shim, NETLINK_NETFILTER, gate.close_request);
}

/** Milliseconds that the lease has left; 0 where it is closed. Throws SystemFailure ENOENT where the gate is gone. */
export function readLease(shim: Shim): number {
  const request = listRequest(nextSequence(), NFT_MSG.get_element, FAMILY.netdev, GATE_TABLE, LEASE_SET);
  const elements = readElements(list(shim, NETLINK_NETFILTER, request));
  return elements[0]?.remaining_ms ?? 0;
}

/** True where the kernel holds the gate just as it was installed. The lease itself may be in any state. */
export function verifyGate(shim: Shim, gate: Gate): boolean {
  try {
    return gatePicture(shim) === gate.picture;
  } catch (error) {
    if (error instanceof SystemFailure && error.errno === "ENOENT") return false;
    throw error;
  }
}

/**
 * True where a datagram of the group NFNLGRP_NFTABLES tells that somebody else changed something of the gate's table:
 * time to verify the gate. A datagram that cannot be read counts as such, and an empty one, which says that some were lost.
 */
export function isForeignGateChange(shim: Shim, datagram: Uint8Array): boolean {
  if (datagram.length === 0) return true;
  try {
    const own_port = shim.netlinkPort(NETLINK_NETFILTER);
    return isForeignChange(readMessages(datagram), own_port, FAMILY.netdev, GATE_TABLE);
  } catch {
    return true;
  }
}

/** The transaction that replaces the table. Exported for tests. */
export function installRequest(configuration: GateConfiguration, lease: LeaseState, owned: boolean): Uint8Array {
  const { sets, chains, rules } = gateDefinition(configuration);
  const to = new Transaction(nextSequence()).replaceTable(FAMILY.netdev, GATE_TABLE, owned);
  for (const set of sets) {
    to.newSet(FAMILY.netdev, GATE_TABLE, set.definition);
    to.newElements(FAMILY.netdev, GATE_TABLE, set.definition.name, set.keys);
  }
  if (lease === "open") to.newElements(FAMILY.netdev, GATE_TABLE, LEASE_SET, [LEASE_KEY], configuration.lease_ms);
  for (const chain of chains) to.newChain(FAMILY.netdev, GATE_TABLE, chain);
  for (const rule of rules) to.newRule(FAMILY.netdev, GATE_TABLE, rule);
  return to.finish();
}

/**
 * Emptied and filled in one transaction: adding an element that is there does not prolong it, and one that has
 * expired but is not yet collected would leave no room.
 */
function openRequest(lease_ms: number): Uint8Array {
  return new Transaction(nextSequence())
    .flushSet(FAMILY.netdev, GATE_TABLE, LEASE_SET)
    .newElements(FAMILY.netdev, GATE_TABLE, LEASE_SET, [LEASE_KEY], lease_ms)
    .finish();
}

function closeRequest(): Uint8Array {
  return new Transaction(nextSequence()).flushSet(FAMILY.netdev, GATE_TABLE, LEASE_SET).finish();
}

function gatePicture(shim: Shim): string {
  const lines = [...pictureOf(shim, FAMILY.netdev, GATE_TABLE, LEASE_SET)].map(([name, text]) => `${name}: ${text}`);
  return lines.join("\n");
}

function explained(error: unknown, configuration: GateConfiguration): unknown {
  if (!(error instanceof SystemFailure)) return error;
  const nics = [configuration.cluster_nic, ...configuration.data_nics].join(", ");
  if (error.errno === "ENOENT" || error.errno === "ENODEV") {
    return new Failure("no-interface", `One of the interfaces ${nics} is not there.`, { cause: error });
  }
  if (error.errno === "EPERM") {
    return new Failure(
      "gate-held",
      "The gate cannot be installed: no permission, or another node process still owns it.",
      {
        cause: error,
      },
    );
  }
  return error;
}
