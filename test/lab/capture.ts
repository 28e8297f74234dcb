/** Reads what the observers captured (classic pcap, Ethernet) and says what each frame is. */
import { readFileSync } from "node:fs";
import { parseArp } from "../../src/wire/arp.ts";
import { ipv4Text, ipv6Text, macText } from "../../src/wire/bytes.ts";
import { parseNeighbour } from "../../src/wire/ndp.ts";

const HEADER_BYTES = 24;
const RECORD_BYTES = 16;

export interface CapturedFrame {
  /** On the machine's monotonic clock. */
  at_ms: number;
  text: string;
}

export function readCapture(path: string): CapturedFrame[] {
  const file = readFileSync(path);
  const frames: CapturedFrame[] = [];
  let at = HEADER_BYTES;
  while (at + RECORD_BYTES <= file.length) {
    const at_ms = file.readUInt32LE(at) * 1000 + file.readUInt32LE(at + 4) / 1000;
    const kept = file.readUInt32LE(at + 8);
    const length = file.readUInt32LE(at + 12);
    const bytes = new Uint8Array(file.subarray(at + RECORD_BYTES, at + RECORD_BYTES + kept));
    frames.push({ at_ms, text: describe(bytes, length) });
    at += RECORD_BYTES + kept;
  }
  return frames;
}

function describe(frame: Uint8Array, length: number): string {
  const from_to = `${macText(frame.subarray(6, 12))} > ${macText(frame.subarray(0, 6))}`;
  return `${from_to}  ${content(frame)}, ${length} bytes`;
}

function content(frame: Uint8Array): string {
  const type = ((frame[12] ?? 0) << 8) | (frame[13] ?? 0);
  const arp = type === 0x0806 ? parseArp(frame) : null;
  if (arp !== null) {
    const sender = ipv4Text(arp.sender_ip);
    const target = ipv4Text(arp.target_ip);
    if (arp.operation === "reply") return `ARP ${sender} is at ${macText(arp.sender_mac)}`;
    return sender === target ? `ARP announcement of ${sender}` : `ARP who has ${target}? tell ${sender}`;
  }
  const neighbour = type === 0x86dd ? parseNeighbour(frame) : null;
  if (neighbour !== null) return `ICMPv6 neighbour ${neighbour.kind} ${ipv6Text(neighbour.target)}`;
  if (type === 0x0800) return `IPv4 ${ipv4Text(frame.subarray(26, 30))} > ${ipv4Text(frame.subarray(30, 34))}`;
  return `EtherType 0x${type.toString(16).padStart(4, "0")}`;
}
