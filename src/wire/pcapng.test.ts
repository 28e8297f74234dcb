import { expect, test } from "bun:test";
import { emitPcapng, sectionComment } from "./pcapng.ts";

const CAPTURE = emitPcapng({
  application: "a",
  comment: "two\nlines",
  interfaces: [{ name: "lan0", mac: Uint8Array.of(2, 0, 0, 0, 0, 1) }],
  packets: [
    { interface: 0, at_us: 0x2_0000_0003, direction: "out", comment: "sent", frame: Uint8Array.of(1, 2, 3), length: 9 },
  ],
});

/** Written down from the draft: a block a paragraph, an option a line. */
const WRITTEN = `
  0a0d0d0a 38000000 4d3c2b1a 0100 0000 ffffffffffffffff
    0100 0900 74776f0a6c696e6573 000000
    0400 0100 61 000000
    0000 0000
  38000000
  01000000 34000000 0100 0000 00000000
    0200 0400 6c616e30
    0600 0600 020000000001 0000
    0900 0100 06 000000
    0000 0000
  34000000
  06000000 38000000 00000000 02000000 03000000 03000000 09000000 010203 00
    0200 0400 02000000
    0100 0400 73656e74
    0000 0000
  38000000`;

test("a section, an interface and a packet, byte for byte", () => {
  expect(Buffer.from(CAPTURE).toString("hex")).toBe(WRITTEN.replaceAll(/\s/g, ""));
});

test("the section's comment is read again, also from the beginning of a file alone", () => {
  expect(sectionComment(CAPTURE)).toBe("two\nlines");
  expect(sectionComment(CAPTURE.subarray(0, 60))).toBe("two\nlines");
});

test("what is no section has no comment, wherever it is cut", () => {
  for (let length = 0; length < 37; length++) expect(sectionComment(CAPTURE.subarray(0, length))).toBeNull();
  expect(sectionComment(CAPTURE.subarray(4))).toBeNull();
});
