/** What the kernel says: netlink's answers and notifications, and the records of the shim's wait. */
import { readRecords } from "../../../src/heart/inbox.ts";
import { readMessages } from "../../../src/kernel/netlink.ts";
import { attributeBytes, FAMILY, isForeignChange, readElements, readGeneration } from "../../../src/kernel/nftables.ts";
import { isAddressChange, readAddresses, readDefaultGateways, readLinks } from "../../../src/kernel/rtnetlink.ts";
import { demand, onlyFailures, type Target } from "../target.ts";

function attribute(type: number, payload: Uint8Array | string): Buffer {
  const bytes = Buffer.from(payload as string);
  const head = Buffer.alloc(4);
  head.writeUInt16LE(4 + bytes.length, 0);
  head.writeUInt16LE(type, 2);
  return Buffer.concat([head, bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}

function answer(type: number, header_bytes: number, ...attributes: Buffer[]): Uint8Array {
  const payload = Buffer.concat([Buffer.alloc(header_bytes), ...attributes]);
  const head = Buffer.alloc(16);
  head.writeUInt32LE(16 + payload.length, 0);
  head.writeUInt16LE(type, 4);
  return new Uint8Array(Buffer.concat([head, payload]));
}

const IP = Uint8Array.of(10, 1, 0, 1);

/** RTM_NEWLINK, RTM_NEWADDR, RTM_NEWROUTE, and an nf_tables element list, as attributes nest. */
const ANSWERS: Record<string, Uint8Array> = {
  link: answer(
    16,
    16,
    attribute(3, "lo\0"),
    attribute(1, Buffer.alloc(6)),
    attribute(4, Buffer.alloc(4)),
    attribute(18, attribute(1, "veth\0")),
  ),
  address: answer(20, 8, attribute(1, IP), attribute(2, IP)),
  route: answer(24, 12, attribute(5, IP), attribute(4, Buffer.alloc(4))),
  "set-elements": answer(0x0a0c, 4, attribute(3, attribute(1, attribute(1, attribute(1, "\x01\0"))))),
};

const READERS: ((messages: ReturnType<typeof readMessages>) => unknown)[] = [
  readLinks,
  readAddresses,
  readDefaultGateways,
  readElements,
  (messages) => messages.map(attributeBytes),
  (messages) => messages.map(isAddressChange),
  (messages) => isForeignChange(messages, 1, FAMILY.netdev, "understudy"),
  readGeneration,
];

export const netlink: Target = {
  base: ANSWERS,
  next: (mutator, corpus) => mutator.mutated(corpus),
  check(datagram) {
    onlyFailures(() => {
      const messages = readMessages(datagram);
      for (const read of READERS) onlyFailures(() => void read(messages));
    });
  },
};

function record(kind: number, payload: Uint8Array | string): Buffer {
  const content = Buffer.from(payload as string);
  const bytes = Buffer.alloc(16 + ((content.length + 7) & ~7));
  bytes.writeUInt16LE(kind, 0);
  bytes.writeUInt32LE(129, 4);
  bytes.writeUInt32LE(content.length, 8);
  bytes.set(content, 16);
  return bytes;
}

const RECORDS: Record<string, Uint8Array> = {
  frame: new Uint8Array(record(1, Buffer.alloc(60, 2))),
  several: new Uint8Array(Buffer.concat([record(3, '{"type":"alive"}\n'), record(4, ""), record(5, Buffer.alloc(4))])),
};

export const records: Target = {
  base: RECORDS,
  next: (mutator, corpus) => mutator.mutated(corpus),
  check(bytes) {
    let count = 0;
    for (const { payload } of readRecords(bytes, bytes.length)) {
      demand(payload.length <= bytes.length, "a record lies in its buffer");
      demand(++count <= bytes.length, "reading records ends");
    }
  },
};
