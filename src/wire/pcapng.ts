/**
 * pcapng (draft-ietf-opsawg-pcapng): one section with its comment, an interface description each, and packets with
 * direction and comment. What is written here, every reader of captures knows; sections may follow one another in a file.
 */

const SECTION = 0x0a0d0d0a;
const INTERFACE = 1;
const PACKET = 6;
const BYTE_ORDER = 0x1a2b3c4d;
const LINKTYPE_ETHERNET = 1;
const OPTION = { end: 0, comment: 1, if_name: 2, epb_flags: 2, if_mac: 6, application: 4, if_tsresol: 9 } as const;
/** Time stamps in microseconds: ten to the minus six. */
const TSRESOL = 6;
/** Of an option. */
const TEXT_BYTES_MAX = 4096;
const encoder = new TextEncoder();

export interface Section {
  application: string;
  comment: string;
  interfaces: { name: string; mac: Uint8Array }[];
  packets: Packet[];
}

export interface Packet {
  /** Index into the section's interfaces. */
  interface: number;
  /** Microseconds since 1970, UTC. */
  at_us: number;
  direction: "in" | "out";
  comment: string;
  /** What was kept of the frame. */
  frame: Uint8Array;
  /** Of the whole frame. */
  length: number;
}

interface Option {
  code: number;
  value: Uint8Array;
}

export function emitPcapng({ application, comment, interfaces, packets }: Section): Uint8Array {
  const header = new Uint8Array(16);
  const view = new DataView(header.buffer);
  view.setUint32(0, BYTE_ORDER, true);
  view.setUint16(4, 1, true);
  // The length of the section is not told: all ones.
  header.fill(0xff, 8);
  const blocks = [
    block(SECTION, header, [text(OPTION.comment, comment), text(OPTION.application, application)]),
    ...interfaces.map(describeInterface),
    ...packets.map(packetBlock),
  ];
  return concatenated(blocks);
}

function describeInterface({ name, mac }: Section["interfaces"][number]): Uint8Array {
  const body = new Uint8Array(8);
  new DataView(body.buffer).setUint16(0, LINKTYPE_ETHERNET, true);
  return block(INTERFACE, body, [
    text(OPTION.if_name, name),
    { code: OPTION.if_mac, value: mac },
    { code: OPTION.if_tsresol, value: Uint8Array.of(TSRESOL) },
  ]);
}

function packetBlock({ interface: index, at_us, direction, comment, frame, length }: Packet): Uint8Array {
  const body = new Uint8Array(20 + padded(frame.length));
  const view = new DataView(body.buffer);
  const whole_us = Math.max(0, Math.round(at_us));
  view.setUint32(0, index, true);
  view.setUint32(4, Math.floor(whole_us / 0x1_0000_0000), true);
  view.setUint32(8, whole_us >>> 0, true);
  view.setUint32(12, frame.length, true);
  view.setUint32(16, length, true);
  body.set(frame, 20);
  const flags = Uint8Array.of(direction === "in" ? 1 : 2, 0, 0, 0);
  return block(PACKET, body, [
    { code: OPTION.epb_flags, value: flags },
    ...(comment === "" ? [] : [text(OPTION.comment, comment)]),
  ]);
}

/** The comment of the section that begins a file; null where none does. */
export function sectionComment(bytes: Uint8Array): string | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 28 || view.getUint32(0, true) !== SECTION || view.getUint32(8, true) !== BYTE_ORDER) return null;
  const end = Math.min(bytes.length, view.getUint32(4, true) - 4);
  for (let at = 24; at + 4 <= end; ) {
    const code = view.getUint16(at, true);
    const length = view.getUint16(at + 2, true);
    if (code === OPTION.end || at + 4 + length > end) return null;
    if (code === OPTION.comment) return new TextDecoder().decode(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + padded(length);
  }
  return null;
}

function text(code: number, value: string): Option {
  return { code, value: encoder.encode(value).subarray(0, TEXT_BYTES_MAX) };
}

function block(type: number, body: Uint8Array, options: Option[]): Uint8Array {
  const options_bytes = options.reduce((sum, { value }) => sum + 4 + padded(value.length), 4);
  const total = 12 + body.length + options_bytes;
  const bytes = new Uint8Array(total);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, total, true);
  bytes.set(body, 8);
  let at = 8 + body.length;
  for (const { code, value } of options) {
    view.setUint16(at, code, true);
    view.setUint16(at + 2, value.length, true);
    bytes.set(value, at + 4);
    at += 4 + padded(value.length);
  }
  view.setUint32(total - 4, total, true);
  return bytes;
}

function padded(length: number): number {
  return (length + 3) & ~3;
}

function concatenated(parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
