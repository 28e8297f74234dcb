import { describe, expect, test } from "bun:test";
import { toHex } from "../../test/kernel/frames.ts";
import { parseAddress, parsePrefixed } from "./ip.ts";
import { readMessages } from "./netlink.ts";
import { type Change, changesRequest, isPhysical, readAddresses, readDefaultGateways, readLinks } from "./rtnetlink.ts";

const hex = (text: string): string => text.replaceAll(/\s/g, "");
const fromHex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(hex(text), "hex"));

describe("changes", () => {
  const cases: { what: string; change: Change; bytes: string }[] = [
    {
      what: "an IPv4 address is added with its broadcast address",
      change: { kind: "add-address", link_index: 3, address: parsePrefixed("10.1.0.1/24"), network_route: true },
      bytes: `30000000 1400 0505 09000000 00000000  02 18 00 00 03000000
        0800 0200 0a010001  0800 0100 0a010001  0800 0400 0a0100ff`,
    },
    {
      what: "an IPv6 address is added without duplicate address detection",
      change: { kind: "add-address", link_index: 3, address: parsePrefixed("fd00::1/64"), network_route: true },
      bytes: `48000000 1400 0505 09000000 00000000  0a 40 00 00 03000000
        1400 0200 fd000000000000000000000000000001  1400 0100 fd000000000000000000000000000001
        0800 0800 02000000`,
    },
    {
      what: "a further one of its network without a route",
      change: { kind: "add-address", link_index: 3, address: parsePrefixed("fd00::2/64"), network_route: false },
      bytes: `48000000 1400 0505 09000000 00000000  0a 40 00 00 03000000
        1400 0200 fd000000000000000000000000000002  1400 0100 fd000000000000000000000000000002
        0800 0800 02020000`,
    },
    {
      what: "an address is deleted",
      change: { kind: "delete-address", link_index: 3, address: parsePrefixed("10.1.0.1/24") },
      bytes: `28000000 1500 0500 09000000 00000000  02 18 00 00 03000000
        0800 0200 0a010001  0800 0100 0a010001`,
    },
    {
      what: "a default gateway is added",
      change: { kind: "add-gateway", link_index: 3, gateway: parseAddress("10.1.0.254"), metric: 1, on_link: true },
      bytes: `34000000 1800 0505 09000000 00000000  02 00 00 00 fe 04 00 01 04000000
        0800 0500 0a0100fe  0800 0400 03000000  0800 0600 01000000`,
    },
    {
      what: "a default gateway is deleted, whatever its metric",
      change: { kind: "delete-gateway", link_index: 3, gateway: parseAddress("10.1.0.254") },
      bytes: `2c000000 1900 0500 09000000 00000000  02 00 00 00 fe 00 00 01 00000000
        0800 0500 0a0100fe  0800 0400 03000000`,
    },
  ];
  for (const { what, change, bytes } of cases) {
    test(what, () => expect(toHex(changesRequest(9, [change]))).toBe(hex(bytes)));
  }

  test("of many, the last one is acknowledged", () => {
    const changes = cases.map(({ change }) => change);
    const acknowledged = readMessages(changesRequest(9, changes)).map(({ flags }) => (flags & 4) !== 0);
    expect(acknowledged).toEqual([...new Array(changes.length - 1).fill(false), true]);
  });
});

describe("answers", () => {
  const LINK = `10000000 0000 0100 04000000 43100100 00000000
    0900 0300 6c616e3000 000000  0a00 0100 020000000101 0000  0800 0400 dc050000
    1000 1200  0900 0100 7665746800 000000`;
  const link = (text: string) => {
    const body = fromHex(text).subarray(4);
    const header = new DataView(new ArrayBuffer(16));
    header.setUint32(0, 16 + body.length, true);
    header.setUint16(4, 16, true);
    return readLinks(readMessages(Uint8Array.of(...new Uint8Array(header.buffer), ...body)));
  };

  test("a link whose address is not the one burnt into the card", () => {
    expect(link(`${LINK} 0a00 3600 0200000001ff 0000`)[0]?.link).toMatchObject({
      mac: "02:00:00:00:01:01",
      permanent_mac: "02:00:00:00:01:ff",
    });
  });

  test("a link", () => {
    const [change] = link(LINK);
    expect(change).toEqual({
      removed: false,
      link: {
        index: 4,
        name: "lan0",
        mac: "02:00:00:00:01:01",
        permanent_mac: "",
        up: true,
        carrier: true,
        mtu: 1500,
        kind: "veth",
        master: 0,
        ethernet: true,
      },
    });
  });

  test("a bridge's notice about its port is no link", () => {
    expect(link(LINK.replace("0000 0100 04000000", "0700 0100 04000000"))).toEqual([]);
  });

  test("hardware and virtual cables are physical, anything else is not", () => {
    const of = link(LINK)[0]?.link;
    if (of === undefined) throw new Error("no link");
    expect(["", "veth", "bridge", "macvlan", "tun"].map((kind) => isPhysical({ ...of, kind }))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
    expect(isPhysical({ ...of, kind: "", ethernet: false })).toBe(false);
  });

  test("an address is its local one where there are two", () => {
    const answer = fromHex(`28000000 1400 0200 01000000 00000000  02 18 80 00 03000000
      0800 0100 0a010009  0800 0200 0a010001`);
    expect(readAddresses(readMessages(answer))).toEqual([{ link_index: 3, address: parsePrefixed("10.1.0.1/24") }]);
  });

  test("of the routes only default ones by a gateway in the main table count", () => {
    const route = (destination_bits: string, table: string): string =>
      `2c000000 1800 0200 01000000 00000000  02 ${destination_bits} 00 00 ${table} 04 00 01 00000000
      0800 0500 0a0100fe  0800 0400 03000000`;
    const answer = fromHex(route("00", "fe") + route("08", "fe") + route("00", "64"));
    expect(readDefaultGateways(readMessages(answer))).toEqual([{ link_index: 3, gateway: parseAddress("10.1.0.254") }]);
  });
});
