/**
 * The firewall and the translation of addresses, the same on both nodes and in every role: who may talk to whom when
 * the gate lets traffic through at all. This file is the definition; `firewall.ts` puts it into the kernel.
 *
 * Chains and the names of sets never change, only rules and elements, so that a change can be made in place: the kernel
 * changes from all old rules to all new ones between two packets. Each chain's last rule drops and counts, and its policy
 * drops as well, for the moment in which a table is made anew.
 *
 * An interface that is neither internal nor external nor the reserved card is nobody's business here: what it exchanges with
 * the node or with another such interface passes.
 */

import type { Expression } from "./expressions.ts";
import { NFPROTO } from "./expressions.ts";
import { parseAddress, parsePrefixed } from "./ip.ts";
import {
  ACCEPT,
  DHCP_CLIENT_PORT,
  DHCP_SERVER_PORT,
  DROP,
  ICMPV6_TYPE,
  IPPROTO,
  IPV4_DESTINATION,
  IPV6_DESTINATION,
  IPV6_SOURCE,
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
import type { ChainDefinition, Mapping, RuleDefinition, SetDefinition } from "./nftables.ts";

export const FIREWALL_TABLE = "understudy_firewall";

export interface FirewallInterface {
  nic: string;
  role: "internal" | "external";
  /** Shared addresses, CIDR. Internal traffic leaves an external interface under its first IPv4 address. */
  addresses: string[];
}

export interface PortForward {
  protocol: "tcp" | "udp";
  port: number;
  /** IPv4 or IPv6: it is for packets of the same kind. */
  to: string;
  to_port?: number | undefined;
}

export interface FirewallConfiguration {
  interfaces: FirewallInterface[];
  /** The reserved card, where there is a cluster. */
  cluster_nic?: string;
  masquerade: boolean;
  port_forwards: PortForward[];
  /** TCP ports of the node that external networks may reach. */
  open_ports: number[];
}

export interface FirewallSet {
  definition: SetDefinition;
  keys: Uint8Array[];
  mappings: Mapping[];
}

export interface FirewallDefinition {
  sets: FirewallSet[];
  chains: ChainDefinition[];
  rules: RuleDefinition[];
}

const DHCPV6_SERVER_PORT = 547;
const DHCPV6_CLIENT_PORT = 546;
/** What keeps connections working, and an echo request. RFC 4890 for IPv6. */
const ICMP_ESSENTIAL = { unreachable: 3, echo_request: 8, time_exceeded: 11, parameter_problem: 12 } as const;
const ICMPV6_ESSENTIAL = { unreachable: 1, too_big: 2, time_exceeded: 3, parameter_problem: 4, echo: 128 } as const;
const ICMP_PER_SECOND = 100;

/** enum ip_conntrack_info as bits, and IPS_DST_NAT. */
const CT_STATE = { invalid: 1, established: 2, related: 4 } as const;
const CT_TRANSLATED_DESTINATION = 0x20;
const RTN_LOCAL = 2;
const INTERFACE_NAME_BYTES = 16;
const TCP_FLAGS = load("transport", 13, 1);
const TCP_SYN = 0x2;
const TCP_RST = 0x4;
const TRANSPORT_SOURCE_PORT = load("transport", 0, 2);

// u32 in the order of the host.
const u32 = (value: number): Uint8Array => Uint8Array.of(value & 0xff, (value >> 8) & 0xff, 0, 0);
const all = (...parts: (Expression | Expression[])[]): Expression[] => parts.flat();

const family = (version: 4 | 6): Expression[] => is({ kind: "meta", key: "nfproto" }, Uint8Array.of(NFPROTO[version]));
const arrivesAt = (set: string): Expression[] => within({ kind: "meta", key: "iifname" }, set);
const leavesBy = (set: string): Expression[] => within({ kind: "meta", key: "oifname" }, set);
const anyBit = (field: Expression, bits: number): Expression[] => [
  field,
  { kind: "mask", mask: u32(bits) },
  { kind: "cmp", op: "neq", value: u32(0) },
];
const KNOWN = anyBit({ kind: "ct", key: "state" }, CT_STATE.established | CT_STATE.related);
const INVALID = anyBit({ kind: "ct", key: "state" }, CT_STATE.invalid);
const FORWARDED_PORT = anyBit({ kind: "ct", key: "status" }, CT_TRANSLATED_DESTINATION);
const OURS = arrivesAt("ours");
const NOT_OURS = outside({ kind: "meta", key: "iifname" }, "ours");
const AN_ADDRESS_OF_THAT_INTERFACE: Expression = { kind: "fib", result: "type", of: "destination", arriving: true };
const WAY_BACK: Expression = { kind: "fib", result: "oif", of: "source", arriving: true };
const ANY_WAY_BACK: Expression = { kind: "fib", result: "oif", of: "source", arriving: false };
const NEIGHBOURS = all(family(6), protocol(IPPROTO.icmpv6), within(ICMPV6_TYPE, "neighbour_discovery"));
const DROPPED: Expression[] = [{ kind: "counter" }, DROP];

/** Netfilter's own priorities: NF_IP_PRI_RAW, _NAT_DST, _FILTER, _NAT_SRC. */
const CHAINS: ChainDefinition[] = [
  chain("spoofed", "filter", "prerouting", -300),
  chain("port_forwards", "nat", "prerouting", -100),
  chain("input", "filter", "input", 0),
  chain("forward", "filter", "forward", 0),
  chain("way_out", "nat", "postrouting", 100),
];
/** They end with a pass, where the others end with a drop. */
const OPEN_CHAINS = ["spoofed", "port_forwards", "way_out"];

function chain(
  name: string,
  type: ChainDefinition["type"],
  hook: ChainDefinition["hook"],
  priority: number,
): ChainDefinition {
  const is_open = type === "nat" || hook === "prerouting";
  return { name, type, hook, priority, policy: is_open ? "accept" : "drop", devices: [] };
}

/** All of it: sets with their elements, chains, and rules in order. */
export function firewallDefinition(configuration: FirewallConfiguration): FirewallDefinition {
  return { sets: sets(configuration), chains: CHAINS, rules: rules(configuration) };
}

/**
 * What is left where the kernel cannot do all of it: nothing comes in from outside, not even an answer, and nothing is
 * translated. Only the most basic steps of rules are used.
 */
export function closedDefinition(configuration: FirewallConfiguration): FirewallDefinition {
  const basic: Expression["kind"][] = ["meta", "lookup", "cmp", "mask", "payload", "verdict"];
  const { sets, chains, rules } = firewallDefinition(configuration);
  const kept = chains.filter(({ name }) => !OPEN_CHAINS.includes(name));
  const isKept = ({ chain, expressions }: RuleDefinition): boolean =>
    kept.some(({ name }) => name === chain) && expressions.every(({ kind }) => basic.includes(kind));
  return { sets, chains: kept, rules: rules.filter(isKept) };
}

function sets({ interfaces, cluster_nic, port_forwards, open_ports }: FirewallConfiguration): FirewallSet[] {
  const named = (role: string): string[] => interfaces.filter((entry) => entry.role === role).map(({ nic }) => nic);
  const cluster = cluster_nic === undefined ? [] : [cluster_nic];
  const addresses = interfaces.filter(({ role }) => role === "external").flatMap((entry) => entry.addresses);
  const external = unique(addresses.map((text) => parsePrefixed(text).bytes));
  const types = (numbers: object): Uint8Array[] => Object.values(numbers).map((number) => Uint8Array.of(number));
  const names = (nics: string[]): Uint8Array[] => unique(nics.map(interfaceName));
  const set = (name: string, key: SetDefinition["key"], keys: Uint8Array[]): FirewallSet => ({
    definition: { name, key },
    keys,
    mappings: [],
  });
  const map = (name: string, version: 4 | 6): FirewallSet => ({
    definition: { name, key: "inet_proto . inet_service", data: `ipv${version}_addr . inet_service` },
    keys: [],
    mappings: port_forwards.filter(({ to }) => versionOf(to) === version).map(mapping),
  });
  return [
    set("internal", "ifname", names(named("internal"))),
    set("external", "ifname", names(named("external"))),
    set("cluster", "ifname", names(cluster)),
    set("ours", "ifname", names([...interfaces.map(({ nic }) => nic), ...cluster])),
    set("external4", "ipv4_addr", byVersion(external, 4)),
    set("external6", "ipv6_addr", byVersion(external, 6)),
    map("forwards4", 4),
    map("forwards6", 6),
    set("open_ports", "inet_service", unique(open_ports.map(u16))),
    set("neighbour_discovery", "icmpv6_type", types([MLD.query, NEIGHBOUR_SOLICITATION, NEIGHBOUR_ADVERTISEMENT])),
    set("icmp_essential", "icmp_type", types(ICMP_ESSENTIAL)),
    set("icmpv6_essential", "icmpv6_type", types(ICMPV6_ESSENTIAL)),
  ];
}

function rules(configuration: FirewallConfiguration): RuleDefinition[] {
  return [...spoofed(configuration), ...portForwards(), ...input(), ...forward(), ...wayOut(configuration)];
}

/** A rule of a chain, with what `nft list` is to say of it. */
const ruleOf =
  (chain: string) =>
  (comment: string, ...parts: (Expression | Expression[])[]): RuleDefinition => ({
    chain,
    comment,
    expressions: parts.flat(),
  });

/** Sources that have no business where they come from. */
function spoofed({ interfaces }: FirewallConfiguration): RuleDefinition[] {
  const rule = ruleOf("spoofed");
  const several = interfaces.filter(({ role }) => role === "external").length > 1;
  const no_way: Expression[] = [WAY_BACK, { kind: "cmp", op: "eq", value: u32(0) }];
  const nowhere: Expression[] = [ANY_WAY_BACK, { kind: "cmp", op: "eq", value: u32(0) }];
  return [
    // From the unspecified address too, which no route knows.
    rule("neighbour discovery", OURS, NEIGHBOURS, ACCEPT),
    rule("answers would not go there", arrivesAt("internal"), no_way, DROPPED),
    // With several ways out answers may come in by another one.
    ...(several
      ? [rule("answers would go nowhere", arrivesAt("external"), nowhere, DROPPED)]
      : [rule("answers would not go there", arrivesAt("external"), no_way, DROPPED)]),
    ...(several
      ? insiders(interfaces).map((source) => rule("from inside", arrivesAt("external"), source, DROPPED))
      : []),
  ];
}

/** Sources of the internal networks, each once. */
function insiders(interfaces: FirewallInterface[]): Expression[][] {
  const internal = interfaces.filter(({ role }) => role === "internal").flatMap((entry) => entry.addresses);
  const networks = new Map<string, Expression[]>();
  for (const { family: version, bytes, prefix_length } of internal.map(parsePrefixed)) {
    const mask = bytes.map((_, index) => 0xff & (0xff00 >> Math.min(8, Math.max(0, prefix_length - index * 8))));
    const network = bytes.map((byte, index) => byte & (mask[index] ?? 0));
    const source = version === 4 ? load("network", 12, 4) : IPV6_SOURCE;
    networks.set(
      `${network.join()}/${prefix_length}`,
      all(family(version), source, { kind: "mask", mask }, { kind: "cmp", op: "eq", value: network }),
    );
  }
  return [...networks.values()];
}

/** For whoever asks an external address: from outside, and from inside, where the answer has to come back this way. */
function portForwards(): RuleDefinition[] {
  const rule = ruleOf("port_forwards");
  const versions = [
    { version: 4, destination: IPV4_DESTINATION, port_at: 1 },
    { version: 6, destination: IPV6_DESTINATION, port_at: 4 },
  ] as const;
  return versions.flatMap(({ version, destination, port_at }) => {
    const translated: Expression[] = [
      { kind: "meta", key: "l4proto" },
      { ...load("transport", 2, 2), at: 1 } as Expression,
      { kind: "translate", map: `forwards${version}` },
      { kind: "nat", of: "destination", family: version, port_at },
    ];
    const local = is(AN_ADDRESS_OF_THAT_INTERFACE, u32(RTN_LOCAL));
    return [
      rule("from outside", family(version), arrivesAt("external"), local, translated),
      rule(
        "from inside",
        family(version),
        arrivesAt("internal"),
        within(destination, `external${version}`),
        translated,
      ),
    ];
  });
}

/** To the node itself. */
function input(): RuleDefinition[] {
  const rule = ruleOf("input");
  const limit: Expression = { kind: "limit", per_second: ICMP_PER_SECOND, burst: ICMP_PER_SECOND };
  const ports = (from: number, to: number): Expression[] =>
    all(protocol(IPPROTO.udp), is(TRANSPORT_SOURCE_PORT, u16(from)), is(TRANSPORT_DESTINATION_PORT, u16(to)));
  const outsideOnly = arrivesAt("external");
  const elsewhere: Expression[] = [AN_ADDRESS_OF_THAT_INTERFACE, { kind: "cmp", op: "neq", value: u32(RTN_LOCAL) }];
  return [
    rule("answers", KNOWN, ACCEPT),
    rule("not ours to judge", NOT_OURS, ACCEPT),
    rule("neighbour discovery", NEIGHBOURS, ACCEPT),
    rule("belongs to nothing", INVALID, DROPPED),
    rule("from inside", arrivesAt("internal"), ACCEPT),
    rule("replication", arrivesAt("cluster"), family(6), linkLocal(IPV6_SOURCE), ACCEPT),
    rule("to the DHCP client", outsideOnly, family(4), ports(DHCP_SERVER_PORT, DHCP_CLIENT_PORT), ACCEPT),
    rule(
      "to the DHCP client",
      outsideOnly,
      family(6),
      linkLocal(IPV6_SOURCE),
      ports(DHCPV6_SERVER_PORT, DHCPV6_CLIENT_PORT),
      ACCEPT,
    ),
    // What an address of another interface serves is not for those out here.
    rule("to no address of that interface", outsideOnly, elsewhere, DROPPED),
    rule(
      "keeps connections working",
      outsideOnly,
      family(4),
      protocol(IPPROTO.icmp),
      within(ICMPV6_TYPE, "icmp_essential"),
      limit,
      ACCEPT,
    ),
    rule(
      "keeps connections working",
      outsideOnly,
      family(6),
      protocol(IPPROTO.icmpv6),
      within(ICMPV6_TYPE, "icmpv6_essential"),
      limit,
      ACCEPT,
    ),
    rule(
      "open to the outside",
      outsideOnly,
      protocol(IPPROTO.tcp),
      within(TRANSPORT_DESTINATION_PORT, "open_ports"),
      ACCEPT,
    ),
    rule("everything else", DROPPED),
  ];
}

/** Through the node. */
function forward(): RuleDefinition[] {
  const rule = ruleOf("forward");
  const not_to_ours = outside({ kind: "meta", key: "oifname" }, "ours");
  const first: Expression[] = [
    TCP_FLAGS,
    { kind: "mask", mask: Uint8Array.of(TCP_SYN | TCP_RST) },
    { kind: "cmp", op: "eq", value: Uint8Array.of(TCP_SYN) },
  ];
  return [
    rule("not into the cluster network", leavesBy("cluster"), DROPPED),
    rule("not out of the cluster network", arrivesAt("cluster"), DROPPED),
    // Where the link behind takes less than Ethernet does (PPPoE, tunnels), and the message that would say so gets lost.
    rule(
      "segments that the way takes",
      protocol(IPPROTO.tcp),
      first,
      { kind: "route-segment" },
      { kind: "to-network" },
      { kind: "lower-segment" },
    ),
    rule("answers", KNOWN, ACCEPT),
    rule("belongs to nothing", INVALID, DROPPED),
    rule("from inside to anywhere", arrivesAt("internal"), ACCEPT),
    rule("port forwards", arrivesAt("external"), leavesBy("internal"), FORWARDED_PORT, ACCEPT),
    rule("not ours to judge", NOT_OURS, not_to_ours, ACCEPT),
    rule("everything else", DROPPED),
  ];
}

/**
 * Connections leave under a shared address, which moves with them, and not by "masquerade", which would take whatever
 * address comes first, even the node's own.
 */
function wayOut({ interfaces, masquerade }: FirewallConfiguration): RuleDefinition[] {
  const rule = ruleOf("way_out");
  const by = (nic: string): Expression[] => is({ kind: "meta", key: "oifname" }, interfaceName(nic));
  const out = interfaces
    .filter(({ role }) => masquerade && role === "external")
    .map(({ nic, addresses }) => {
      const source = addressOf(addresses, 4);
      const translated = source === undefined ? [{ kind: "masquerade" } as const] : sourceBecomes(source);
      return rule("under the shared address", family(4), arrivesAt("internal"), by(nic), translated);
    });
  // A host that asked an external address for one in its own network would get the answer from there, and not know it.
  const back = interfaces
    .filter(({ role }) => role === "internal")
    .flatMap(({ nic, addresses }) =>
      ([4, 6] as const).flatMap((version) => {
        const source = addressOf(addresses, version);
        if (source === undefined) return [];
        const same = all(is({ kind: "meta", key: "iifname" }, interfaceName(nic)), by(nic));
        return [rule("back the way it came", family(version), same, FORWARDED_PORT, sourceBecomes(source))];
      }),
    );
  return [...out, ...back];
}

function sourceBecomes(address: Uint8Array): Expression[] {
  const version = address.length === 4 ? 4 : 6;
  return [
    { kind: "immediate", value: address },
    { kind: "nat", of: "source", family: version },
  ];
}

/** The first one that other networks can answer to. */
function addressOf(addresses: string[], version: 4 | 6): Uint8Array | undefined {
  const isLinkLocal = (bytes: Uint8Array): boolean => bytes[0] === 0xfe && ((bytes[1] ?? 0) & 0xc0) === 0x80;
  return addresses
    .map((text) => parsePrefixed(text))
    .find(({ family: is_version, bytes }) => is_version === version && !isLinkLocal(bytes))?.bytes;
}

/** Key: protocol and port, data: address and port, each at a boundary of four bytes. */
function mapping({ protocol: name, port, to, to_port }: PortForward): Mapping {
  const address = parseAddress(to);
  return {
    key: Uint8Array.of(IPPROTO[name], 0, 0, 0, ...u16(port), 0, 0),
    data: Uint8Array.of(...address, ...u16(to_port ?? port), 0, 0),
  };
}

function versionOf(address: string): 4 | 6 {
  return address.includes(":") ? 6 : 4;
}

function byVersion(addresses: Uint8Array[], version: 4 | 6): Uint8Array[] {
  return addresses.filter(({ length }) => length === (version === 4 ? 4 : 16));
}

function unique(keys: Uint8Array[]): Uint8Array[] {
  return [...new Map(keys.map((key) => [key.join(), key])).values()];
}

function interfaceName(nic: string): Uint8Array {
  const bytes = new Uint8Array(INTERFACE_NAME_BYTES);
  bytes.set(new TextEncoder().encode(nic).subarray(0, INTERFACE_NAME_BYTES - 1));
  return bytes;
}
