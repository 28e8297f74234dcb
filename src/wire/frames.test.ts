/** ARP, neighbour discovery, pairing pieces and address texts around literal frames. */
import { describe, expect, test } from "bun:test";
import { emitArpAnnouncement, emitArpProbe, emitArpRequest, parseArp } from "./arp.ts";
import { equalTags, ipv4Bytes, ipv4Text, ipv6Bytes, ipv6Text, macBytes, macText } from "./bytes.ts";
import { emitNeighbourAnnouncement, emitNeighbourProbe, emitNeighbourSolicitation, parseNeighbour } from "./ndp.ts";
import { Assembly, emitPieces, parsePiece } from "./pairing.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const fromHex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ""), "hex"));
const flat = (text: string) => text.replaceAll(/\s/g, "");
const MAC = macBytes("02:00:00:00:01:01");
const IP = ipv4Bytes("10.1.0.1");
const IP6 = ipv6Bytes("2001:db8::1");

const ARP_HEAD = "ffffffffffff 020000000101 0806 0001 0800 06 04 0001 020000000101";
const PROBE = `${ARP_HEAD} 00000000 000000000000 0a010001`;
const ANNOUNCEMENT = `${ARP_HEAD} 0a010001 000000000000 0a010001`;
const REQUEST = `${ARP_HEAD} 0a010001 000000000000 0a010002`;

describe("arp", () => {
  test("probe, announcement and request are written", () => {
    expect(hex(emitArpProbe(MAC, IP))).toBe(flat(PROBE));
    expect(hex(emitArpAnnouncement(MAC, IP))).toBe(flat(ANNOUNCEMENT));
    expect(hex(emitArpRequest(MAC, IP, ipv4Bytes("10.1.0.2")))).toBe(flat(REQUEST));
  });

  test("a request is read, padded or not", () => {
    for (const text of [REQUEST, `${REQUEST} ${"00".repeat(18)}`]) {
      const arp = parseArp(fromHex(text));
      expect(arp?.operation).toBe("request");
      expect(macText(arp?.sender_mac ?? MAC)).toBe("02:00:00:00:01:01");
      expect(ipv4Text(arp?.sender_ip ?? IP)).toBe("10.1.0.1");
      expect(ipv4Text(arp?.target_ip ?? IP)).toBe("10.1.0.2");
    }
  });

  test("is refused at every length below its own", () => {
    for (let length = 0; length < 42; length++) expect(parseArp(fromHex(REQUEST).subarray(0, length))).toBeNull();
  });

  test("is refused with any other fixed byte, type or operation", () => {
    for (const at of [12, 13, 14, 15, 16, 17, 18, 19, 20]) {
      const frame = fromHex(REQUEST);
      frame[at] = (frame[at] ?? 0) ^ 0x40;
      expect(parseArp(frame)).toBeNull();
    }
    for (const operation of [0, 3]) {
      const frame = fromHex(REQUEST);
      frame[21] = operation;
      expect(parseArp(frame)).toBeNull();
    }
  });
});

/** Checksums by hand: the one's complement sum of pseudo-header and message is ffff. */
const NA = `333300000001 020000000101 86dd 60000000 0020 3a ff 20010db8000000000000000000000001
  ff020000000000000000000000000001 88 00 CCCC 20000000 20010db8000000000000000000000001 02 01 020000000101`;
const NS = `3333ff000001 020000000101 86dd 60000000 0018 3a ff 00000000000000000000000000000000
  ff0200000000000000000001ff000001 87 00 CCCC 00000000 20010db8000000000000000000000001`;

/** An independent checksum: 16-bit words added end-around, over hex text. */
function withChecksum(text: string): string {
  const frame = flat(text).replace("CCCC", "0000");
  const length = frame.slice(36, 40);
  const words = (`${frame.slice(44)}0000${length}0000003a`.match(/.{4}/g) ?? []).map((word) =>
    Number.parseInt(word, 16),
  );
  let sum = 0;
  for (const word of words) {
    sum += word;
    if (sum > 0xffff) sum -= 0xffff;
  }
  return flat(text).replace("CCCC", (0xffff - sum).toString(16).padStart(4, "0"));
}

describe("neighbour discovery", () => {
  test("advertisement and probe are written", () => {
    expect(hex(emitNeighbourAnnouncement(MAC, IP6))).toBe(withChecksum(NA));
    expect(hex(emitNeighbourProbe(MAC, IP6))).toBe(withChecksum(NS));
  });

  test("are read", () => {
    expect(parseNeighbour(fromHex(withChecksum(NA)))).toEqual({ kind: "advertisement", source: IP6, target: IP6 });
    const probe = parseNeighbour(fromHex(withChecksum(NS)));
    expect(probe).toEqual({ kind: "solicitation", source: new Uint8Array(16), target: IP6 });
  });

  test("a solicitation with a source tells its MAC", () => {
    const frame = emitNeighbourSolicitation(MAC, ipv6Bytes("fe80::1"), IP6);
    expect(hex(frame.subarray(-8))).toBe("0101020000000101");
    expect(parseNeighbour(frame)?.kind).toBe("solicitation");
  });

  test("are refused at every length below their own", () => {
    const frame = fromHex(withChecksum(NA));
    for (let length = 0; length < frame.length; length++) expect(parseNeighbour(frame.subarray(0, length))).toBeNull();
  });

  test("are refused with any bit flipped that the checksum covers, and from off the link", () => {
    for (let bit = 22 * 8; bit < 86 * 8; bit++) {
      const frame = fromHex(withChecksum(NA));
      frame[bit >> 3] = (frame[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect({ bit, read: parseNeighbour(frame) }).toEqual({ bit, read: null });
    }
    const far = fromHex(withChecksum(NA));
    far[21] = 254;
    expect(parseNeighbour(far)).toBeNull();
  });
});

describe("pairing pieces", () => {
  const LITERAL = `020000000201 020000000101 88b5 00 01 02 00 00 01 0002 00000005 6869 ${"00".repeat(32)}`;
  const PEER = macBytes("02:00:00:00:02:01");

  test("are written and read", () => {
    expect(emitPieces(PEER, MAC, 5, fromHex("6869")).map(hex)).toEqual([flat(LITERAL)]);
    expect(parsePiece(fromHex(LITERAL))).toEqual({ index: 0, count: 1, message: 5, body: fromHex("6869") });
  });

  const broken: [string, number, number][] = [
    ["claim byte", 14, 1],
    ["version", 15, 2],
    ["type", 16, 1],
    ["index beyond the count", 18, 1],
    ["no pieces", 19, 0],
    ["too many pieces", 19, 129],
    ["length beyond the frame", 21, 200],
    ["length beyond a piece", 20, 0xff],
  ];
  for (const [name, at, value] of broken)
    test(`are refused: ${name}`, () => {
      const frame = fromHex(LITERAL);
      frame[at] = value;
      expect(parsePiece(frame)).toBeNull();
    });

  test("are refused cut short", () => {
    for (let length = 0; length < 28; length++) expect(parsePiece(fromHex(LITERAL).subarray(0, length))).toBeNull();
  });

  test("come together in any order, twice, and after another message was begun", () => {
    const body = Uint8Array.from({ length: 3000 }, (_, i) => i % 251);
    const frames = emitPieces(PEER, MAC, 6, body);
    expect(frames.length).toBe(3);
    const assembly = new Assembly();
    const take = (index: number, from = frames) => {
      const piece = parsePiece(from[index] ?? new Uint8Array());
      return piece === null ? null : assembly.take(piece);
    };
    expect(take(0, emitPieces(PEER, MAC, 4, body))).toBeNull();
    expect([take(2), take(2), take(0)]).toEqual([null, null, null]);
    expect(take(1)).toEqual(body);
  });

  test("longer than 128 pieces is an error", () => {
    expect(() => emitPieces(PEER, MAC, 1, new Uint8Array(1400 * 128 + 1))).toThrow(RangeError);
  });
});

describe("texts", () => {
  const rows = [
    "::",
    "::1",
    "2001:db8::1",
    "fe80::",
    "1:2:3:4:5:6:7:8",
    "1:0:0:2::3",
    "2001:db8:0:1:1:1:1:1",
    "::2:0:0:1",
  ];
  for (const text of rows) test(`${text} comes back`, () => expect(ipv6Text(ipv6Bytes(text))).toBe(text));
  test("other forms become the one of RFC 5952", () => {
    expect(ipv6Text(ipv6Bytes("2001:DB8:0:0:0:0:0:1"))).toBe("2001:db8::1");
    expect(ipv6Text(ipv6Bytes("::ffff:10.1.2.3"))).toBe("::ffff:a01:203");
  });
  test("tags are compared whole", () => {
    expect(equalTags(MAC, MAC.slice())).toBe(true);
    expect(equalTags(MAC, MAC.subarray(1))).toBe(false);
    for (let i = 0; i < 6; i++) {
      const other = MAC.slice();
      other[i] = (other[i] ?? 0) ^ 1;
      expect(equalTags(MAC, other)).toBe(false);
    }
  });
});
