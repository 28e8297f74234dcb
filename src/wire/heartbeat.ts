/**
 * The heartbeat: one Ethernet frame that says who is sending, in which role and term, how its links
 * are, and what it has heard from the peer. The same heartbeat goes out on every path.
 *
 * The first payload byte is 1 only while the sender is active. The gate in the kernel matches it as
 * the frame leaves and renews the lease (kernel/gate.ts), so it comes first and nothing else uses it.
 *
 * Against replay, every frame names the sender's session (random, one per start) and a rising
 * sequence number, and repeats the peer's session, challenge and last sequence number that the
 * sender has heard (core/conversation.ts says how they are used). Authenticated with HMAC-SHA256
 * (RFC 2104) under the cluster's key, cut to 128 bits, over everything from the first payload byte,
 * the sender's MAC and path included: a frame that is moved to another path or MAC is a forgery.
 */
import { equalTags, getU16, getU32, getU64, setU16, setU32, setU64 } from "./bytes.ts";
import { ETHER_TYPE, ETHERNET_HEADER_BYTES, emitEthernet, etherType, sourceMac } from "./ethernet.ts";

export const WIRE_VERSION = 1;
export const FRAME_TYPE = { heartbeat: 1, pairing: 2, segment: 3 } as const;

/**
 * Roles on the wire; the order is the number. The last two end a cluster: `departed` has left it with its
 * settings, and `erased` has heard that and is being reset.
 */
export const WIRE_ROLES = ["listening", "backup", "probing", "active", "resuming", "departed", "erased"] as const;
export type WireRole = (typeof WIRE_ROLES)[number];

const P = ETHERNET_HEADER_BYTES;
const CLAIM = P;
const VERSION = P + 1;
const TYPE = P + 2;
const NODE = P + 3;
const CLUSTER = P + 4;
const ROLE = P + 8;
const FLAGS = P + 9;
const SLOT = P + 10;
const RESERVED = P + 11;
const MAC = P + 12;
// Two bytes of padding (zero) keep the 64-bit fields aligned.
const SESSION = P + 20;
const SEQUENCE = P + 28;
const CHALLENGE = P + 36;
const ECHO_SESSION = P + 40;
const ECHO_CHALLENGE = P + 48;
const ACK = P + 52;
const ACK_HOLD_US = P + 60;
const TERM = P + 64;
const LINKS = P + 72;
const SETTINGS_REVISION = P + 76;
const SOFTWARE = P + 84;
const BUILD = P + 90;
const TAG = P + 94;
const TAG_BYTES = 16;

export const HEARTBEAT_FRAME_BYTES = TAG + TAG_BYTES;

const FLAG_WISH = 1;
const FLAG_UNWILLING = 2;
const FLAG_URGENT = 4;
const FLAG_TAKE = 8;

/** What a heartbeat says. Numbers are whole and at most 2^53 - 1 where 64 bits wide on the wire. */
export interface Heartbeat {
  node: 1 | 2;
  role: WireRole;
  /** The sender asks its peer's consent to claim the term it shows. */
  wish: boolean;
  /** The sender must not become active (stopping, maintenance). */
  unwilling: boolean;
  /** The sender waits for an answer: the peer sends its next heartbeat at once. */
  urgent: boolean;
  /** The sender is the backup and asks the active node to hand over to it. */
  take: boolean;
  /** Path the frame travels: 0 the cluster network, else the data interface's slot. */
  slot: number;
  session: number;
  sequence: number;
  /** What the peer has to repeat before a new session of it is believed. */
  challenge: number;
  echo_session: number;
  echo_challenge: number;
  /** Highest sequence number heard from the peer's session, 0 for none. */
  ack: number;
  /** Microseconds between hearing that one and sending this. */
  ack_hold_us: number;
  /** Highest term the sender knows; odd terms belong to node 1, even ones to node 2. */
  term: number;
  /** Data links that are up: bit n is slot n. */
  links: number;
  settings_revision: number;
  /** major, minor, patch. */
  version: readonly [number, number, number];
  build: number;
}

/** 16 bytes of HMAC over what is given; injected, so that this folder needs no cryptography of its own. */
export type Authenticator = (bytes: Uint8Array) => Uint8Array;

export type HeartbeatRefusal = "truncated" | "wrong-version" | "foreign-cluster" | "forged" | "malformed";

/** True for a frame of our EtherType that says it is a heartbeat. */
export function isHeartbeat(frame: Uint8Array): boolean {
  return etherType(frame) === ETHER_TYPE.understudy && frame[TYPE] === FRAME_TYPE.heartbeat;
}

/**
 * Reads a heartbeat. `cluster` is the cluster's id (32 bits). Returns the reason as a string where
 * the frame is refused; nothing of a refused frame may be believed.
 */
export function parseHeartbeat(
  frame: Uint8Array,
  cluster: number,
  authenticate: Authenticator,
): Heartbeat | HeartbeatRefusal {
  if (frame.length < HEARTBEAT_FRAME_BYTES) return "truncated";
  if (frame[VERSION] !== WIRE_VERSION) return "wrong-version";
  if (getU32(frame, CLUSTER) !== cluster) return "foreign-cluster";
  if (!equalTags(authenticate(frame.subarray(P, TAG)), frame.subarray(TAG, TAG + TAG_BYTES))) return "forged";
  // The tag covers the MAC inside; the header's must be the same, or the frame was sent on by somebody else.
  const mac = sourceMac(frame);
  for (let i = 0; i < 6; i++) if (mac[i] !== frame[MAC + i]) return "forged";

  const node = frame[NODE];
  const role = WIRE_ROLES[frame[ROLE] ?? 255];
  const slot = frame[SLOT] ?? 255;
  if ((node !== 1 && node !== 2) || role === undefined || slot > 31) return "malformed";
  if (frame[CLAIM] !== (role === "active" ? 1 : 0)) return "malformed";
  const flags = frame[FLAGS] ?? 0;
  const numbers = [SESSION, SEQUENCE, ECHO_SESSION, ACK, TERM, SETTINGS_REVISION].map((at) => getU64(frame, at));
  const [session = -1, sequence = -1, echo_session = -1, ack = -1, term = -1, settings_revision = -1] = numbers;
  if (numbers.some((number) => number > Number.MAX_SAFE_INTEGER)) return "malformed";
  return {
    node,
    role,
    wish: (flags & FLAG_WISH) !== 0,
    unwilling: (flags & FLAG_UNWILLING) !== 0,
    urgent: (flags & FLAG_URGENT) !== 0,
    take: (flags & FLAG_TAKE) !== 0,
    slot,
    session,
    sequence,
    challenge: getU32(frame, CHALLENGE),
    echo_session,
    echo_challenge: getU32(frame, ECHO_CHALLENGE),
    ack,
    ack_hold_us: getU32(frame, ACK_HOLD_US),
    term,
    links: getU32(frame, LINKS),
    settings_revision,
    version: [getU16(frame, SOFTWARE), getU16(frame, SOFTWARE + 2), getU16(frame, SOFTWARE + 4)],
    build: getU32(frame, BUILD),
  };
}

/** The frame of a heartbeat from `mac` to `destination`. */
export function emitHeartbeat(
  heartbeat: Heartbeat,
  cluster: number,
  mac: Uint8Array,
  destination: Uint8Array,
  authenticate: Authenticator,
): Uint8Array {
  const frame = new Uint8Array(HEARTBEAT_FRAME_BYTES);
  emitEthernet(frame, destination, mac, ETHER_TYPE.understudy);
  frame[CLAIM] = heartbeat.role === "active" ? 1 : 0;
  frame[VERSION] = WIRE_VERSION;
  frame[TYPE] = FRAME_TYPE.heartbeat;
  frame[NODE] = heartbeat.node;
  setU32(frame, CLUSTER, cluster);
  frame[ROLE] = WIRE_ROLES.indexOf(heartbeat.role);
  frame[FLAGS] =
    (heartbeat.wish ? FLAG_WISH : 0) |
    (heartbeat.unwilling ? FLAG_UNWILLING : 0) |
    (heartbeat.urgent ? FLAG_URGENT : 0) |
    (heartbeat.take ? FLAG_TAKE : 0);
  frame[SLOT] = heartbeat.slot;
  frame[RESERVED] = 0;
  frame.set(mac, MAC);
  setU64(frame, SESSION, heartbeat.session);
  setU64(frame, SEQUENCE, heartbeat.sequence);
  setU32(frame, CHALLENGE, heartbeat.challenge);
  setU64(frame, ECHO_SESSION, heartbeat.echo_session);
  setU32(frame, ECHO_CHALLENGE, heartbeat.echo_challenge);
  setU64(frame, ACK, heartbeat.ack);
  setU32(frame, ACK_HOLD_US, Math.min(0xffffffff, Math.max(0, Math.round(heartbeat.ack_hold_us))));
  setU64(frame, TERM, heartbeat.term);
  setU32(frame, LINKS, heartbeat.links);
  setU64(frame, SETTINGS_REVISION, heartbeat.settings_revision);
  heartbeat.version.forEach((part, i) => {
    setU16(frame, SOFTWARE + i * 2, part);
  });
  setU32(frame, BUILD, heartbeat.build);
  frame.set(authenticate(frame.subarray(P, TAG)), TAG);
  return frame;
}
