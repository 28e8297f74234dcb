/**
 * Addresses with prefixes, as the kernel's messages carry them. Texts come from settings that were
 * checked before; what is clearly no address is refused all the same, as it would reach the kernel.
 */

import { Failure } from "../errors.ts";
import { ipv4Bytes, ipv4Text, ipv6Bytes, ipv6Text } from "../wire/bytes.ts";

/** An address with the length of its network's prefix: `10.1.0.1/24`. */
export interface Prefixed {
  family: 4 | 6;
  /** 4 or 16 bytes, network byte order. */
  bytes: Uint8Array;
  prefix_length: number;
}

/** Reads `10.1.0.1/24`, or without a prefix (then it covers one address). Throws Failure `bad-address`. */
export function parsePrefixed(text: string): Prefixed {
  const slash = text.indexOf("/");
  const bytes = parseAddress(slash === -1 ? text : text.slice(0, slash));
  const bits = bytes.length * 8;
  const prefix_length = slash === -1 ? bits : Number(text.slice(slash + 1));
  if (!(Number.isInteger(prefix_length) && prefix_length >= 0 && prefix_length <= bits)) throw badAddress(text);
  return { family: bits === 32 ? 4 : 6, bytes, prefix_length };
}

/** Reads an address without prefix or zone. Throws Failure `bad-address`. */
export function parseAddress(text: string): Uint8Array {
  if (/^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$/.test(text)) return ipv6Bytes(text);
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return ipv4Bytes(text);
  throw badAddress(text);
}

/** The text form of 4 or 16 bytes. */
export function formatAddress(bytes: Uint8Array): string {
  return bytes.length === 4 ? ipv4Text(bytes) : ipv6Text(bytes);
}

export function formatPrefixed(address: Prefixed): string {
  return `${formatAddress(address.bytes)}/${address.prefix_length}`;
}

/** The broadcast address of an IPv4 network; undefined where there is none (/31 and /32, RFC 3021). */
export function broadcastOf(address: Prefixed): Uint8Array | undefined {
  if (address.family !== 4 || address.prefix_length > 30) return undefined;
  return address.bytes.map((byte, index) => {
    const host_bits = Math.min(8, Math.max(0, (index + 1) * 8 - address.prefix_length));
    return byte | ((1 << host_bits) - 1);
  });
}

/** True where `candidate` lies in the network of `address`. */
export function inNetwork(candidate: Uint8Array, address: Prefixed): boolean {
  if (candidate.length !== address.bytes.length) return false;
  return candidate.every((byte, index) => {
    const network_bits = Math.min(8, Math.max(0, address.prefix_length - index * 8));
    const mask = (0xff << (8 - network_bits)) & 0xff;
    return ((byte ^ (address.bytes[index] ?? 0)) & mask) === 0;
  });
}

export function sameNetwork(a: Prefixed, b: Prefixed): boolean {
  return a.prefix_length === b.prefix_length && inNetwork(a.bytes, b);
}

function badAddress(text: string): Failure {
  return new Failure("bad-address", `${JSON.stringify(text)} is not an IP address.`);
}
