/**
 * Netlink messages as bytes: building and reading, no I/O.
 *
 * A datagram holds messages, each with a 16-byte header (linux/netlink.h, struct nlmsghdr):
 * u32 length · u16 type · u16 flags · u32 sequence · u32 port, then a header of the family, then
 * attributes (struct nlattr: u16 length including these four bytes · u16 type · payload), everything
 * padded to four bytes. Headers are in the byte order of the host, which is little-endian on every
 * machine that we build for; nf_tables wants its numbers in network byte order, hence the
 * methods with `Network` in their names.
 *
 * All messages of one request carry the same sequence number and only one of them asks for an
 * acknowledgement, so the answer to wait for is the first acknowledgement or error with that number.
 */

import { Failure } from "../errors.ts";

/** Protocols of a netlink socket. */
export const NETLINK_ROUTE = 0;
export const NETLINK_NETFILTER = 12;

/** Flags of a message; some share a bit, as they belong to different kinds of request. */
export const NLM_F = {
  request: 0x1,
  acknowledge: 0x4,
  /** In answers: what is listed changed meanwhile. */
  dump_interrupted: 0x10,
  /** List everything. */
  dump: 0x300,
  /** Change what is there. */
  replace: 0x100,
  create: 0x400,
  append: 0x800,
} as const;

export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;

export const MESSAGE_HEADER_BYTES = 16;
const ATTRIBUTE_HEADER_BYTES = 4;
const ATTRIBUTE_BYTES_MAX = 0xffff;
const ATTRIBUTE_TYPE_MASK = 0x3fff;
const NLA_F_NESTED = 0x8000;

const text_encoder = new TextEncoder();
const text_decoder = new TextDecoder();

function align4(length: number): number {
  return (length + 3) & ~3;
}

/** Writes messages one after the other into a buffer that grows as needed. */
export class NetlinkWriter {
  private bytes: Uint8Array;
  private view: DataView;
  private used = 0;
  private message_start = -1;
  private readonly sequence: number;

  constructor(sequence: number, capacity_bytes = 1024) {
    this.sequence = sequence;
    this.bytes = new Uint8Array(capacity_bytes);
    this.view = new DataView(this.bytes.buffer);
  }

  /** One message: its header, then whatever `fill` writes. */
  message(type: number, flags: number, fill: () => void): void {
    if (this.message_start !== -1) throw new Error("netlink messages do not nest");
    const start = this.reserve(MESSAGE_HEADER_BYTES);
    this.message_start = start;
    this.view.setUint16(start + 4, type, true);
    this.view.setUint16(start + 6, flags, true);
    this.view.setUint32(start + 8, this.sequence, true);
    fill();
    this.view.setUint32(start, this.used - start, true);
    this.message_start = -1;
  }

  /** Raw bytes, padded to four: the family's own header. */
  raw(payload: Uint8Array): void {
    const at = this.reserve(align4(payload.length));
    this.bytes.set(payload, at);
  }

  attribute(type: number, payload: Uint8Array): void {
    const length = ATTRIBUTE_HEADER_BYTES + payload.length;
    const at = this.attributeHeader(type, length);
    this.bytes.set(payload, at);
  }

  u8(type: number, value: number): void {
    const at = this.attributeAt(type, 1);
    this.view.setUint8(at, value);
  }

  u16(type: number, value: number): void {
    const at = this.attributeAt(type, 2);
    this.view.setUint16(at, value, true);
  }

  u32(type: number, value: number): void {
    const at = this.attributeAt(type, 4);
    this.view.setUint32(at, value, true);
  }

  u16Network(type: number, value: number): void {
    const at = this.attributeAt(type, 2);
    this.view.setUint16(at, value, false);
  }

  u32Network(type: number, value: number): void {
    const at = this.attributeAt(type, 4);
    this.view.setUint32(at, value, false);
  }

  /** Signed, for hook priorities and verdicts. */
  i32Network(type: number, value: number): void {
    const at = this.attributeAt(type, 4);
    this.view.setInt32(at, value, false);
  }

  u64Network(type: number, value: number): void {
    const at = this.attributeAt(type, 8);
    this.view.setBigUint64(at, BigInt(value), false);
  }

  /** A string with its terminating zero. */
  string(type: number, value: string): void {
    const text = text_encoder.encode(value);
    const at = this.attributeAt(type, text.length + 1);
    this.bytes.set(text, at);
  }

  nested(type: number, fill: () => void): void {
    const start = this.reserve(ATTRIBUTE_HEADER_BYTES);
    fill();
    const length = this.used - start;
    if (length > ATTRIBUTE_BYTES_MAX) throw new Error(`netlink attribute of ${length} bytes`);
    this.view.setUint16(start, length, true);
    this.view.setUint16(start + 2, type | NLA_F_NESTED, true);
  }

  /** Everything written so far. The bytes stay valid; the writer may go on. */
  finish(): Uint8Array {
    return this.bytes.slice(0, this.used);
  }

  /** Where the payload goes. It may move the buffer, so `this.view` must be looked up after it. */
  private attributeAt(type: number, payload_bytes: number): number {
    return this.attributeHeader(type, ATTRIBUTE_HEADER_BYTES + payload_bytes);
  }

  private attributeHeader(type: number, length: number): number {
    if (length > ATTRIBUTE_BYTES_MAX) throw new Error(`netlink attribute of ${length} bytes`);
    const at = this.reserve(align4(length));
    this.view.setUint16(at, length, true);
    this.view.setUint16(at + 2, type, true);
    return at + ATTRIBUTE_HEADER_BYTES;
  }

  /** Room for `length` zeroed bytes; returns where it starts. */
  private reserve(length: number): number {
    const at = this.used;
    this.used += length;
    if (this.used > this.bytes.length) {
      const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.used));
      grown.set(this.bytes);
      this.bytes = grown;
      this.view = new DataView(grown.buffer);
    }
    return at;
  }
}

/** A message as read; `payload` is a view of the datagram, after the message header. */
export interface NetlinkMessage {
  type: number;
  flags: number;
  sequence: number;
  /** Port of the socket that caused it; 0 is the kernel. */
  port: number;
  payload: Uint8Array;
}

/**
 * Splits a datagram. Throws Failure `netlink` on a length that does not fit: an answer that cannot
 * be read must not be taken for an empty one.
 */
export function readMessages(datagram: Uint8Array): NetlinkMessage[] {
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
  const messages: NetlinkMessage[] = [];
  let at = 0;
  while (at < datagram.length) {
    if (datagram.length - at < MESSAGE_HEADER_BYTES) throw malformed("message header");
    const length = view.getUint32(at, true);
    if (length < MESSAGE_HEADER_BYTES || length > datagram.length - at) throw malformed("message");
    messages.push({
      type: view.getUint16(at + 4, true),
      flags: view.getUint16(at + 6, true),
      sequence: view.getUint32(at + 8, true),
      port: view.getUint32(at + 12, true),
      payload: datagram.subarray(at + MESSAGE_HEADER_BYTES, at + length),
    });
    at += align4(length);
  }
  return messages;
}

/** Attributes of a message or of a nested attribute; of a type that repeats, the last one. */
export class Attributes {
  private readonly by_type = new Map<number, Uint8Array>();
  /** All attributes in order, for lists whose entries share a type. */
  readonly entries: { type: number; payload: Uint8Array }[] = [];

  /** `bytes` from the first attribute on. Throws Failure `netlink` on a length that does not fit. */
  constructor(bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    while (bytes.length - at >= ATTRIBUTE_HEADER_BYTES) {
      const length = view.getUint16(at, true);
      if (length < ATTRIBUTE_HEADER_BYTES || length > bytes.length - at) throw malformed("attribute");
      const type = view.getUint16(at + 2, true) & ATTRIBUTE_TYPE_MASK;
      const payload = bytes.subarray(at + ATTRIBUTE_HEADER_BYTES, at + length);
      this.by_type.set(type, payload);
      this.entries.push({ type, payload });
      at += align4(length);
    }
  }

  bytes(type: number): Uint8Array | undefined {
    return this.by_type.get(type);
  }

  nested(type: number): Attributes | undefined {
    const payload = this.by_type.get(type);
    return payload === undefined ? undefined : new Attributes(payload);
  }

  string(type: number): string | undefined {
    const payload = this.by_type.get(type);
    if (payload === undefined) return undefined;
    const zero = payload.indexOf(0);
    return text_decoder.decode(zero === -1 ? payload : payload.subarray(0, zero));
  }

  u8(type: number): number | undefined {
    return this.number(type, 1)?.getUint8(0);
  }

  u32(type: number): number | undefined {
    return this.number(type, 4)?.getUint32(0, true);
  }

  u32Network(type: number): number | undefined {
    return this.number(type, 4)?.getUint32(0, false);
  }

  i32Network(type: number): number | undefined {
    return this.number(type, 4)?.getInt32(0, false);
  }

  u64Network(type: number): number | undefined {
    const view = this.number(type, 8);
    return view === undefined ? undefined : Number(view.getBigUint64(0, false));
  }

  private number(type: number, length: number): DataView | undefined {
    const payload = this.by_type.get(type);
    if (payload === undefined) return undefined;
    if (payload.length < length) throw malformed("number");
    return new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  }
}

/** Attributes that follow a family header of `header_bytes` in a message. */
export function attributesOf(message: NetlinkMessage, header_bytes: number): Attributes {
  if (message.payload.length < header_bytes) throw malformed("family header");
  return new Attributes(message.payload.subarray(header_bytes));
}

function malformed(what: string): Failure {
  return new Failure("netlink", `The kernel's netlink answer has a ${what} whose length does not fit.`);
}
