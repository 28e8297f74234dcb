import { describe, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { emitHeartbeat, HEARTBEAT_FRAME_BYTES, type Heartbeat, isHeartbeat, parseHeartbeat } from "./heartbeat.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const fromHex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ""), "hex"));
const authenticate = (bytes: Uint8Array) => createHmac("sha256", "a key").update(bytes).digest().subarray(0, 16);

const CLUSTER = 0xc0ffee01;
const MAC = fromHex("020000000101");
const PEER = fromHex("020000000201");
const HEARTBEAT: Heartbeat = {
  node: 1,
  role: "active",
  wish: false,
  unwilling: true,
  urgent: true,
  take: false,
  slot: 1,
  session: 0x1f_0203_0405_0607,
  sequence: 7,
  challenge: 8,
  echo_session: 9,
  echo_challenge: 10,
  ack: 11,
  ack_hold_us: 12,
  term: 13,
  links: 6,
  settings_revision: 14,
  version: [1, 2, 3],
  build: 15,
};

/** Written down from the layout, without the tag: Ethernet, then one field per group. */
const BODY = `
  01 01 01 01 c0ffee01 03 06 01 00 020000000101 0000
  001f020304050607 0000000000000007 00000008
  0000000000000009 0000000a 000000000000000b 0000000c
  000000000000000d 00000006 000000000000000e
  0001 0002 0003 0000000f`;
const LITERAL = fromHex(`020000000201 020000000101 88b5 ${BODY} ${hex(authenticate(fromHex(BODY)))}`);

/** The literal with a change and a tag that is right for it: what only a holder of the key can send. */
function signed(change: (frame: Uint8Array) => void): Uint8Array {
  const frame = LITERAL.slice();
  change(frame);
  frame.set(authenticate(frame.subarray(14, frame.length - 16)), frame.length - 16);
  return frame;
}

const parse = (frame: Uint8Array) => parseHeartbeat(frame, CLUSTER, authenticate);

describe("heartbeat", () => {
  test("is read", () => {
    expect(isHeartbeat(LITERAL)).toBe(true);
    expect(parse(LITERAL)).toEqual(HEARTBEAT);
  });

  test("is written", () => {
    expect(hex(emitHeartbeat(HEARTBEAT, CLUSTER, MAC, PEER, authenticate))).toBe(hex(LITERAL));
  });

  test("is refused at every length below its own", () => {
    for (let length = 0; length < HEARTBEAT_FRAME_BYTES; length++)
      expect(parse(LITERAL.subarray(0, length))).toBe("truncated");
  });

  test("is refused with any bit flipped behind the destination", () => {
    for (let bit = 6 * 8; bit < LITERAL.length * 8; bit++) {
      // The EtherType is judged by isHeartbeat, before.
      const frame = LITERAL.slice();
      frame[bit >> 3] = (frame[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect({ bit, accepted: isHeartbeat(frame) && typeof parse(frame) !== "string" }).toEqual({
        bit,
        accepted: false,
      });
    }
  });

  const refusals: [string, (frame: Uint8Array) => void, string][] = [
    ["another wire version", (frame) => frame.fill(2, 15, 16), "wrong-version"],
    ["another cluster", (frame) => frame.fill(0, 18, 19), "foreign-cluster"],
    ["another MAC in the header", (frame) => frame.fill(9, 11, 12), "forged"],
    ["another MAC inside", (frame) => frame.fill(9, 31, 32), "forged"],
    ["a claim by a backup", (frame) => frame.fill(1, 22, 23), "malformed"],
    ["an active role without the claim", (frame) => frame.fill(0, 14, 15), "malformed"],
    ["a claim byte of 2", (frame) => frame.fill(2, 14, 15), "malformed"],
    ["node 0", (frame) => frame.fill(0, 17, 18), "malformed"],
    ["node 3", (frame) => frame.fill(3, 17, 18), "malformed"],
    ["an unknown role", (frame) => frame.fill(5, 22, 23), "malformed"],
    ["slot 32", (frame) => frame.fill(32, 24, 25), "malformed"],
    ["a session above 2^53", (frame) => frame.fill(0x20, 35, 36), "malformed"],
    ["a term above 2^53", (frame) => frame.fill(0xff, 78, 79), "malformed"],
  ];
  for (const [name, change, reason] of refusals)
    test(`with ${name} is ${reason}, though its tag is right`, () =>
      expect(parse(signed(change))).toBe(reason as never));

  test("under another key is forged", () => {
    const other = (bytes: Uint8Array) => createHmac("sha256", "b").update(bytes).digest().subarray(0, 16);
    expect(parseHeartbeat(LITERAL, CLUSTER, other)).toBe("forged");
  });
});
