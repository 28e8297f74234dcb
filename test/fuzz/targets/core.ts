/** Frames: their readers, and the election as it hears them from strangers and from its peer. */
import { createHmac } from "node:crypto";
import { Election } from "../../../src/core/election.ts";
import { DEFAULT_TUNING } from "../../../src/core/tuning.ts";
import type { CoreConfiguration, Input } from "../../../src/core/types.ts";
import { emitArpAnnouncement, emitArpProbe, emitArpRequest, parseArp } from "../../../src/wire/arp.ts";
import { macBytes } from "../../../src/wire/bytes.ts";
import { HEARTBEAT_FRAME_BYTES, isHeartbeat, parseHeartbeat } from "../../../src/wire/heartbeat.ts";
import { emitNeighbourAnnouncement, emitNeighbourProbe, parseNeighbour } from "../../../src/wire/ndp.ts";
import { demand, joinParts, type Target } from "../target.ts";

const KEY = Buffer.alloc(32, 7);
const TAG_AT = HEARTBEAT_FRAME_BYTES - 16;
const authenticate = (bytes: Uint8Array) => createHmac("sha256", KEY).update(bytes).digest().subarray(0, 16);
const MACS = ["02:00:00:00:01:01", "02:00:00:00:01:02"].map(macBytes) as [Uint8Array, Uint8Array];
const IP = Uint8Array.of(10, 1, 0, 1);
const IP6 = Uint8Array.of(0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
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
    maintenance: false,
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

const NEIGHBOURS: Record<string, Uint8Array> = {
  "arp-probe": emitArpProbe(MACS[0], IP),
  "arp-announcement": emitArpAnnouncement(MACS[0], IP),
  "arp-request": emitArpRequest(MACS[0], IP, IP),
  "neighbour-probe": emitNeighbourProbe(MACS[0], IP6),
  "neighbour-announcement": emitNeighbourAnnouncement(MACS[0], IP6),
  // Its end may be cut off without a change of the checksum.
  "neighbour-announcement-of-zeros": emitNeighbourAnnouncement(macBytes("02:00:00:00:00:00"), IP6),
};

/** Every frame of the first intervals of a new cluster's active node. */
const CONVERSATION = Object.fromEntries(converse(4).frames.map((frame, i) => [`sent-${i}`, frame]));
const HEARTBEATS = Object.fromEntries(Object.entries(CONVERSATION).filter(([, frame]) => isHeartbeat(frame)));
const FRAMES = { ...CONVERSATION, ...NEIGHBOURS };

/** Signed anew, as only somebody with the key can. */
function sealed(frame: Uint8Array): Uint8Array {
  if (frame.length >= HEARTBEAT_FRAME_BYTES) frame.set(authenticate(frame.subarray(14, TAG_AT)), TAG_AT);
  return frame;
}

export const heartbeat: Target = {
  base: HEARTBEATS,
  next: (mutator, corpus) =>
    mutator.below(2) === 0 ? mutator.mutated(corpus) : sealed(mutator.mutated(corpus).slice()),
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

export const arp: Target = {
  base: FRAMES,
  next: (mutator, corpus) => mutator.mutated(corpus),
  check(frame) {
    const read = parseArp(frame);
    if (read !== null) demand(read.sender_mac.length === 6 && read.sender_ip.length === 4, "ARP fields are whole");
  },
};

export const ndp: Target = {
  base: FRAMES,
  next: (mutator, corpus) => mutator.mutated(corpus),
  check(frame) {
    const read = parseNeighbour(frame);
    if (read === null) return;
    demand(read.target.length === 16, "the target is a whole address");
    const payload_bytes = new DataView(frame.buffer, frame.byteOffset).getUint16(18);
    demand(14 + 40 + payload_bytes <= frame.length, "a packet that was cut is refused");
  },
};

/** Frames of strangers and spoilt ones change nothing: the same backup, the same term, the gate shut. */
export const stranger: Target = {
  base: FRAMES,
  next: (mutator, corpus) => mutator.mutated(corpus),
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
export const election: Target = {
  base: { conversation: joinParts(Object.values(CONVERSATION)) },
  next(mutator, corpus) {
    if (mutator.below(8) === 0) return mutator.mutated(corpus);
    const frames = Object.values(FRAMES);
    const many = Array.from({ length: 20 }, () => {
      const frame = mutator.mutated(frames).slice(0, 255);
      return isHeartbeat(frame) && mutator.below(4) > 0 ? sealed(frame) : frame;
    });
    return joinParts(many);
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
