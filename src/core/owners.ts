/** Who says that he has which address: what ARP and neighbour discovery tell of it, read the same way. */
import { parseArp } from "../wire/arp.ts";
import { sourceMac } from "../wire/ethernet.ts";
import { parseNeighbour } from "../wire/ndp.ts";

export interface Ownership {
  mac: Uint8Array;
  /** 4 or 16 bytes. */
  ip: Uint8Array;
  /** Said in answer to a question, ours or another's; otherwise in asking or announcing. */
  is_answer: boolean;
}

/** The address that a frame asks for without having it: an ARP probe, or a solicitation from no address. Null for others. */
export function probedAddress(frame: Uint8Array): Uint8Array | null {
  const arp = parseArp(frame);
  if (arp !== null) return arp.operation === "request" && isNone(arp.sender_ip) ? arp.target_ip : null;
  const neighbour = parseNeighbour(frame);
  return neighbour?.kind === "solicitation" && isNone(neighbour.source) ? neighbour.target : null;
}

function isNone(ip: Uint8Array): boolean {
  return ip.every((byte) => byte === 0);
}

/** Null where the frame claims no address: a probe (RFC 5227), a solicitation, anything else. */
export function ownershipOf(frame: Uint8Array): Ownership | null {
  const arp = parseArp(frame);
  if (arp !== null) {
    return isNone(arp.sender_ip)
      ? null
      : { mac: sourceMac(frame), ip: arp.sender_ip, is_answer: arp.operation === "reply" };
  }
  const neighbour = parseNeighbour(frame);
  if (neighbour?.kind !== "advertisement") return null;
  return { mac: sourceMac(frame), ip: neighbour.target, is_answer: true };
}
