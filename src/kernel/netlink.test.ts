import { describe, expect, test } from "bun:test";
import { toHex } from "../../test/kernel/frames.ts";
import { broadcastOf, formatPrefixed, inNetwork, parseAddress, parsePrefixed, sameNetwork } from "./ip.ts";
import { Attributes, NetlinkWriter, NLM_F, readMessages } from "./netlink.ts";

const fromHex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ""), "hex"));

/** One message: type 20, flags 0x5, sequence 7, a family header of 3 bytes, and one attribute of each kind. */
const LITERAL = fromHex(`
  64000000 1400 0500 07000000 00000000
  aabbcc00
  0500 0100 ff000000
  0600 0200 3412 0000
  0800 0300 78563412
  0600 0400 1234 0000
  0800 0500 12345678
  0c00 0600 0000000012345678
  0700 0700 6c6f00 00
  0c00 0880 0800 0100 fffffffe
  0600 0900 0102 0000
`);

function literal(writer: NetlinkWriter): void {
  writer.message(20, NLM_F.request | NLM_F.acknowledge, () => {
    writer.raw(Uint8Array.of(0xaa, 0xbb, 0xcc));
    writer.u8(1, 0xff);
    writer.u16(2, 0x1234);
    writer.u32(3, 0x12345678);
    writer.u16Network(4, 0x1234);
    writer.u32Network(5, 0x12345678);
    writer.u64Network(6, 0x12345678);
    writer.string(7, "lo");
    writer.nested(8, () => writer.i32Network(1, -2));
    writer.attribute(9, Uint8Array.of(1, 2));
  });
}

describe("messages", () => {
  test("are written as the kernel reads them, whatever room there was at first", () => {
    for (const capacity_bytes of [1, 17, 33, 1024]) {
      const writer = new NetlinkWriter(7, capacity_bytes);
      literal(writer);
      expect(toHex(writer.finish())).toBe(toHex(LITERAL));
    }
  });

  test("are read back", () => {
    const [message] = readMessages(LITERAL);
    expect(message).toMatchObject({ type: 20, flags: 5, sequence: 7, port: 0 });
    const read = new Attributes(message?.payload.subarray(4) ?? new Uint8Array());
    expect(read.u8(1)).toBe(0xff);
    expect(read.u32(3)).toBe(0x12345678);
    expect(read.u32Network(5)).toBe(0x12345678);
    expect(read.u64Network(6)).toBe(0x12345678);
    expect(read.string(7)).toBe("lo");
    expect(read.nested(8)?.i32Network(1)).toBe(-2);
    expect(read.bytes(9)).toEqual(Uint8Array.of(1, 2));
    expect(read.bytes(10)).toBeUndefined();
    expect(read.entries.map(({ type }) => type)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test("follow each other in one datagram", () => {
    const writer = new NetlinkWriter(7);
    literal(writer);
    writer.message(21, 0, () => {});
    expect(readMessages(writer.finish()).map(({ type }) => type)).toEqual([20, 21]);
  });

  for (const [what, bytes] of [
    ["a header cut short", LITERAL.subarray(0, 15)],
    ["a message cut short", LITERAL.subarray(0, 99)],
    ["a message longer than the datagram", Uint8Array.of(0xff, ...LITERAL.subarray(1))],
    ["a message shorter than its header", Uint8Array.of(15, ...LITERAL.subarray(1))],
    ["a message of no length, which would never end", new Uint8Array(16)],
  ] as const) {
    test(`${what} is refused`, () => expect(() => readMessages(bytes)).toThrow("does not fit"));
  }

  for (const [what, hex] of [
    ["an attribute longer than what holds it", "09000100ff000000"],
    ["an attribute shorter than its header", "03000100ff000000"],
    ["an attribute of no length", "00000000"],
  ] as const) {
    test(`${what} is refused`, () => expect(() => new Attributes(fromHex(hex))).toThrow("does not fit"));
  }

  test("a number of too few bytes is refused", () => {
    expect(() => new Attributes(fromHex("06000100ffff0000")).u32(1)).toThrow("does not fit");
  });

  test("no garbage of any kind is read past its end or for ever", () => {
    for (let at = 0; at < LITERAL.length; at += 1) {
      for (const value of [0, 1, 3, 0x7f, 0xff]) {
        const broken = LITERAL.slice();
        broken[at] = value;
        try {
          for (const { payload } of readMessages(broken)) new Attributes(payload.subarray(4)).nested(8);
        } catch (error) {
          expect((error as { code?: string }).code).toBe("netlink");
        }
      }
    }
  });
});

describe("addresses", () => {
  test("are read with and without prefix", () => {
    expect(parsePrefixed("10.1.0.1/24")).toEqual({ family: 4, bytes: Uint8Array.of(10, 1, 0, 1), prefix_length: 24 });
    expect(parsePrefixed("10.1.0.1").prefix_length).toBe(32);
    expect(parsePrefixed("fd00::1").prefix_length).toBe(128);
    expect(formatPrefixed(parsePrefixed("FD00:0::1/64"))).toBe("fd00::1/64");
  });

  for (const text of [
    "",
    "10.1.0",
    "10.1.0.1/33",
    "10.1.0.1/x",
    "fd00::1/129",
    "fe80::1%lan0",
    "lan0",
    "10.1.0.1/-1",
  ]) {
    test(`${JSON.stringify(text)} is refused`, () => expect(() => parsePrefixed(text)).toThrow("is not an IP address"));
  }

  test("have a broadcast address where their network has one", () => {
    for (const [address, broadcast] of [
      ["10.1.2.3/24", "10.1.2.255"],
      ["10.1.2.3/20", "10.1.15.255"],
      ["10.1.2.3/30", "10.1.2.3"],
      ["10.1.2.3/8", "10.255.255.255"],
    ] as const) {
      expect(broadcastOf(parsePrefixed(address))).toEqual(parseAddress(broadcast));
    }
    for (const without of ["10.1.2.3/31", "10.1.2.3/32", "fd00::1/64"]) {
      expect(broadcastOf(parsePrefixed(without))).toBeUndefined();
    }
  });

  test("lie in a network or not", () => {
    expect(inNetwork(parseAddress("10.1.15.9"), parsePrefixed("10.1.2.3/20"))).toBe(true);
    expect(inNetwork(parseAddress("10.1.16.9"), parsePrefixed("10.1.2.3/20"))).toBe(false);
    expect(inNetwork(parseAddress("fd00::9"), parsePrefixed("10.1.2.3/0"))).toBe(false);
    expect(inNetwork(parseAddress("fd00:0:0:1::9"), parsePrefixed("fd00::1/64"))).toBe(false);
    expect(sameNetwork(parsePrefixed("10.1.0.1/24"), parsePrefixed("10.1.0.2/24"))).toBe(true);
    expect(sameNetwork(parsePrefixed("10.1.0.1/24"), parsePrefixed("10.1.0.2/25"))).toBe(false);
  });
});
