/** Who is called what in the simulated networks. */
import { ipv6Bytes } from "../../src/wire/bytes.ts";

export const SLOTS = ["cluster", "lan", "wan"] as const;
export const DATA_SLOTS = [1, 2] as const;

const mac = (host: number, slot: number): Uint8Array => Uint8Array.of(2, 0, 0, 0, host, slot);
const byHost = [1, 2].map((host) => SLOTS.map((_, slot) => mac(host, slot)));

export function nodeMac(node: number, slot: number): Uint8Array {
  return byHost[node]?.[slot] ?? mac(node + 1, slot);
}

/** The client on the LAN and the provider's router on the WAN. */
export const HOSTS = [
  { slot: 1, mac: mac(9, 1), ip: Uint8Array.of(10, 1, 0, 9) },
  { slot: 2, mac: mac(9, 2), ip: Uint8Array.of(10, 2, 0, 254) },
] as const;

export const attackerMac = (slot: number): Uint8Array => mac(0x66, slot);

export interface Shared {
  slot: number;
  ip: Uint8Array;
  text: string;
}

const IPV4: Shared[] = [
  { slot: 1, ip: Uint8Array.of(10, 1, 0, 1), text: "10.1.0.1" },
  { slot: 2, ip: Uint8Array.of(10, 2, 0, 1), text: "10.2.0.1" },
];
const IPV6: Shared[] = ["fd01::1", "fd02::1"].map((text, i) => ({ slot: i + 1, ip: ipv6Bytes(text), text }));

export function sharedAddresses(ipv6: boolean): Shared[] {
  return ipv6 ? [...IPV4, ...IPV6] : IPV4;
}

/** The IPv4 address that the hosts of a data network talk to. */
export function sharedIpv4(slot: number): Uint8Array {
  return (IPV4[slot - 1] ?? IPV4[0])?.ip ?? new Uint8Array(4);
}
