/** ARP for IPv4 over Ethernet (RFC 826), with the probe and the announcement of RFC 5227. */
import { BROADCAST, ETHER_TYPE, ETHERNET_HEADER_BYTES, emitEthernet, etherType } from "./ethernet.ts";

export const ARP_FRAME_BYTES = ETHERNET_HEADER_BYTES + 28;

const NO_IP = new Uint8Array(4);
const NO_MAC = new Uint8Array(6);

const OPERATION = 20;
const SENDER_MAC = 22;
const SENDER_IP = 28;
const TARGET_MAC = 32;
const TARGET_IP = 38;

/** Hardware type Ethernet, protocol IPv4, lengths 6 and 4: bytes 14 to 19 of every frame we read or write. */
const FIXED = Uint8Array.of(0, 1, 8, 0, 6, 4);

/** Addresses are views of the frame: 6 bytes a MAC, 4 bytes an IP. */
export interface Arp {
  operation: "request" | "reply";
  sender_mac: Uint8Array;
  sender_ip: Uint8Array;
  target_mac: Uint8Array;
  target_ip: Uint8Array;
}

/** The ARP packet of a frame; null where it is not a well-formed one for IPv4 over Ethernet. */
export function parseArp(frame: Uint8Array): Arp | null {
  if (frame.length < ARP_FRAME_BYTES || etherType(frame) !== ETHER_TYPE.arp) return null;
  for (let i = 0; i < FIXED.length; i++) if (frame[ETHERNET_HEADER_BYTES + i] !== FIXED[i]) return null;
  const operation = ((frame[OPERATION] ?? 0) << 8) | (frame[OPERATION + 1] ?? 0);
  if (operation !== 1 && operation !== 2) return null;
  return {
    operation: operation === 1 ? "request" : "reply",
    sender_mac: frame.subarray(SENDER_MAC, SENDER_MAC + 6),
    sender_ip: frame.subarray(SENDER_IP, SENDER_IP + 4),
    target_mac: frame.subarray(TARGET_MAC, TARGET_MAC + 6),
    target_ip: frame.subarray(TARGET_IP, TARGET_IP + 4),
  };
}

function emitRequest(
  destination: Uint8Array,
  mac: Uint8Array,
  sender_ip: Uint8Array,
  target_ip: Uint8Array,
): Uint8Array {
  const frame = new Uint8Array(ARP_FRAME_BYTES);
  emitEthernet(frame, destination, mac, ETHER_TYPE.arp);
  frame.set(FIXED, ETHERNET_HEADER_BYTES);
  frame[OPERATION + 1] = 1;
  frame.set(mac, SENDER_MAC);
  frame.set(sender_ip, SENDER_IP);
  frame.set(NO_MAC, TARGET_MAC);
  frame.set(target_ip, TARGET_IP);
  return frame;
}

/** ARP probe, RFC 5227 section 2.1.1: who has `ip`, asked without a sender address. */
export function emitArpProbe(mac: Uint8Array, ip: Uint8Array): Uint8Array {
  return emitRequest(BROADCAST, mac, NO_IP, ip);
}

/** ARP announcement, RFC 5227 section 3: a request with `ip` as sender and target. The gratuitous ARP of a takeover. */
export function emitArpAnnouncement(mac: Uint8Array, ip: Uint8Array): Uint8Array {
  return emitRequest(BROADCAST, mac, ip, ip);
}

/** An ordinary request from `sender_ip`; its answer goes to the MAC that asks, and teaches the asked one our MAC. */
export function emitArpRequest(mac: Uint8Array, sender_ip: Uint8Array, target_ip: Uint8Array): Uint8Array {
  return emitRequest(BROADCAST, mac, sender_ip, target_ip);
}
