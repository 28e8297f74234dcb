/** Neighbour solicitation and advertisement of IPv6 (RFC 4861 sections 4.3 and 4.4) in an Ethernet frame. */
import { equalBytes } from "./bytes.ts";
import { ETHER_TYPE, ETHERNET_HEADER_BYTES, emitEthernet, etherType } from "./ethernet.ts";

const IP = ETHERNET_HEADER_BYTES;
const PAYLOAD_LENGTH = IP + 4;
const NEXT_HEADER = IP + 6;
const HOP_LIMIT = IP + 7;
const SOURCE = IP + 8;
const DESTINATION = IP + 24;
const ICMP = IP + 40;
const CHECKSUM = ICMP + 2;
const FLAGS = ICMP + 4;
const TARGET = ICMP + 8;
const OPTION = ICMP + 24;
const SHORTEST_BYTES = OPTION;

const ICMPV6 = 58;
const SOLICITATION = 135;
const ADVERTISEMENT = 136;
const OVERRIDE = 0x20;
/** Only a hop limit of 255 proves that the packet comes from this link (RFC 4861 section 7.1). */
const ON_LINK = 255;

const NO_ADDRESS = new Uint8Array(16);
const ALL_NODES = Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);

export interface Neighbour {
  kind: "solicitation" | "advertisement";
  source: Uint8Array;
  /** The address asked for, or advertised; 16 bytes, a view of the frame. */
  target: Uint8Array;
}

/** The neighbour message of a frame; null where it is none, is malformed, or comes from off the link. */
export function parseNeighbour(frame: Uint8Array): Neighbour | null {
  if (frame.length < SHORTEST_BYTES || etherType(frame) !== ETHER_TYPE.ipv6) return null;
  if (frame[NEXT_HEADER] !== ICMPV6 || frame[HOP_LIMIT] !== ON_LINK) return null;
  const type = frame[ICMP];
  if ((type !== SOLICITATION && type !== ADVERTISEMENT) || frame[ICMP + 1] !== 0) return null;
  const end = ICMP + (((frame[PAYLOAD_LENGTH] ?? 0) << 8) | (frame[PAYLOAD_LENGTH + 1] ?? 0));
  if (end < OPTION || end > frame.length || checksum(frame, end) !== 0) return null;
  return {
    kind: type === SOLICITATION ? "solicitation" : "advertisement",
    source: frame.subarray(SOURCE, SOURCE + 16),
    target: frame.subarray(TARGET, TARGET + 16),
  };
}

/** Internet checksum (RFC 1071) over the pseudo-header and ICMPv6 message; 0 where a stored one is right. */
function checksum(frame: Uint8Array, end: number): number {
  let sum = end - ICMP + ICMPV6;
  for (let i = SOURCE; i < end; i += 2) sum += ((frame[i] ?? 0) << 8) | (i + 1 < end ? (frame[i + 1] ?? 0) : 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function emit(
  type: number,
  ethernet_to: Uint8Array,
  mac: Uint8Array,
  source: Uint8Array,
  destination: Uint8Array,
  target: Uint8Array,
): Uint8Array {
  // A solicitation without a source address must not carry a link-layer option (RFC 4861 section 4.3).
  const has_option = !equalBytes(source, NO_ADDRESS);
  const end = OPTION + (has_option ? 8 : 0);
  const frame = new Uint8Array(end);
  emitEthernet(frame, ethernet_to, mac, ETHER_TYPE.ipv6);
  frame[IP] = 0x60;
  frame[PAYLOAD_LENGTH + 1] = end - ICMP;
  frame[NEXT_HEADER] = ICMPV6;
  frame[HOP_LIMIT] = ON_LINK;
  frame.set(source, SOURCE);
  frame.set(destination, DESTINATION);
  frame[ICMP] = type;
  if (type === ADVERTISEMENT) frame[FLAGS] = OVERRIDE;
  frame.set(target, TARGET);
  if (has_option) {
    frame[OPTION] = type === SOLICITATION ? 1 : 2;
    frame[OPTION + 1] = 1;
    frame.set(mac, OPTION + 2);
  }
  const sum = checksum(frame, end);
  frame[CHECKSUM] = sum >> 8;
  frame[CHECKSUM + 1] = sum & 0xff;
  return frame;
}

/** Solicited-node multicast address (RFC 4291 section 2.7.1). */
function solicitedNode(target: Uint8Array): Uint8Array {
  const address = Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 0);
  address.set(target.subarray(13), 13);
  return address;
}

/** Multicast MAC of an IPv6 multicast address (RFC 2464 section 7). */
function multicastMac(address: Uint8Array): Uint8Array {
  const mac = Uint8Array.of(0x33, 0x33, 0, 0, 0, 0);
  mac.set(address.subarray(12), 2);
  return mac;
}

/** Asks for `target` without a source address, as duplicate address detection does (RFC 4862 section 5.4.2). */
export function emitNeighbourProbe(mac: Uint8Array, target: Uint8Array): Uint8Array {
  return emitNeighbourSolicitation(mac, NO_ADDRESS, target);
}

/** An ordinary solicitation from `source`; its answer goes to the MAC that asks. */
export function emitNeighbourSolicitation(mac: Uint8Array, source: Uint8Array, target: Uint8Array): Uint8Array {
  const group = solicitedNode(target);
  return emit(SOLICITATION, multicastMac(group), mac, source, group, target);
}

/** Unsolicited advertisement with the override flag to all nodes (RFC 4861 section 7.2.6): the announcement of a takeover. */
export function emitNeighbourAnnouncement(mac: Uint8Array, target: Uint8Array): Uint8Array {
  return emit(ADVERTISEMENT, multicastMac(ALL_NODES), mac, target, ALL_NODES, target);
}
