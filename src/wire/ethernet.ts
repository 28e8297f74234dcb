/** Ethernet II header (IEEE 802.3): destination, source, type. 14 bytes, no VLAN tag. */

export const ETHERNET_HEADER_BYTES = 14;
export const BROADCAST = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff);

export const ETHER_TYPE = {
  ipv4: 0x0800,
  arp: 0x0806,
  ipv6: 0x86dd,
  /** Local experimental EtherType 1 (IEEE 802), ours on the cluster's networks. */
  understudy: 0x88b5,
} as const;

const DESTINATION = 0;
const SOURCE = 6;
const TYPE = 12;

/** EtherType of a frame, or -1 where it is too short to have one. */
export function etherType(frame: Uint8Array): number {
  if (frame.length < ETHERNET_HEADER_BYTES) return -1;
  return ((frame[TYPE] ?? 0) << 8) | (frame[TYPE + 1] ?? 0);
}

/** Source address of a frame, a view of six bytes. */
export function sourceMac(frame: Uint8Array): Uint8Array {
  return frame.subarray(SOURCE, SOURCE + 6);
}

/** Writes the header to the first 14 bytes of `frame`. */
export function emitEthernet(frame: Uint8Array, destination: Uint8Array, source: Uint8Array, type: number): void {
  frame.set(destination, DESTINATION);
  frame.set(source, SOURCE);
  frame[TYPE] = type >> 8;
  frame[TYPE + 1] = type & 0xff;
}
