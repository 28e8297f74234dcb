/**
 * What reads bytes from outside. A target makes its inputs from a Mutator and throws where a promise
 * is broken; for every reader the promise is at least: no exception but a Failure.
 */
import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseMessage } from "../../src/control/pairing-message.ts";
import { cryptography } from "../../src/control/pairing-session.ts";
import { Store } from "../../src/control/store.ts";
import { Election } from "../../src/core/election.ts";
import { Creator, type Introduction, Joiner, type Message } from "../../src/core/pairing.ts";
import { DEFAULT_TUNING } from "../../src/core/tuning.ts";
import type { CoreConfiguration, Input } from "../../src/core/types.ts";
import { Failure } from "../../src/errors.ts";
import { parseToHeart } from "../../src/heart/control.ts";
import { Lines, readRecords } from "../../src/heart/inbox.ts";
import { readMessages } from "../../src/kernel/netlink.ts";
import { readElements } from "../../src/kernel/nftables.ts";
import { changesRequest, readAddresses, readDefaultGateways, readLinks } from "../../src/kernel/rtnetlink.ts";
import { parseSettings } from "../../src/settings/model.ts";
import { emitArpAnnouncement, emitArpProbe, emitArpRequest, parseArp } from "../../src/wire/arp.ts";
import { macBytes } from "../../src/wire/bytes.ts";
import { BROADCAST } from "../../src/wire/ethernet.ts";
import { HEARTBEAT_FRAME_BYTES, isHeartbeat, parseHeartbeat } from "../../src/wire/heartbeat.ts";
import { emitNeighbourAnnouncement, emitNeighbourProbe, parseNeighbour } from "../../src/wire/ndp.ts";
import { Assembly, emitPieces, parsePiece } from "../../src/wire/pairing.ts";
import { backupTarget, licenseTarget } from "./files.ts";
import type { Mutator } from "./mutator.ts";

/** One target: `next` makes an input, `check` throws where it breaks a promise. Bytes, so that a crash can be shown. */
export interface Target {
  next(mutator: Mutator): Uint8Array;
  check(input: Uint8Array): void;
}

const KEY = Buffer.alloc(32, 7);
const TAG_AT = HEARTBEAT_FRAME_BYTES - 16;
const authenticate = (bytes: Uint8Array) => createHmac("sha256", KEY).update(bytes).digest().subarray(0, 16);
const MACS = ["02:00:00:00:01:01", "02:00:00:00:01:02"].map(macBytes) as [Uint8Array, Uint8Array];
const IP = Uint8Array.of(10, 1, 0, 1);
const IP6 = Uint8Array.of(0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function demand(holds: boolean, promise: string): void {
  if (!holds) throw new Error(`Broken: ${promise}`);
}

/** Runs `work`; a Failure is an answer, anything else is a crash. */
function onlyFailures(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
  }
}

function configurationOf(node: 1 | 2, bootstrap: boolean): CoreConfiguration {
  const [mac, peer_mac] = node === 1 ? MACS : [MACS[1], MACS[0]];
  const path = (slot: number) => ({ slot, nic: `nic${slot}`, mac, peer_mac, heartbeat: true });
  return {
    node,
    cluster: 0xabcdef01,
    authenticate,
    session: 1000 + node,
    peer_name: "peer",
    paths: [path(0), path(1)],
    addresses: [
      { slot: 1, ip: IP, text: "10.1.0.1" },
      { slot: 1, ip: IP6, text: "2001:db8::1" },
    ],
    gateways: [],
    tuning: DEFAULT_TUNING,
    term_floor: 0,
    settings_revision: 1,
    version: [0, 1, 0],
    build: 1,
    bootstrap,
    departed: false,
  };
}

/** Two nodes in conversation for `steps` intervals; every frame that node 1 sent, and node 2. */
function converse(steps: number): { frames: Uint8Array[]; two: Election; now_ms: number } {
  const [one, two] = [new Election(configurationOf(1, true), 0), new Election(configurationOf(2, false), 0)];
  const frames: Uint8Array[] = [];
  const carriers: Input[] = [0, 1].map((slot) => ({ type: "carrier", slot, up: true }));
  let [to_one, to_two] = [carriers, carriers];
  let now_ms = 0;
  for (let i = 0; i < steps; i++) {
    now_ms += 8;
    const said = one.step(now_ms, to_one).frames;
    frames.push(...said.map(({ frame }) => frame));
    to_two = [...(i === 0 ? carriers : []), ...said.map((one_frame) => ({ type: "frame" as const, ...one_frame }))];
    to_one = two.step(now_ms, to_two).frames.map((one_frame) => ({ type: "frame" as const, ...one_frame }));
  }
  return { frames, two, now_ms };
}

const FRAMES = [
  ...converse(4).frames,
  emitArpProbe(MACS[0], IP),
  emitArpAnnouncement(MACS[0], IP),
  emitArpRequest(MACS[0], IP, IP),
  emitNeighbourProbe(MACS[0], IP6),
  emitNeighbourAnnouncement(MACS[0], IP6),
];
const HEARTBEATS = FRAMES.filter(isHeartbeat);

/** Signed anew, as only somebody with the key can. */
function sealed(frame: Uint8Array): Uint8Array {
  if (frame.length >= HEARTBEAT_FRAME_BYTES) frame.set(authenticate(frame.subarray(14, TAG_AT)), TAG_AT);
  return frame;
}

const heartbeat: Target = {
  next: (mutator) =>
    mutator.below(2) === 0 ? mutator.mutated(HEARTBEATS) : sealed(mutator.mutated(HEARTBEATS).slice()),
  check(frame) {
    const read = parseHeartbeat(frame, 0xabcdef01, authenticate);
    if (typeof read === "string") return;
    demand(isSigned(frame), "what is believed was signed");
    demand(read.slot <= 31 && (read.node === 1 || read.node === 2), "slot and node are in their ranges");
    demand([read.term, read.sequence, read.ack].every(Number.isSafeInteger), "numbers are whole");
  },
};

function isSigned(frame: Uint8Array): boolean {
  const tag = Buffer.from(authenticate(frame.subarray(14, TAG_AT)));
  return tag.equals(frame.subarray(TAG_AT, TAG_AT + 16));
}

const arp: Target = {
  next: (mutator) => mutator.mutated(FRAMES),
  check(frame) {
    const read = parseArp(frame);
    if (read !== null) demand(read.sender_mac.length === 6 && read.sender_ip.length === 4, "ARP fields are whole");
  },
};

const ndp: Target = {
  next: (mutator) => mutator.mutated(FRAMES),
  check(frame) {
    const read = parseNeighbour(frame);
    if (read !== null) demand(read.target.length === 16, "the target is a whole address");
  },
};

/** Frames of strangers and spoilt ones change nothing: the same backup, the same term, the gate shut. */
const stranger: Target = {
  next: (mutator) => mutator.mutated(FRAMES),
  check(frame) {
    const { two, now_ms } = converse(30);
    const before = { role: two.role, term: two.term, peer: two.peer?.sequence };
    demand(before.role === "backup", "the pair has settled");
    const output = two.step(
      now_ms + 1,
      [0, 1, 2].map((slot) => ({ type: "frame", slot, frame }) as const),
    );
    demand(!output.hold && two.role === "backup" && two.term === before.term, "no frame of a stranger makes a claim");
    demand(two.peer?.sequence === before.peer, "nothing of a stranger is believed");
  },
};

/** Whatever the peer says under the right key, the core does not throw and its answers agree with one another. */
const election: Target = {
  next(mutator) {
    const many = Array.from({ length: 20 }, () => {
      const frame = mutator.mutated(FRAMES).slice(0, 255);
      return isHeartbeat(frame) && mutator.below(4) > 0 ? sealed(frame) : frame;
    });
    return new Uint8Array(Buffer.concat(many.flatMap((frame) => [Uint8Array.of(frame.length), frame])));
  },
  check(bytes) {
    const node = new Election(configurationOf(2, false), 0);
    let term = 0;
    let now_ms = 0;
    for (let at = 0; at < bytes.length; at += 1 + (bytes[at] ?? 0)) {
      now_ms += (at * 7) % 40;
      const frame = bytes.subarray(at + 1, at + 1 + (bytes[at] ?? 0));
      const output = node.step(now_ms, [
        { type: "carrier", slot: at % 2, up: true },
        { type: "frame", slot: at % 2, frame },
      ]);
      demand(output.hold === (node.role === "active"), "the gate is open exactly while active");
      demand(!output.open_lease || output.hold, "a lease is opened only to hold");
      demand(node.term >= term && Number.isSafeInteger(node.term), "terms only rise");
      demand(Number.isFinite(output.wake_ms), "the core wakes again");
      term = node.term;
    }
  },
};

const cards = (n: number) => [0, 1].map((i) => ({ nic: i === 0 ? "lan0" : "clu0", mac: `02:00:00:00:0${n}:0${i}` }));
const introduction = (name: string, n: number): Introduction => ({
  name,
  version: "0.1.0",
  build: 1,
  cards: cards(n),
  cluster: cards(n)[1] as Introduction["cluster"],
});
const keys = [cryptography(), cryptography()] as const;

function newPair(): { joiner: Joiner; creator: Creator } {
  const given = { settings: {}, settings_revision: 1 };
  return {
    joiner: new Joiner(keys[0], introduction("two", 2)),
    creator: new Creator(keys[1], introduction("one", 1), [{ mine: "lan0", theirs: "lan0" }], given),
  };
}

const MESSAGES: Message[] = (() => {
  const { joiner, creator } = newPair();
  const offer = joiner.say();
  creator.hear(offer);
  const [grant] = creator.say() as [Message];
  joiner.hear(grant);
  const ready = joiner.say();
  creator.hear(ready);
  creator.stored();
  const refuse: Message = { kind: "refuse", to: keys[0].public_key, code: "x", message: "y" };
  return [offer, grant, ready, ...creator.say(), refuse];
})();

const pairing: Target = {
  next: (mutator) =>
    mutator.below(3) === 0
      ? mutator.mutated(MESSAGES.map(encode))
      : encode(mutator.mutatedJson(mutator.pick(MESSAGES))),
  check(body) {
    const { joiner, creator } = newPair();
    const message = parseMessage(body);
    if (message === null) return;
    onlyFailures(() => joiner.hear(message));
    onlyFailures(() => creator.hear(message));
    creator.say();
    joiner.say();
  },
};

const PIECES = emitPieces(BROADCAST, MACS[0], 5, new Uint8Array(3000).fill(65));
const pieces: Target = {
  next: (mutator) => mutator.mutated(PIECES),
  check(frame) {
    const assembly = new Assembly();
    for (const one of [...PIECES.slice(0, 2), frame, ...PIECES]) {
      const piece = parsePiece(one);
      if (piece !== null) demand((assembly.take(piece)?.length ?? 0) <= 128 * 1400, "a message has a bound");
    }
  },
};

const ANSWERS = [
  // RTM_NEWLINK of lo and of a veth, RTM_NEWADDR, RTM_NEWROUTE, and an nf_tables element list, as attributes nest.
  answerOf(16, 16, { 3: Buffer.from("lo\0"), 1: Buffer.alloc(6), 4: Buffer.alloc(4), 18: nested(1, "veth\0") }),
  answerOf(20, 8, { 1: Buffer.from(IP), 2: Buffer.from(IP) }),
  answerOf(24, 12, { 5: Buffer.from(IP), 4: Buffer.alloc(4) }),
  answerOf(0x0a0c, 4, { 3: nested(1, nested(1, nested(1, "\x01\0"))) }),
  changesRequest(1, []),
].filter((answer) => answer.length > 0);

function attribute(type: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(4 + payload.length, 0);
  head.writeUInt16LE(type, 2);
  return Buffer.concat([head, payload, Buffer.alloc((4 - (payload.length % 4)) % 4)]);
}

function nested(type: number, payload: Uint8Array | string): Buffer {
  return attribute(type, typeof payload === "string" ? Buffer.from(payload) : payload);
}

function answerOf(type: number, header_bytes: number, attributes: Record<number, Uint8Array>): Uint8Array {
  const list = Object.entries(attributes).map(([key, payload]) => attribute(Number(key), payload));
  const payload = Buffer.concat([Buffer.alloc(header_bytes), ...list]);
  const head = Buffer.alloc(16);
  head.writeUInt32LE(16 + payload.length, 0);
  head.writeUInt16LE(type, 4);
  return new Uint8Array(Buffer.concat([head, payload]));
}

const netlink: Target = {
  next: (mutator) => mutator.mutated(ANSWERS),
  check(datagram) {
    onlyFailures(() => {
      const messages = readMessages(datagram);
      for (const read of [readLinks, readAddresses, readDefaultGateways, readElements])
        onlyFailures(() => void read(messages));
    });
  },
};

const records: Target = {
  next: (mutator) => mutator.mutated(ANSWERS),
  check(bytes) {
    let count = 0;
    for (const { payload } of readRecords(bytes, bytes.length)) {
      demand(payload.length <= bytes.length, "a record lies in its buffer");
      demand(++count <= bytes.length, "reading records ends");
    }
  },
};

const ORDERS = ['{"type":"alive"}\n', '{"type":"switch","id":4}\n{"type":"stop","id":1}\n'].map((text) =>
  new TextEncoder().encode(text),
);
const lines: Target = {
  next: (mutator) => mutator.mutated(ORDERS),
  check(bytes) {
    const whole = new Lines(64);
    const parts = new Lines(64);
    const at_once = whole.take(bytes).map(parseToHeart);
    const one_by_one = [...bytes].flatMap((byte) => parts.take(Uint8Array.of(byte))).map(parseToHeart);
    if (bytes.length <= 64) demand(Bun.deepEquals(at_once, one_by_one), "cuts in the stream do not matter");
  },
};

const SETTINGS = {
  server: { name: "node-a" },
  interfaces: [
    { nic: "lan0", role: "internal", addresses: ["10.1.0.1/24", "fd00::1/64"], heartbeat: true },
    { nic: "wan0", role: "external", addresses: ["10.2.0.1/24"], gateway: "10.2.0.254" },
  ],
  cluster: { interval_ms: 8, lease_ms: 20, on_link_loss: "switch" },
};
const settings: Target = {
  next: (mutator) => encode(mutator.mutatedJson(mutator.below(2) === 0 ? SETTINGS : mutator.mutatedJson(SETTINGS))),
  check(text) {
    onlyFailures(() => {
      const read = parseSettings(JSON.parse(decode(text)));
      demand(Bun.deepEquals(parseSettings(JSON.parse(JSON.stringify(read))), read), "what was read can be read again");
    });
  },
};

function storeTarget(): Target {
  const directory = mkdtempSync(join(tmpdir(), "understudy-fuzz-"));
  process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
  const store = new Store(directory);
  const value = { id: "00000001", node: 1, matches: SETTINGS.interfaces };
  const digest = new Bun.CryptoHasher("sha256").update(JSON.stringify(value)).digest("hex");
  const file = encode({ digest, value });
  return {
    next: (mutator) => mutator.mutated([file]),
    check(bytes) {
      writeFileSync(join(directory, "cluster.json"), bytes);
      onlyFailures(() =>
        demand(Bun.deepEquals(store.cluster(), value), "a damaged file is never taken for a good one"),
      );
    },
  };
}

/** Made when asked for: the store's has a directory. */
export const TARGETS: Record<string, () => Target> = {
  heartbeat: () => heartbeat,
  arp: () => arp,
  ndp: () => ndp,
  stranger: () => stranger,
  election: () => election,
  pairing: () => pairing,
  pieces: () => pieces,
  netlink: () => netlink,
  records: () => records,
  lines: () => lines,
  settings: () => settings,
  store: storeTarget,
  backup: backupTarget,
  license: licenseTarget,
};
