/**
 * Shared addresses and default gateways: what is declared, making it so, and what is.
 *
 * `prepareHolding` turns the declaration into datagrams once, at configuration; `hold` and `release` then
 * only send them: that is all that a switch has to do here, for one address as for a thousand.
 *
 *     const holding = prepareHolding(shim, [{ nic: "lan0", addresses: ["10.1.0.1/24"], gateways: [] }]);
 *     hold(shim, holding);
 *     reconcile(shim, holding, "held");   // slower, from what is really there
 */

import { Failure, SystemFailure } from "../errors.ts";
import type { Shim } from "../shim.ts";
import { command, list, nextSequence } from "./exchange.ts";
import { formatPrefixed, inNetwork, type Prefixed, parseAddress, parsePrefixed, sameNetwork } from "./ip.ts";
import { linkNamed, listLinks } from "./links.ts";
import { NETLINK_ROUTE, readMessages } from "./netlink.ts";
import {
  type AddressEntry,
  type Change,
  changesRequest,
  type GatewayEntry,
  isAddressChange,
  listAddressesRequest,
  listRoutesRequest,
  readAddresses,
  readDefaultGateways,
} from "./rtnetlink.ts";

export interface DeclaredInterface {
  nic: string;
  /** CIDR, `10.1.0.1/24`. */
  addresses: string[];
  /** Default gateways, one per family at most. Of several interfaces with one, the first in the list is preferred. */
  gateways: string[];
}

export type Intent = "held" | "released";

/** A declaration made ready to send. Valid as long as the interfaces keep their indexes. */
export interface Holding {
  nic_of: Map<number, string>;
  additions: Change[];
  /** In reverse order of the additions: the kernel then never has to promote one address to another's place. */
  removals: Change[];
  hold_requests: Uint8Array[];
  release_requests: Uint8Array[];
}

export interface AddressStatus {
  address: string;
  nic: string;
  held: boolean;
}

/**
 * Few enough that one datagram takes 50 ms at worst: with each IPv6 address the kernel goes through all multicast
 * groups of the link (Linux 6.18, ipv6_mc_up), 1 ms an address where there are a thousand. IPv4 takes 0.01 ms.
 */
const CHANGES_PER_DATAGRAM = 50;

/** What the kernel answers when what is to be removed is not there. */
const NOT_THERE = ["EADDRNOTAVAIL", "ESRCH", "ENODEV"];

/** Throws Failure `no-interface` or `bad-address`. */
export function prepareHolding(shim: Shim, interfaces: DeclaredInterface[]): Holding {
  const links = listLinks(shim);
  const nic_of = new Map<number, string>();
  const addresses: { 4: Change[]; 6: Change[] } = { 4: [], 6: [] };
  const gateways: { 4: Change[]; 6: Change[] } = { 4: [], 6: [] };
  interfaces.forEach((declared, position) => {
    const { index: link_index } = linkNamed(links, declared.nic);
    nic_of.set(link_index, declared.nic);
    const networks = declared.addresses.map(parsePrefixed);
    const routed: Prefixed[] = [];
    for (const address of networks) {
      const network_route = !routed.some((other) => sameNetwork(address, other));
      if (network_route) routed.push(address);
      addresses[address.family].push({ kind: "add-address", link_index, address, network_route });
    }
    for (const gateway of declared.gateways.map(parseAddress)) {
      const on_link = !networks.some((network) => inNetwork(gateway, network));
      const family = gateway.length === 4 ? 4 : 6;
      gateways[family].push({ kind: "add-gateway", link_index, gateway, metric: position + 1, on_link });
    }
  });
  // A gateway can be reached only once the addresses are there. IPv4 first, as it is quick.
  const additions = [...addresses[4], ...gateways[4], ...addresses[6], ...gateways[6]];
  const removals = additions.map(opposite).reverse();
  return {
    nic_of,
    additions,
    removals,
    hold_requests: datagrams(additions),
    release_requests: datagrams(removals),
  };
}

/**
 * Puts all addresses and gateways where they are declared, those that are there already included. The kernel
 * tries every one of them; throws Failure `addresses-missing`, naming them, where some could not be set.
 *
 * With very many IPv6 addresses this takes longer than a lease; `between` is called between the datagrams, for
 * the caller to send its heartbeat.
 */
export function hold(shim: Shim, holding: Holding, between: () => void = () => {}): void {
  const failure = sendAll(shim, holding.hold_requests, between);
  if (failure === undefined) return;
  const missing = observe(shim, holding).filter(({ held }) => !held);
  const what =
    missing.length === 0 ? "a default gateway" : missing.map(({ address, nic }) => `${address} on ${nic}`).join(", ");
  throw new Failure("addresses-missing", `The kernel did not take ${what}: ${failure.message}`, { cause: failure });
}

/**
 * Takes all of them away; what is not there is no error. Throws Failure `addresses-remain`, naming them, where
 * some could not be removed. `between` as with `hold`.
 */
export function release(shim: Shim, holding: Holding, between: () => void = () => {}): void {
  const failure = sendAll(shim, holding.release_requests, between);
  if (failure === undefined) return;
  // One error hides others, so what counts is what is left.
  const remaining = observe(shim, holding).filter(({ held }) => held);
  if (remaining.length > 0) {
    const what = remaining.map(({ address, nic }) => `${address} on ${nic}`).join(", ");
    throw new Failure("addresses-remain", `The kernel did not let go of ${what}: ${failure.message}`, {
      cause: failure,
    });
  }
  if (!NOT_THERE.includes(failure.errno)) throw failure;
}

/** Which of the declared addresses the kernel has on their interface. */
export function observe(shim: Shim, holding: Holding): AddressStatus[] {
  const present = new Set(listAddresses(shim).map(keyOf));
  return holding.additions
    .filter((change) => change.kind === "add-address")
    .map(({ link_index, address }) => ({
      address: formatPrefixed(address),
      nic: holding.nic_of.get(link_index) ?? "",
      held: present.has(keyOf({ link_index, address })),
    }));
}

/**
 * Compares what is with what is declared and changes only the difference. Also takes away shared addresses that
 * are where they do not belong: `ours` lists all that may be taken away, with or without prefix, for instance
 * those of an earlier configuration; an address that is neither declared nor listed is left alone.
 * Returns how many addresses and gateways it had to add and to remove.
 */
export function reconcile(
  shim: Shim,
  holding: Holding,
  intent: Intent,
  ours: string[] = [],
): { added: number; removed: number } {
  const wanted = intent === "held" ? holding.additions : [];
  const wanted_keys = new Set(wanted.map(keyOf));
  const owned = new Set(ours.map((text) => parsePrefixed(text).bytes.join()));
  for (const change of holding.additions) if (change.kind === "add-address") owned.add(change.address.bytes.join());

  const addresses = listAddresses(shim);
  const gateways = listGateways(shim);
  const declared_gateways = new Set(holding.additions.filter((change) => change.kind === "add-gateway").map(keyOf));
  const removals: Change[] = [
    ...gateways
      .filter((entry) => declared_gateways.has(keyOf(entry)) && !wanted_keys.has(keyOf(entry)))
      .map((entry): Change => ({ kind: "delete-gateway", ...entry })),
    ...addresses
      .filter((entry) => owned.has(entry.address.bytes.join()) && !wanted_keys.has(keyOf(entry)))
      .map((entry): Change => ({ kind: "delete-address", ...entry }))
      .reverse(),
  ];
  const present = new Set([...addresses.map(keyOf), ...gateways.map(keyOf)]);
  const missing = wanted.filter((change) => !present.has(keyOf(change)));
  // What is in a wrong place goes first: the same address on two interfaces would be ambiguous.
  const failure = sendAll(shim, datagrams(removals));
  if (failure !== undefined && !NOT_THERE.includes(failure.errno)) throw failure;
  // All of them, as what was removed may have taken the route to their network with it.
  if (missing.length + removals.length > 0 && intent === "held") hold(shim, holding);
  return { added: missing.length, removed: removals.length };
}

/**
 * True where a datagram of the groups `ipv4_address` and `ipv6_address` tells that somebody else added or
 * removed an address: time to reconcile.
 */
export function isForeignAddressChange(shim: Shim, datagram: Uint8Array): boolean {
  const own_port = shim.netlinkPort(NETLINK_ROUTE);
  return readMessages(datagram).some((message) => isAddressChange(message) && message.port !== own_port);
}

/** All addresses of the node, of every interface. */
export function listAddresses(shim: Shim): AddressEntry[] {
  return readAddresses(list(shim, NETLINK_ROUTE, listAddressesRequest(nextSequence())));
}

/** All default gateways of the node. */
export function listGateways(shim: Shim): GatewayEntry[] {
  return ([4, 6] as const).flatMap((family) =>
    readDefaultGateways(list(shim, NETLINK_ROUTE, listRoutesRequest(nextSequence(), family))),
  );
}

/** Sends every datagram, whatever becomes of the one before; returns the first failure. */
function sendAll(shim: Shim, requests: Uint8Array[], between: () => void = () => {}): SystemFailure | undefined {
  let first: SystemFailure | undefined;
  for (const [index, request] of requests.entries()) {
    if (index > 0) between();
    try {
      command(shim, NETLINK_ROUTE, request);
    } catch (error) {
      if (!(error instanceof SystemFailure)) throw error;
      first ??= error;
    }
  }
  return first;
}

function datagrams(changes: Change[]): Uint8Array[] {
  const requests: Uint8Array[] = [];
  for (let at = 0; at < changes.length; at += CHANGES_PER_DATAGRAM) {
    requests.push(changesRequest(nextSequence(), changes.slice(at, at + CHANGES_PER_DATAGRAM)));
  }
  return requests;
}

function opposite(change: Change): Change {
  const { link_index } = change;
  if (change.kind === "add-address") return { kind: "delete-address", link_index, address: change.address };
  if (change.kind === "add-gateway") return { kind: "delete-gateway", link_index, gateway: change.gateway };
  throw new Error(`${change.kind} is no addition`);
}

/** Identity of an address or gateway on its link. */
function keyOf(
  entry: { link_index: number; address: Prefixed } | { link_index: number; gateway: Uint8Array } | Change,
): string {
  if ("address" in entry) return `${entry.link_index} ${formatPrefixed(entry.address)}`;
  return `${entry.link_index} via ${entry.gateway.join()}`;
}
