/**
 * Links, addresses and routes as rtnetlink messages (linux/rtnetlink.h, if_link.h, if_addr.h). No I/O.
 * Numbers are in the byte order of the host, addresses in that of the network.
 */

import { macText } from "../wire/bytes.ts";
import { broadcastOf, type Prefixed } from "./ip.ts";
import { attributesOf, type NetlinkMessage, NetlinkWriter, NLM_F } from "./netlink.ts";

/** Multicast groups, for shim.subscribe. */
export const RTNLGRP = {
  link: 1,
  neighbour: 3,
  ipv4_address: 5,
  ipv4_route: 7,
  ipv6_address: 9,
  ipv6_route: 11,
} as const;

const RTM = {
  new_link: 16,
  delete_link: 17,
  get_link: 18,
  new_address: 20,
  delete_address: 21,
  get_address: 22,
  new_route: 24,
  delete_route: 25,
  get_route: 26,
} as const;

const AF_UNSPEC = 0;
const AF_INET = 2;
const AF_INET6 = 10;

/** struct ifinfomsg: u8 family · u8 0 · u16 type · i32 index · u32 flags · u32 change. */
const LINK_HEADER_BYTES = 16;
const IFLA = {
  address: 1,
  name: 3,
  mtu: 4,
  master: 10,
  info: 18,
  ext_mask: 29,
  carrier: 33,
  permanent_address: 54,
} as const;
const IFLA_INFO_KIND = 1;
const RTEXT_FILTER_SKIP_STATS = 8;
const ARPHRD_ETHER = 1;
const IFF_UP = 0x1;
const IFF_LOOPBACK = 0x8;
const IFF_LOWER_UP = 0x10000;

/** struct ifaddrmsg: u8 family · u8 prefix length · u8 flags · u8 scope · u32 index. */
const ADDRESS_HEADER_BYTES = 8;
const IFA = { address: 1, local: 2, broadcast: 4, flags: 8 } as const;
/** No duplicate address detection: the address answers at once. That nobody else holds it was proved before. */
const IFA_F_NODAD = 0x2;
/** No route to its network: another address of the same network brings it. */
const IFA_F_NOPREFIXROUTE = 0x200;

/** struct rtmsg: u8 family · u8 destination and source length · u8 tos · u8 table · u8 protocol · u8 scope · u8 type · u32 flags. */
const ROUTE_HEADER_BYTES = 12;
const RTA = { destination: 1, output: 4, gateway: 5, priority: 6 } as const;
const RT_TABLE_MAIN = 254;
const RTPROT_STATIC = 4;
const RTN_UNICAST = 1;
/** The gateway is on this link, whatever the addresses say. */
const RTNH_F_ONLINK = 4;

export interface Link {
  index: number;
  name: string;
  /** Empty where it has none of six bytes. */
  mac: string;
  /** The address burnt into the card; empty where the driver does not say. */
  permanent_mac: string;
  /** Switched on by the administrator. */
  up: boolean;
  /** The cable says there is somebody. Only ever true while up. */
  carrier: boolean;
  mtu: number;
  /** Kind of a virtual link (`veth`, `bridge`, `macvlan` …); empty for hardware. */
  kind: string;
  /** Index of the bridge or bond that it is a port of; 0 for none. */
  master: number;
  ethernet: boolean;
}

export type LinkChange = { removed: boolean; link: Link };

export interface AddressEntry {
  link_index: number;
  address: Prefixed;
}

export interface GatewayEntry {
  link_index: number;
  gateway: Uint8Array;
}

/** True for a card that a cluster can use: hardware, or the end of a virtual cable, as laboratories have. */
export function isPhysical(link: Link): boolean {
  return link.ethernet && (link.kind === "" || link.kind === "veth");
}

export function listLinksRequest(sequence: number): Uint8Array {
  const writer = new NetlinkWriter(sequence, 64);
  writer.message(RTM.get_link, NLM_F.request | NLM_F.dump, () => {
    writer.raw(new Uint8Array(LINK_HEADER_BYTES));
    writer.u32(IFLA.ext_mask, RTEXT_FILTER_SKIP_STATS);
  });
  return writer.finish();
}

/** Links in an answer or in notifications of the group `link`. */
export function readLinks(messages: NetlinkMessage[]): LinkChange[] {
  const changes: LinkChange[] = [];
  for (const message of messages) {
    if (message.type !== RTM.new_link && message.type !== RTM.delete_link) continue;
    const read = attributesOf(message, LINK_HEADER_BYTES);
    const header = headerOf(message);
    // Notifications of a bridge about its ports come in the same group, in the family AF_BRIDGE.
    if (header.getUint8(0) !== AF_UNSPEC) continue;
    const flags = header.getUint32(8, true);
    changes.push({
      removed: message.type === RTM.delete_link,
      link: {
        index: header.getInt32(4, true),
        name: read.string(IFLA.name) ?? "",
        mac: mac(read.bytes(IFLA.address)),
        permanent_mac: mac(read.bytes(IFLA.permanent_address)),
        up: (flags & IFF_UP) !== 0,
        carrier: (flags & IFF_LOWER_UP) !== 0,
        mtu: read.u32(IFLA.mtu) ?? 0,
        kind: read.nested(IFLA.info)?.string(IFLA_INFO_KIND) ?? "",
        master: read.u32(IFLA.master) ?? 0,
        ethernet: header.getUint16(2, true) === ARPHRD_ETHER && (flags & IFF_LOOPBACK) === 0,
      },
    });
  }
  return changes;
}

export function setLinkUpRequest(sequence: number, link_index: number, up: boolean): Uint8Array {
  const writer = new NetlinkWriter(sequence, 64);
  writer.message(RTM.new_link, NLM_F.request | NLM_F.acknowledge, () => {
    const header = new DataView(new ArrayBuffer(LINK_HEADER_BYTES));
    header.setInt32(4, link_index, true);
    header.setUint32(8, up ? IFF_UP : 0, true);
    header.setUint32(12, IFF_UP, true);
    writer.raw(new Uint8Array(header.buffer));
  });
  return writer.finish();
}

/** The kernel refuses it (EBUSY) while the link is up. */
export function renameLinkRequest(sequence: number, link_index: number, name: string): Uint8Array {
  const writer = new NetlinkWriter(sequence, 64);
  writer.message(RTM.new_link, NLM_F.request | NLM_F.acknowledge, () => {
    const header = new DataView(new ArrayBuffer(LINK_HEADER_BYTES));
    header.setInt32(4, link_index, true);
    writer.raw(new Uint8Array(header.buffer));
    writer.string(IFLA.name, name);
  });
  return writer.finish();
}

export function listAddressesRequest(sequence: number): Uint8Array {
  const writer = new NetlinkWriter(sequence, 64);
  writer.message(RTM.get_address, NLM_F.request | NLM_F.dump, () => writer.raw(new Uint8Array(ADDRESS_HEADER_BYTES)));
  return writer.finish();
}

export function readAddresses(messages: NetlinkMessage[]): AddressEntry[] {
  const entries: AddressEntry[] = [];
  for (const message of messages) {
    if (message.type !== RTM.new_address) continue;
    const read = attributesOf(message, ADDRESS_HEADER_BYTES);
    const header = headerOf(message);
    // IPv6 has no `local` except on point-to-point links.
    const bytes = read.bytes(IFA.local) ?? read.bytes(IFA.address);
    if (bytes === undefined) continue;
    entries.push({
      link_index: header.getUint32(4, true),
      // Copied: the answer's buffer is used again.
      address: { family: bytes.length === 4 ? 4 : 6, bytes: bytes.slice(), prefix_length: header.getUint8(1) },
    });
  }
  return entries;
}

/** Does a notification tell of an address that came or went? */
export function isAddressChange({ type }: NetlinkMessage): boolean {
  return type === RTM.new_address || type === RTM.delete_address;
}

/** Default routes by a gateway, of the main table. */
export function listRoutesRequest(sequence: number, family: 4 | 6): Uint8Array {
  const writer = new NetlinkWriter(sequence, 64);
  writer.message(RTM.get_route, NLM_F.request | NLM_F.dump, () => {
    writer.raw(Uint8Array.of(family === 4 ? AF_INET : AF_INET6, ...new Uint8Array(ROUTE_HEADER_BYTES - 1)));
  });
  return writer.finish();
}

export function readDefaultGateways(messages: NetlinkMessage[]): GatewayEntry[] {
  const entries: GatewayEntry[] = [];
  for (const message of messages) {
    if (message.type !== RTM.new_route) continue;
    const read = attributesOf(message, ROUTE_HEADER_BYTES);
    const header = headerOf(message);
    if (header.getUint8(1) !== 0 || header.getUint8(4) !== RT_TABLE_MAIN) continue;
    const gateway = read.bytes(RTA.gateway);
    const link_index = read.u32(RTA.output);
    if (gateway !== undefined && link_index !== undefined) entries.push({ link_index, gateway: gateway.slice() });
  }
  return entries;
}

/** A change of addresses or routes; many go into one datagram. */
export type Change =
  /**
   * `network_route`: false where an earlier address of the same IPv6 network brings the route to it. The kernel
   * compares each such route with all before it, which takes 300 ms for 1,000 addresses.
   */
  | { kind: "add-address"; link_index: number; address: Prefixed; network_route: boolean }
  | { kind: "delete-address"; link_index: number; address: Prefixed }
  /** A lower metric wins. `on_link`: no address of the link has the gateway in its network. */
  | { kind: "add-gateway"; link_index: number; gateway: Uint8Array; metric: number; on_link: boolean }
  | { kind: "delete-gateway"; link_index: number; gateway: Uint8Array };

/**
 * Changes in one datagram; the last one is acknowledged, and each that fails is answered by an error, while
 * the kernel goes on with the rest. Adding what is there already is no error.
 */
export function changesRequest(sequence: number, changes: Change[]): Uint8Array {
  const writer = new NetlinkWriter(sequence, 64 * changes.length + 64);
  changes.forEach((change, index) => {
    const acknowledge = index === changes.length - 1 ? NLM_F.acknowledge : 0;
    writeChange(writer, change, NLM_F.request | acknowledge);
  });
  return writer.finish();
}

function writeChange(writer: NetlinkWriter, change: Change, flags: number): void {
  switch (change.kind) {
    case "add-address":
      // "Replace" prolongs an address that is there, where "create" alone would be refused.
      writer.message(RTM.new_address, flags | NLM_F.create | NLM_F.replace, () => {
        writeAddress(writer, change);
        if (change.address.family === 6) {
          writer.u32(IFA.flags, IFA_F_NODAD | (change.network_route ? 0 : IFA_F_NOPREFIXROUTE));
        }
        const broadcast = broadcastOf(change.address);
        if (broadcast !== undefined) writer.attribute(IFA.broadcast, broadcast);
      });
      break;
    case "delete-address":
      writer.message(RTM.delete_address, flags, () => writeAddress(writer, change));
      break;
    case "add-gateway":
      writer.message(RTM.new_route, flags | NLM_F.create | NLM_F.replace, () => {
        writeDefaultRoute(writer, change, RTPROT_STATIC, change.on_link ? RTNH_F_ONLINK : 0);
        writer.u32(RTA.priority, change.metric);
      });
      break;
    case "delete-gateway":
      writer.message(RTM.delete_route, flags, () => writeDefaultRoute(writer, change, 0, 0));
      break;
  }
}

function writeAddress(writer: NetlinkWriter, to: { link_index: number; address: Prefixed }): void {
  const { family, bytes, prefix_length } = to.address;
  const header = new DataView(new ArrayBuffer(ADDRESS_HEADER_BYTES));
  header.setUint8(0, family === 4 ? AF_INET : AF_INET6);
  header.setUint8(1, prefix_length);
  header.setUint32(4, to.link_index, true);
  writer.raw(new Uint8Array(header.buffer));
  writer.attribute(IFA.local, bytes);
  writer.attribute(IFA.address, bytes);
}

function writeDefaultRoute(
  writer: NetlinkWriter,
  to: { link_index: number; gateway: Uint8Array },
  origin: number,
  nexthop_flags: number,
): void {
  const header = new DataView(new ArrayBuffer(ROUTE_HEADER_BYTES));
  header.setUint8(0, to.gateway.length === 4 ? AF_INET : AF_INET6);
  header.setUint8(4, RT_TABLE_MAIN);
  header.setUint8(5, origin);
  header.setUint8(7, RTN_UNICAST);
  header.setUint32(8, nexthop_flags, true);
  writer.raw(new Uint8Array(header.buffer));
  writer.attribute(RTA.gateway, to.gateway);
  writer.u32(RTA.output, to.link_index);
}

function headerOf(message: NetlinkMessage): DataView {
  return new DataView(message.payload.buffer, message.payload.byteOffset, message.payload.byteLength);
}

function mac(bytes: Uint8Array | undefined): string {
  return bytes?.length === 6 ? macText(bytes) : "";
}
