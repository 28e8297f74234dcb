/**
 * Shared addresses and default gateways: what is declared, making it so, and what is.
 *
 * `prepareHolding` turns the declaration into datagrams once, at configuration; a `Move` then only sends
 * them: that is all that a switch has to do here, for one address as for a thousand.
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
 * A node that changes its mind waits for one datagram, so it must not take long. An IPv4 address takes the kernel 0.01 ms;
 * with each IPv6 address it goes through all multicast groups of the link (Linux 6.18, ipv6_mc_up), 1 ms where there are
 * a thousand.
 */
const DATAGRAM_COST_MAX = 256;
const COST_OF_IPV6_ADDRESS = 64;

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
 * Holding or releasing everything that is declared, datagram by datagram. It says what to ask and is told what came of
 * it; who asks the kernel, and on which thread, is the caller's.
 *
 * The kernel tries every change. What is there already, or not there any more, is no error.
 */
export class Move {
  readonly intent: Intent;
  readonly #shim: Shim;
  readonly #holding: Holding;
  #taken = 0;
  #failure: SystemFailure | undefined;

  constructor(shim: Shim, holding: Holding, intent: Intent) {
    this.intent = intent;
    this.#shim = shim;
    this.#holding = holding;
  }

  /** The next datagram; undefined once all have been taken. */
  next(): Uint8Array | undefined {
    const { hold_requests, release_requests } = this.#holding;
    const requests = this.intent === "held" ? hold_requests : release_requests;
    return requests[this.#taken++];
  }

  /** The kernel refused something of a datagram. */
  refused(failure: SystemFailure): void {
    this.#failure ??= failure;
  }

  /**
   * After the last datagram. Throws, naming them, Failure `addresses-missing` where some could not be set, or
   * `addresses-remain` where some could not be removed.
   */
  finish(): void {
    const failure = this.#failure;
    if (failure === undefined) return;
    const wanted = this.intent === "held";
    // One error hides others, so what counts is what is there now.
    const wrong = observe(this.#shim, this.#holding).filter(({ held }) => held !== wanted);
    const what = wrong.map(({ address, nic }) => `${address} on ${nic}`).join(", ");
    if (wanted) {
      const message = `The kernel did not take ${what || "a default gateway"}: ${failure.message}`;
      throw new Failure("addresses-missing", message, { cause: failure });
    }
    if (wrong.length > 0) {
      const message = `The kernel did not let go of ${what}: ${failure.message}`;
      throw new Failure("addresses-remain", message, { cause: failure });
    }
    if (!NOT_THERE.includes(failure.errno)) throw failure;
  }
}

/** A `Move` from beginning to end. */
export function hold(shim: Shim, holding: Holding): void {
  complete(shim, new Move(shim, holding, "held"));
}

/** A `Move` from beginning to end. */
export function release(shim: Shim, holding: Holding): void {
  complete(shim, new Move(shim, holding, "released"));
}

function complete(shim: Shim, move: Move): void {
  for (let request = move.next(); request !== undefined; request = move.next()) {
    const failure = send(shim, request);
    if (failure !== undefined) move.refused(failure);
  }
  move.finish();
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
 * Takes away what is where it does not belong: shared addresses and gateways in a wrong place, and all of them
 * where the intent is "released". `ours` lists all that may be taken away, with or without prefix, for instance
 * those of an earlier configuration; an address that is neither declared nor listed is left alone.
 * Returns how many it removed, and how many of those to be held are missing.
 */
export function removeStrays(
  shim: Shim,
  holding: Holding,
  intent: Intent,
  ours: string[] = [],
): { removed: number; missing: number } {
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
  for (const request of datagrams(removals)) {
    const failure = send(shim, request);
    if (failure !== undefined && !NOT_THERE.includes(failure.errno)) throw failure;
  }
  return { removed: removals.length, missing: wanted.filter((change) => !present.has(keyOf(change))).length };
}

/** Makes the kernel agree with the declaration, changing only what differs; counts what it added and removed. */
export function reconcile(
  shim: Shim,
  holding: Holding,
  intent: Intent,
  ours: string[] = [],
): { added: number; removed: number } {
  // What is in a wrong place goes first: the same address on two interfaces would be ambiguous.
  const { removed, missing } = removeStrays(shim, holding, intent, ours);
  // All of them, as what was removed may have taken the route to their network with it.
  if (intent === "held" && missing + removed > 0) hold(shim, holding);
  return { added: missing, removed };
}

/**
 * True where a datagram of the groups `ipv4_address` and `ipv6_address` tells that somebody else added or
 * removed an address: time to reconcile.
 */
export function isForeignAddressChange(shim: Shim, datagram: Uint8Array): boolean {
  const own_ports = [shim.netlinkPort(NETLINK_ROUTE), shim.backgroundPort()];
  return readMessages(datagram).some((message) => isAddressChange(message) && !own_ports.includes(message.port));
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

function send(shim: Shim, request: Uint8Array): SystemFailure | undefined {
  try {
    command(shim, NETLINK_ROUTE, request);
  } catch (error) {
    if (error instanceof SystemFailure) return error;
    throw error;
  }
  return undefined;
}

/** The changes in order, in datagrams that take the kernel DATAGRAM_COST_MAX at worst. */
function datagrams(changes: Change[]): Uint8Array[] {
  const batches: Change[][] = [];
  let cost = Number.POSITIVE_INFINITY;
  for (const change of changes) {
    cost += costOf(change);
    if (cost > DATAGRAM_COST_MAX) {
      batches.push([]);
      cost = costOf(change);
    }
    batches.at(-1)?.push(change);
  }
  return batches.map((batch) => changesRequest(nextSequence(), batch));
}

function costOf(change: Change): number {
  return "address" in change && change.address.family === 6 ? COST_OF_IPV6_ADDRESS : 1;
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
