/** What rules look at and compare: the vocabulary of gate-rules.ts and firewall-rules.ts. */

import type { Expression } from "./expressions.ts";
import { parseAddress } from "./ip.ts";

export const IPPROTO = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58 } as const;
export const DHCP_SERVER_PORT = 67;
export const DHCP_CLIENT_PORT = 68;
export const NEIGHBOUR_SOLICITATION = 135;
export const NEIGHBOUR_ADVERTISEMENT = 136;
/** Multicast listener query and reports, without which a snooping switch keeps neighbour discovery from us. RFC 3810. */
export const MLD = { query: 130, report_v1: 131, done_v1: 132, report_v2: 143 } as const;

export const u16 = (value: number): Uint8Array => Uint8Array.of(value >> 8, value & 0xff);

/** A field of a packet. Offsets in bytes, from the header that the name says. */
export const load = (base: "link" | "network" | "transport", offset: number, length: number): Expression => ({
  kind: "payload",
  base,
  offset,
  length,
});
export const IPV4_SOURCE = load("network", 12, 4);
export const IPV4_DESTINATION = load("network", 16, 4);
export const IPV6_SOURCE = load("network", 8, 16);
export const IPV6_DESTINATION = load("network", 24, 16);
/** Of TCP and UDP. */
export const TRANSPORT_DESTINATION_PORT = load("transport", 2, 2);
/** Of ICMP too. */
export const ICMPV6_TYPE = load("transport", 0, 1);

export const is = (field: Expression, value: Uint8Array): Expression[] => [field, { kind: "cmp", op: "eq", value }];
export const within = (field: Expression, set: string): Expression[] => [
  field,
  { kind: "lookup", set, inverted: false },
];
export const outside = (field: Expression, set: string): Expression[] => [
  field,
  { kind: "lookup", set, inverted: true },
];
export const inPrefix = (field: Expression, prefix: string, mask: string): Expression[] => [
  field,
  { kind: "mask", mask: parseAddress(mask) },
  { kind: "cmp", op: "eq", value: parseAddress(prefix) },
];
export const protocol = (number: number): Expression[] => is({ kind: "meta", key: "l4proto" }, Uint8Array.of(number));
export const linkLocal = (field: Expression): Expression[] => inPrefix(field, "fe80::", "ffc0::");

export const ACCEPT: Expression = { kind: "verdict", verdict: "accept" };
export const DROP: Expression = { kind: "verdict", verdict: "drop" };
