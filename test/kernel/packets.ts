/** TCP and UDP packets with checksums that connection tracking accepts, and such packets in words. */

import { formatAddress, parseAddress } from "../../src/kernel/ip.ts";
import { ETHER_TYPE, etherType } from "../../src/wire/ethernet.ts";
import { checksum, described, frame, u16 } from "./frames.ts";

const NUMBER = { tcp: 6, udp: 17 } as const;
const SYN = 0x02;
const AT = 14;
/** Of an IPv4 packet in a frame: its source port, for a sender that makes each packet a connection of its own. */
export const IPV4_SOURCE_PORT_AT = AT + 20;

export interface Packet {
  /** To and from. */
  macs: [string, string];
  from: string;
  to: string;
  /** From and to. */
  ports: [number, number];
  protocol: "tcp" | "udp";
}

/** A TCP SYN, or a UDP datagram without content (and in IPv4 without checksum, so that its ports may be changed). */
export function packet({ macs: [to_mac, from_mac], from, to, ports, protocol }: Packet): Uint8Array {
  const [source, destination] = [parseAddress(from), parseAddress(to)];
  const head = ports.flatMap(u16);
  const body = Uint8Array.from(
    protocol === "udp"
      ? [...head, ...u16(8), 0, 0]
      : [...head, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, SYN, ...u16(64_000), 0, 0, 0, 0],
  );
  const number = NUMBER[protocol];
  if (protocol === "tcp" || source.length === 16) {
    const pseudo = Uint8Array.of(...source, ...destination, 0, number, ...u16(body.length), ...body);
    body.set(u16(checksum(pseudo)), protocol === "tcp" ? 16 : 6);
  }
  if (source.length === 16) {
    const ip = [0x60, 0, 0, 0, ...u16(body.length), number, 64, ...source, ...destination, ...body];
    return frame(to_mac, from_mac, ETHER_TYPE.ipv6, ip);
  }
  const header = Uint8Array.of(
    0x45,
    0,
    ...u16(20 + body.length),
    0,
    0,
    0,
    0,
    64,
    number,
    0,
    0,
    ...source,
    ...destination,
  );
  header.set(u16(checksum(header)), 10);
  return frame(to_mac, from_mac, ETHER_TYPE.ipv4, [...header, ...body]);
}

/** `tcp 10.2.0.2 to 10.1.0.2 port 80`; of anything else what `described` says. */
export function inWords(hex: string): string {
  const bytes = Uint8Array.from(Buffer.from(hex, "hex"));
  const is_ipv6 = etherType(bytes) === ETHER_TYPE.ipv6;
  if (!is_ipv6 && etherType(bytes) !== ETHER_TYPE.ipv4) return described(hex);
  const number = bytes[AT + (is_ipv6 ? 6 : 9)];
  const name = number === NUMBER.tcp ? "tcp" : number === NUMBER.udp ? "udp" : null;
  if (name === null) return described(hex);
  const [from, to, end] = is_ipv6 ? [8, 24, 40] : [12, 16, 20];
  const port = ((bytes[AT + end + 2] ?? 0) << 8) | (bytes[AT + end + 3] ?? 0);
  const address = (at: number) => formatAddress(bytes.slice(AT + at, AT + at + (is_ipv6 ? 16 : 4)));
  return `${name} ${address(from)} to ${address(to)} port ${port}`;
}
