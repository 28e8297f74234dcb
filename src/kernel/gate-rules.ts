/**
 * The gate: what may pass the interfaces of a cluster's node while it holds the lease, and what
 * while it does not. This file is the definition; `gate.ts` puts it into the kernel.
 *
 * The lease is a set with one element that times out. It is live while the element is there. Only
 * two things put it there or keep it: an explicit call (`openLease`), and a heartbeat that says
 * "I am active" as it leaves an interface of this node, as long as the lease is still live. So
 * when the daemon hangs, dies or is stopped, the kernel shuts the gate by itself, and a heartbeat that
 * was in flight at the freeze does not open it again at the thaw.
 *
 * With the lease live everything passes. Without, an allow-list passes: what a node needs to be
 * reached under addresses of its own, to learn who else is there, and to ask who answers for the
 * shared addresses. Nothing that answers for a shared address, and nothing that is forwarded: what
 * comes in is for the node itself, what goes out is from the node itself. Whatever a rule does not
 * know (VLAN tags, PPPoE …) meets the policy, drop.
 *
 * EtherTypes are read from the frame's header, not from what the kernel made of it: a VLAN tag that
 * the card has taken off is put back for that, so a tagged frame never looks like an untagged one.
 */

import { ETHER_TYPE } from "../wire/ethernet.ts";
import type { Expression } from "./expressions.ts";
import { parseAddress } from "./ip.ts";
import {
  ACCEPT,
  DHCP_CLIENT_PORT,
  DHCP_SERVER_PORT,
  DROP,
  ICMPV6_TYPE,
  IPPROTO,
  IPV4_DESTINATION,
  IPV4_SOURCE,
  IPV6_DESTINATION,
  IPV6_SOURCE,
  inPrefix,
  is,
  linkLocal,
  load,
  MLD,
  NEIGHBOUR_ADVERTISEMENT,
  NEIGHBOUR_SOLICITATION,
  outside,
  protocol,
  TRANSPORT_DESTINATION_PORT,
  u16,
  within,
} from "./matches.ts";
import type { ChainDefinition, RuleDefinition, SetDefinition } from "./nftables.ts";

export const GATE_TABLE = "understudy";
export const LEASE_SET = "lease";
/** UDP on the cluster network: states of connections, from the active node to its backup (services/conntrack.ts). */
export const CONNECTIONS_PORT = 7415;

export interface GateConfiguration {
  /** The reserved card. */
  cluster_nic: string;
  /** Those that users' traffic takes. An interface that is neither here nor the reserved card is not gated. */
  data_nics: string[];
  /** All shared addresses of the cluster; a prefix length is ignored. */
  shared: string[];
  /** Addresses of this node alone, which it may use without the lease. Often none. */
  own: string[];
  lease_ms: number;
  /**
   * The peer's MAC on the cluster network, six bytes. Present: the peer's "I am active" that arrives there
   * ends our lease in the kernel, before any process of ours runs. It matters for a virtual machine that
   * was paused with its clock standing still. A node that hears a lower claim must open its lease again.
   */
  revoking_mac?: Uint8Array;
}

export interface GateDefinition {
  sets: { definition: SetDefinition; keys: Uint8Array[] }[];
  chains: ChainDefinition[];
  rules: RuleDefinition[];
}

/**
 * Every frame of an Ethernet device is "of the interface type Ethernet" (ARPHRD_ETHER, u16 of the host): the
 * one key of the lease, which every frame can look up whatever it carries.
 */
export const LEASE_KEY = Uint8Array.of(1, 0);

/** A week: the kernel's own collection of expired elements would only get in the way. */
const NEVER_COLLECTED_MS = 7 * 24 * 3600 * 1000;

/** The gate comes first on the way in. */
const INGRESS_PRIORITY = -500;
/** And last on the way out, so that a heartbeat that anybody else drops renews nothing. */
const EGRESS_PRIORITY = 500;

/** ICMPv6 to a link's multicast addresses that a shut gate lets in … */
const DISCOVERY_IN = [MLD.query, NEIGHBOUR_SOLICITATION, NEIGHBOUR_ADVERTISEMENT];
/** … and out, from the unspecified address. */
const DISCOVERY_OUT = [MLD.report_v1, MLD.done_v1, MLD.report_v2, NEIGHBOUR_SOLICITATION];
/** What makes a host send its traffic to us: router advertisement and redirect. RFC 4861. */
const ROUTER_MESSAGES = [134, 137];

const ARP_SENDER_IP = load("network", 14, 4);
const ARP_TARGET_IP = load("network", 24, 4);
/** Target address of a neighbour solicitation or advertisement, RFC 4861 sections 4.3 and 4.4. */
const DISCOVERY_TARGET = load("transport", 8, 16);
const SOURCE_MAC = load("link", 6, 6);
/** First byte of a heartbeat: 1 while its sender is active (wire/heartbeat.ts). */
const CLAIM = load("link", 14, 1);

/** "On Ethernet" comes first because nft then lists the rest by the names of the protocols. It holds for every frame. */
const frameOf = (type: number): Expression[] => [
  ...is({ kind: "meta", key: "iiftype" }, LEASE_KEY),
  ...is(load("link", 12, 2), u16(type)),
];
const linkMulticast = (field: Expression): Expression[] => inPrefix(field, "ff02::", "ffff::");

const HEARTBEAT = frameOf(ETHER_TYPE.understudy);
const ARP = frameOf(ETHER_TYPE.arp);
const IPV4 = frameOf(ETHER_TYPE.ipv4);
const IPV6 = frameOf(ETHER_TYPE.ipv6);
const UDP = [...IPV4, ...protocol(IPPROTO.udp)];
const ICMPV6 = [...IPV6, ...protocol(IPPROTO.icmpv6)];
const icmpv6Type = (type: number): Expression[] => [...ICMPV6, ...is(ICMPV6_TYPE, Uint8Array.of(type))];

const CONNECTIONS = [...IPV6, ...protocol(IPPROTO.udp), ...is(TRANSPORT_DESTINATION_PORT, u16(CONNECTIONS_PORT))];

const LEASE_IN = within({ kind: "meta", key: "iiftype" }, LEASE_SET);
const LEASE_OUT = within({ kind: "meta", key: "oiftype" }, LEASE_SET);

/** The gate of a configuration: sets with their elements, chains, and rules in order. */
export function gateDefinition(configuration: GateConfiguration): GateDefinition {
  // A chain needs an interface: where all data interfaces are disabled, theirs are left out.
  const hooked = chains(configuration).filter(({ devices }) => devices.length > 0);
  const names = hooked.map(({ name }) => name);
  return {
    sets: sets(configuration),
    chains: hooked,
    rules: rules(configuration).filter(({ chain }) => names.includes(chain)),
  };
}

function sets(configuration: GateConfiguration): GateDefinition["sets"] {
  const shared = uniqueAddresses(configuration.shared);
  const own = uniqueAddresses(configuration.own);
  const types = (numbers: number[]): Uint8Array[] => numbers.map((number) => Uint8Array.of(number));
  return [
    {
      // One element at most, an expired one included, and that one stays until the lease is opened or closed: should
      // it expire between the look-up and the renewal that one frame causes, the renewal finds no room.
      definition: {
        name: LEASE_SET,
        key: "iface_type",
        timeout_ms: configuration.lease_ms,
        size: 1,
        collect_ms: NEVER_COLLECTED_MS,
      },
      keys: [],
    },
    { definition: { name: "shared4", key: "ipv4_addr" }, keys: shared.ipv4 },
    { definition: { name: "shared6", key: "ipv6_addr" }, keys: shared.ipv6 },
    { definition: { name: "own4", key: "ipv4_addr" }, keys: own.ipv4 },
    { definition: { name: "own6", key: "ipv6_addr" }, keys: own.ipv6 },
    { definition: { name: "discovery_in", key: "icmpv6_type" }, keys: types(DISCOVERY_IN) },
    { definition: { name: "discovery_out", key: "icmpv6_type" }, keys: types(DISCOVERY_OUT) },
    { definition: { name: "router_messages", key: "icmpv6_type" }, keys: types(ROUTER_MESSAGES) },
  ];
}

function chains(configuration: GateConfiguration): ChainDefinition[] {
  const { cluster_nic, data_nics } = configuration;
  const ingress = { type: "filter", hook: "ingress", priority: INGRESS_PRIORITY, policy: "drop" } as const;
  const egress = { type: "filter", hook: "egress", priority: EGRESS_PRIORITY, policy: "drop" } as const;
  return [
    { ...ingress, name: "data_in", devices: data_nics },
    { ...egress, name: "data_out", devices: data_nics },
    { ...ingress, name: "cluster_in", devices: [cluster_nic] },
    { ...egress, name: "cluster_out", devices: [cluster_nic] },
  ];
}

function rules(configuration: GateConfiguration): RuleDefinition[] {
  const rule = (chain: string, comment: string, ...parts: (Expression | Expression[])[]): RuleDefinition => ({
    chain,
    comment,
    expressions: parts.flat(),
  });
  const renewal: Expression = { kind: "dynset", op: "update", set: LEASE_SET, timeout_ms: configuration.lease_ms };
  const renew = (chain: string): RuleDefinition =>
    // The look-up leaves the lease's key in the register, for the renewal to use.
    rule(chain, "an active heartbeat renews a live lease", HEARTBEAT, is(CLAIM, Uint8Array.of(1)), LEASE_OUT, renewal);
  const revoke = (mac: Uint8Array): RuleDefinition =>
    rule("cluster_in", "the peer's claim ends ours", HEARTBEAT, is(SOURCE_MAC, mac), is(CLAIM, Uint8Array.of(1)), [
      { kind: "meta", key: "iiftype" },
      { kind: "dynset", op: "delete", set: LEASE_SET },
    ]);
  const unspecified4 = parseAddress("0.0.0.0");
  const unspecified6 = parseAddress("::");
  const broadcast4 = parseAddress("255.255.255.255");

  return [
    rule("data_in", "heartbeats always pass", HEARTBEAT, ACCEPT),
    rule("data_in", "open", LEASE_IN, ACCEPT),
    rule("data_in", "no question for a shared address", ARP, outside(ARP_TARGET_IP, "shared4"), ACCEPT),
    rule("data_in", "to the node itself", IPV4, within(IPV4_DESTINATION, "own4"), ACCEPT),
    rule(
      "data_in",
      "to its DHCP client",
      UDP,
      is(IPV4_DESTINATION, broadcast4),
      is(TRANSPORT_DESTINATION_PORT, u16(DHCP_CLIENT_PORT)),
      ACCEPT,
    ),
    rule("data_in", "nothing to a shared address", IPV6, within(IPV6_DESTINATION, "shared6"), DROP),
    rule(
      "data_in",
      "no question for a shared address",
      icmpv6Type(NEIGHBOUR_SOLICITATION),
      within(DISCOVERY_TARGET, "shared6"),
      DROP,
    ),
    rule("data_in", "neighbour discovery", linkMulticastDiscovery(IPV6_DESTINATION, "discovery_in"), ACCEPT),
    rule("data_in", "link-local, never routed", IPV6, linkLocal(IPV6_DESTINATION), ACCEPT),
    rule("data_in", "to the node itself", IPV6, within(IPV6_DESTINATION, "own6"), ACCEPT),

    renew("data_out"),
    rule("data_out", "heartbeats always pass", HEARTBEAT, ACCEPT),
    rule("data_out", "open", LEASE_OUT, ACCEPT),
    // A probe asks with sender 0.0.0.0 (RFC 5227) and leaves; an announcement or answer names the shared address as sender.
    rule("data_out", "no claim to a shared address", ARP, outside(ARP_SENDER_IP, "shared4"), ACCEPT),
    rule("data_out", "from the node itself", IPV4, within(IPV4_SOURCE, "own4"), ACCEPT),
    rule(
      "data_out",
      "from its DHCP client",
      UDP,
      is(IPV4_SOURCE, unspecified4),
      is(TRANSPORT_DESTINATION_PORT, u16(DHCP_SERVER_PORT)),
      ACCEPT,
    ),
    rule("data_out", "nothing from a shared address", IPV6, within(IPV6_SOURCE, "shared6"), DROP),
    rule(
      "data_out",
      "no claim to a shared address",
      icmpv6Type(NEIGHBOUR_ADVERTISEMENT),
      within(DISCOVERY_TARGET, "shared6"),
      DROP,
    ),
    rule("data_out", "no claim to be a router", ICMPV6, within(ICMPV6_TYPE, "router_messages"), DROP),
    rule(
      "data_out",
      "neighbour discovery before it has an address, and probes",
      linkMulticastDiscovery(IPV6_DESTINATION, "discovery_out"),
      is(IPV6_SOURCE, unspecified6),
      ACCEPT,
    ),
    rule("data_out", "link-local, never routed", IPV6, linkLocal(IPV6_SOURCE), ACCEPT),
    rule("data_out", "from the node itself", IPV6, within(IPV6_SOURCE, "own6"), ACCEPT),

    // The cluster network carries our own frames and link-local IPv6, lease or no lease, and never a user's packet.
    ...(configuration.revoking_mac === undefined ? [] : [revoke(configuration.revoking_mac)]),
    rule("cluster_in", "heartbeats always pass", HEARTBEAT, ACCEPT),
    // Only one node knows what is so, and the other one believes it.
    rule("cluster_in", "no states of connections to the active node", CONNECTIONS, LEASE_IN, DROP),
    rule("cluster_in", "replication", IPV6, linkLocal(IPV6_DESTINATION), ACCEPT),
    rule("cluster_in", "neighbour discovery", linkMulticastDiscovery(IPV6_DESTINATION, "discovery_in"), ACCEPT),

    renew("cluster_out"),
    rule("cluster_out", "heartbeats always pass", HEARTBEAT, ACCEPT),
    rule("cluster_out", "states of connections", CONNECTIONS, LEASE_OUT, ACCEPT),
    rule("cluster_out", "none but from the active node", CONNECTIONS, DROP),
    rule("cluster_out", "replication", IPV6, linkLocal(IPV6_SOURCE), ACCEPT),
    rule(
      "cluster_out",
      "neighbour discovery before it has an address",
      linkMulticastDiscovery(IPV6_DESTINATION, "discovery_out"),
      is(IPV6_SOURCE, unspecified6),
      ACCEPT,
    ),
  ];
}

function linkMulticastDiscovery(destination: Expression, types: string): Expression[] {
  return [...ICMPV6, ...linkMulticast(destination), ...within(ICMPV6_TYPE, types)];
}

function uniqueAddresses(texts: string[]): { ipv4: Uint8Array[]; ipv6: Uint8Array[] } {
  const ipv4 = new Map<string, Uint8Array>();
  const ipv6 = new Map<string, Uint8Array>();
  for (const text of texts) {
    const bytes = parseAddress(text.split("/")[0] ?? "");
    (bytes.length === 4 ? ipv4 : ipv6).set(bytes.join(), bytes);
  }
  return { ipv4: [...ipv4.values()], ipv6: [...ipv6.values()] };
}
