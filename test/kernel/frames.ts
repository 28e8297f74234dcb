/** Frames that the tests of src/kernel send, and what they look for in those that come back. Hex outside, bytes inside. */

import { formatAddress, parseAddress } from "../../src/kernel/ip.ts";
import { parseArp } from "../../src/wire/arp.ts";
import { macBytes } from "../../src/wire/bytes.ts";
import { ETHER_TYPE, ETHERNET_HEADER_BYTES, emitEthernet, etherType } from "../../src/wire/ethernet.ts";
import { parseNeighbour } from "../../src/wire/ndp.ts";

export const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const fromHex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"));

const ICMP = 1;
const UDP = 17;
const ICMPV6 = 58;
const ECHO_REQUEST_V6 = 128;
const ECHO_REPLY_V6 = 129;

/** Internet checksum, RFC 1071. */
export function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

export const u16 = (value: number): number[] => [value >> 8, value & 0xff];

export function frame(to_mac: string, from_mac: string, type: number, payload: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(ETHERNET_HEADER_BYTES + payload.length);
  emitEthernet(bytes, macBytes(to_mac), macBytes(from_mac), type);
  bytes.set(payload, ETHERNET_HEADER_BYTES);
  return bytes;
}

/** ICMP or ICMPv6 echo request, as the addresses are. */
export function echoRequest(to_mac: string, from_mac: string, from: string, to: string): Uint8Array {
  const [source, destination] = [parseAddress(from), parseAddress(to)];
  if (source.length === 16) {
    return frame(to_mac, from_mac, ETHER_TYPE.ipv6, ipv6(source, destination, [ECHO_REQUEST_V6, 0, 0, 0, 0, 7, 0, 1]));
  }
  const message = Uint8Array.of(8, 0, 0, 0, 0, 7, 0, 1);
  message.set(u16(checksum(message)), 2);
  const header = Uint8Array.of(0x45, 0, ...u16(28), 0, 0, 0, 0, 64, ICMP, 0, 0, ...source, ...destination);
  header.set(u16(checksum(header)), 10);
  return frame(to_mac, from_mac, ETHER_TYPE.ipv4, [...header, ...message]);
}

/** An IPv4 UDP datagram without content, to everybody. */
export function datagram(from_mac: string, from: string, to: string, from_port: number, to_port: number): Uint8Array {
  const header = Uint8Array.of(
    0x45,
    0,
    ...u16(28),
    0,
    0,
    0,
    0,
    64,
    UDP,
    0,
    0,
    ...parseAddress(from),
    ...parseAddress(to),
  );
  header.set(u16(checksum(header)), 10);
  const body = [...u16(from_port), ...u16(to_port), ...u16(8), 0, 0];
  return frame("ff:ff:ff:ff:ff:ff", from_mac, ETHER_TYPE.ipv4, [...header, ...body]);
}

/** An IPv6 packet with an ICMPv6 message, whose checksum is filled in. */
export function ipv6(source: Uint8Array, destination: Uint8Array, message: number[]): Uint8Array {
  const body = Uint8Array.from(message);
  const pseudo = Uint8Array.of(...source, ...destination, 0, 0, ...u16(body.length), 0, 0, 0, ICMPV6, ...body);
  body.set(u16(checksum(pseudo)), 2);
  return Uint8Array.of(0x60, 0, 0, 0, ...u16(body.length), ICMPV6, 255, ...source, ...destination, ...body);
}

/** What a frame says, in one word that a test can expect. */
export function described(hex: string): string {
  const bytes = fromHex(hex);
  const arp = parseArp(bytes);
  if (arp !== null) {
    return `arp-${arp.operation} ${formatAddress(arp.sender_ip)} to ${formatAddress(arp.target_ip)}`;
  }
  const neighbour = parseNeighbour(bytes);
  if (neighbour !== null) return `${neighbour.kind} ${formatAddress(neighbour.target)}`;
  const type = etherType(bytes);
  const at = ETHERNET_HEADER_BYTES;
  if (type === ETHER_TYPE.understudy) return `heartbeat ${bytes[at]}`;
  if (type === ETHER_TYPE.ipv4 && bytes[at + 9] === ICMP) {
    return `${bytes[at + 20] === 0 ? "echo-reply" : "icmp"} ${formatAddress(bytes.slice(at + 12, at + 16))}`;
  }
  if (type === ETHER_TYPE.ipv4 && bytes[at + 9] === UDP) {
    const port = ((bytes[at + 22] ?? 0) << 8) | (bytes[at + 23] ?? 0);
    return `udp ${formatAddress(bytes.slice(at + 12, at + 16))} to port ${port}`;
  }
  if (type === ETHER_TYPE.ipv6 && bytes[at + 6] === ICMPV6) {
    return `${bytes[at + 40] === ECHO_REPLY_V6 ? "echo-reply" : `icmpv6-${bytes[at + 40]}`} ${formatAddress(bytes.slice(at + 8, at + 24))}`;
  }
  return `ethertype ${type.toString(16)}`;
}
