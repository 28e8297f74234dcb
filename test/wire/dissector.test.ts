/**
 * The Wireshark dissector, on frames that the node's own encoders made. What tshark says of each is in dissector.txt: read
 * it before it is committed, and write it anew with UPDATE_DISSECTOR=1.
 */
import { expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Message } from "../../src/core/pairing/messages.ts";
import { VERDICT_CODES, VERDICTS, verdictText } from "../../src/core/verdicts.ts";
import { BROADCAST, ETHERNET_HEADER_BYTES } from "../../src/wire/ethernet.ts";
import { emitHeartbeat, type Heartbeat, WIRE_ROLES } from "../../src/wire/heartbeat.ts";
import { emitPieces } from "../../src/wire/pairing.ts";
import { emitPcapng, type Packet } from "../../src/wire/pcapng.ts";
import { fieldsOf, tshark } from "./tshark.ts";

const GOLDEN = join(import.meta.dir, "dissector.txt");
const MAC = Uint8Array.of(2, 0, 0, 0, 0, 1);
const PEER = Uint8Array.of(2, 0, 0, 0, 0, 2);
const P = ETHERNET_HEADER_BYTES;
const AT_US = Date.UTC(2026, 0, 2, 3, 4, 5) * 1000;
const authenticate = (bytes: Uint8Array) => createHmac("sha256", "key").update(bytes).digest().subarray(0, 16);

const HEARTBEAT: Heartbeat = {
  node: 1,
  role: "active",
  wish: false,
  unwilling: false,
  urgent: false,
  take: false,
  slot: 0,
  session: 0x1234_5678_9abc,
  sequence: 41,
  challenge: 3,
  echo_session: 0xf_edcb_a987_6543,
  echo_challenge: 4,
  ack: 77,
  ack_hold_us: 2500,
  term: 9,
  links: 0b110,
  settings_revision: 12,
  version: [0, 1, 7],
  build: 1234,
};
let sequence = 100;

/** Numbered on, unless the change says otherwise. */
function heartbeat(change: Partial<Heartbeat> = {}, mac = MAC): Uint8Array {
  return emitHeartbeat({ ...HEARTBEAT, sequence: ++sequence, ...change }, 0xc0ffee01, mac, PEER, authenticate);
}

function spoilt(frame: Uint8Array, at: number, ...bytes: number[]): Uint8Array {
  const copy = frame.slice();
  copy.set(bytes, at);
  return copy;
}

const hex = (digit: string, digits = 64) => digit.repeat(digits);
const card = { nic: "clu0", mac: "02:00:00:00:00:01" };
const introduction = {
  name: "node-a",
  version: "0.1.7",
  build: 1234,
  cards: [card],
  cluster: card,
  license: null,
  certificate: "",
};
/** One of each kind: a kind that is missing here does not compile. */
const MESSAGES: { [Kind in Message["kind"]]: Message & { kind: Kind } } = {
  offer: { kind: "offer", introduction, public_key: hex("a"), commitment: hex("b"), code: true },
  answer: { kind: "answer", to: hex("a"), introduction, public_key: hex("c"), code: true },
  refuse: { kind: "refuse", to: hex("a"), code: "wrong-code", message: "No." },
  seen: { kind: "seen", proof: hex("d") },
  guess: { kind: "guess", to: hex("a"), guess: hex("e") },
  open: { kind: "open", to: hex("a"), nonce: hex("f") },
  confirm: { kind: "confirm", to: hex("a"), nonce: hex("0") },
  confirmed: { kind: "confirmed", proof: hex("1") },
  test: { kind: "test", to: hex("a"), round: 1, sealed: "sealed" },
  report: { kind: "report", to: hex("a"), round: 1, sealed: "sealed" },
  probe: { kind: "probe", token: hex("2") },
  grant: { kind: "grant", to: hex("a"), sealed: "x".repeat(3000) },
  ready: { kind: "ready", proof: hex("3") },
  commit: { kind: "commit", proof: hex("4") },
  done: { kind: "done", proof: hex("5") },
};

function pieces(value: unknown, message = 1): Uint8Array[] {
  return emitPieces(BROADCAST, MAC, message, new TextEncoder().encode(JSON.stringify(value)));
}

const piece = () => pieces(MESSAGES.seen)[0] ?? new Uint8Array();

/** Of a frame that is not shown whole. */
const TELLING = /\[Expert Info|^ {4}(Role|Path|\[What the capturing node|\[Kind|\[Whole message)/;

interface Case {
  name: string;
  /** All that is shown of it, not just what tells it from others. */
  whole?: boolean;
  frames: Uint8Array[];
  /** Of the frames, where they were not captured as a whole. */
  length?: number;
  comment?: string;
}

const flags = { wish: true, unwilling: true, urgent: true, take: true };
const CASES: Case[] = [
  ...WIRE_ROLES.map((role, index) => ({ name: `heartbeat, ${role}`, frames: [heartbeat({ role, term: index })] })),
  {
    name: "every flag, no link, nobody heard",
    whole: true,
    frames: [heartbeat({ ...flags, links: 0, echo_session: 0 })],
  },
  { name: "a data network", frames: [heartbeat({ slot: 31 })] },
  { name: "the greatest numbers", frames: [heartbeat({ term: Number.MAX_SAFE_INTEGER, slot: 2, session: 1 })] },
  { name: "a replay", frames: [heartbeat({ slot: 5, sequence: 7 }), heartbeat({ slot: 5, sequence: 7 })] },
  { name: "an older one", frames: [heartbeat({ slot: 6, sequence: 8 }), heartbeat({ slot: 6, sequence: 7 })] },
  { name: "truncated", frames: [heartbeat().subarray(0, P + 109)] },
  { name: "two bytes", frames: [heartbeat().subarray(0, P + 2)] },
  { name: "not captured as a whole", frames: [heartbeat().subarray(0, P + 20)], length: P + 110 },
  { name: "wrong version", frames: [spoilt(heartbeat(), P + 1, 2)] },
  { name: "unknown type", frames: [spoilt(heartbeat(), P + 2, 9)] },
  { name: "no such node", frames: [spoilt(heartbeat(), P + 3, 3)] },
  { name: "no such role", frames: [spoilt(heartbeat({ role: "backup" }), P + 8, 7)] },
  { name: "claims without being active", frames: [spoilt(heartbeat({ role: "backup" }), P, 1)] },
  { name: "no such path", frames: [spoilt(heartbeat(), P + 10, 32)] },
  { name: "no such flag", frames: [spoilt(heartbeat(), P + 9, 16)] },
  { name: "sent on by another card", frames: [spoilt(heartbeat(), 6, ...PEER)] },
  ...VERDICT_CODES.map((code) => ({ name: `verdict ${code}`, frames: [heartbeat()], comment: verdictText(code) })),
  ...Object.values(MESSAGES).map((message, index) => ({
    name: `pairing, ${message.kind}`,
    frames: pieces(message, index + 1),
  })),
  { name: "a piece", whole: true, frames: [piece()] },
  { name: "no such kind", frames: pieces({ kind: "sesame" }) },
  { name: "no JSON", frames: pieces("open sesame") },
  { name: "no pieces", frames: [spoilt(piece(), P + 5, 0)] },
  { name: "too many pieces", frames: [spoilt(piece(), P + 5, 129)] },
  { name: "a piece beyond the last", frames: [spoilt(piece(), P + 4, 1)] },
  { name: "a piece that is too long", frames: [spoilt(piece(), P + 6, 0x05, 0x79)] },
  { name: "longer than its frame", frames: [spoilt(piece(), P + 6, 0, 200)] },
  { name: "a piece that claims", frames: [spoilt(piece(), P, 1)] },
  { name: "piece, truncated", frames: [piece().subarray(0, P + 11)] },
  { name: "piece, not captured as a whole", frames: [piece().subarray(0, 60)], length: piece().length },
];

const packets: Packet[] = CASES.flatMap(({ frames, length, comment = "" }) =>
  frames.map((frame) => ({
    interface: 0,
    at_us: AT_US,
    direction: "in" as const,
    comment,
    frame,
    length: length ?? frame.length,
  })),
);
const capture = emitPcapng({
  application: "understudy",
  comment: "Every kind of frame.",
  interfaces: [{ name: "clu0", mac: PEER }],
  packets,
});

test("every kind of frame is shown as it is meant", () => {
  // A frame's own summary comes first, with its comment before it; the text of a message is left to tshark.
  const details = tshark(capture, ["-2", "-O", "understudy"])
    .split(/\n\n(?=Packet comments|Frame \d)/)
    .map(
      (text) =>
        /^Understudy high availability[^\n]*\n((?: {4}.*\n?)*)/m
          .exec(text)?.[1]
          ?.split(/\n(?: {4}JavaScript Object Notation[\s\S]*)?/) ?? [],
    );
  const lines = tshark(capture, ["-2", "-T", "fields", "-e", "_ws.col.Info"]).split("\n");
  let at = 0;
  const said = CASES.map(({ name, frames, whole = false }) => {
    const shown = frames.flatMap(() => {
      const own = (details[at] ?? []).filter((line) => line !== "" && (whole || TELLING.test(line)));
      return [lines[at++] ?? "", ...own];
    });
    return [`== ${name}`, ...shown].map((line) => line.trimEnd()).join("\n");
  }).join("\n\n");
  expect(at).toBe(packets.length);
  if (process.env["UPDATE_DISSECTOR"] === "1") writeFileSync(GOLDEN, `${said}\n`);
  expect(`${said}\n`).toBe(readFileSync(GOLDEN, "utf8"));
});

test("what is shown of a heartbeat is what was said", () => {
  const names = ["node", "role", "slot", "session", "sequence", "challenge", "echo_session", "echo_challenge", "ack"];
  const more = ["ack_hold_us", "term", "links", "settings_revision", "software", "build", "cluster"];
  const only = emitPcapng({
    application: "",
    comment: "",
    interfaces: [{ name: "clu0", mac: PEER }],
    packets: [
      { interface: 0, at_us: AT_US, direction: "out", comment: "", frame: heartbeat({ sequence: 41 }), length: 124 },
    ],
  });
  const [values = []] = fieldsOf(
    only,
    [...names, ...more].map((name) => `understudy.${name}`),
  );
  const numbers = values.map((value) => (value.includes(".") ? value : Number(value)));
  const { session, echo_session } = HEARTBEAT;
  expect(numbers).toEqual([1, 3, 0, session, 41, 3, echo_session, 4, 77, 2500, 9, 6, 12, "0.1.7", 1234, 0xc0ffee01]);
});

test("a frame that was refused can be found by a filter, with the reason", () => {
  const refused = VERDICT_CODES.filter((code) => VERDICTS[code].kind === "refused");
  const found = tshark(capture, ["-Y", "understudy.refused", "-T", "fields", "-e", "understudy.verdict"]);
  expect(found.trim().split("\n")).toEqual(refused.map((code) => verdictText(code)));
});
