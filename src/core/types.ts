/** What goes into the core and what comes out of it. All times are milliseconds of one monotonic clock. */
import type { HeartEvent, NodeNumber, Tuning } from "../heart/messages.ts";
import type { Authenticator, WireRole } from "../wire/heartbeat.ts";
import type { Verdict } from "./verdicts.ts";

/** A way to the peer: slot 0 is the cluster network, the others are data interfaces. */
export interface CorePath {
  slot: number;
  /** Name for people, in events. */
  nic: string;
  mac: Uint8Array;
  peer_mac: Uint8Array;
  /** False: no heartbeats on it, but probes and announcements all the same (B4). */
  heartbeat: boolean;
}

export interface SharedAddress {
  slot: number;
  /** 4 or 16 bytes. */
  ip: Uint8Array;
  text: string;
}

export interface Gateway {
  slot: number;
  ip: Uint8Array;
  text: string;
}

export interface CoreConfiguration {
  node: NodeNumber;
  cluster: number;
  authenticate: Authenticator;
  /** Random, 1 to 2^53 - 1, new at every start. */
  session: number;
  peer_name: string;
  paths: CorePath[];
  addresses: SharedAddress[];
  gateways: Gateway[];
  tuning: Tuning;
  term_floor: number;
  settings_revision: number;
  version: readonly [number, number, number];
  build: number;
  /** Active from the first step: this node has just created the cluster, nobody else can be. */
  bootstrap: boolean;
  /** This node has left the cluster with its settings, and says so to a peer that does not know it yet (S20). */
  departed: boolean;
  /** This node does not take over, whatever happens to the active one: somebody works on it. */
  maintenance: boolean;
}

export type Input =
  | { type: "frame"; slot: number; frame: Uint8Array }
  | { type: "carrier"; slot: number; up: boolean }
  /** Hand over to the peer. Answered by `Output.answers` with the same id. */
  | { type: "switch"; id: number }
  /** The backup asks the active node to hand over to it. Answered when it has. */
  | { type: "take-over"; id: number }
  /** Hand over if active and possible, never become active again. Answered when done. */
  | { type: "stop"; id: number }
  /** The control process hangs: whoever is active elsewhere does better. */
  | { type: "impaired"; impaired: boolean; reason?: string }
  /** The gate is broken and cannot be mended: a node without a gate must not be active. */
  | { type: "gate"; broken: boolean }
  /**
   * What the last step wanted was done more than PROMPT_MS after it, or not at all: its frames left late, and its
   * lease was not opened.
   */
  | { type: "late" };

export interface OutgoingFrame {
  slot: number;
  frame: Uint8Array;
}

export interface Answer {
  id: number;
  failure: { code: string; message: string } | null;
}

/** What the core wants done, in the order of the fields. */
export interface Output {
  role: WireRole;
  /** First duty, where false: shut the gate, before any frame leaves. The addresses go last. */
  hold: boolean;
  /**
   * Where `hold`: (re)open the lease explicitly, after adding the addresses and before the frames leave, and only
   * promptly: a node that slept since the step must not act on what was true then.
   */
  open_lease: boolean;
  frames: OutgoingFrame[];
  events: HeartEvent[];
  answers: Answer[];
  /** What became of each frame of this step's inputs, in their order: for whoever keeps captures. */
  verdicts: Verdict[];
  /** When the core wants its next step, at the latest. */
  wake_ms: number;
}

export function emptyOutput(): Output {
  return {
    role: "listening",
    hold: false,
    open_lease: false,
    frames: [],
    events: [],
    answers: [],
    verdicts: [],
    wake_ms: 0,
  };
}
