/**
 * What the control process and the heart say to each other: one JSON object a line, over the
 * heart's standard input and output. The control process has the disk, the sockets and the
 * administrator; the heart has the heartbeats, the election, the addresses and the gate.
 *
 * When its standard input ends, the heart hands over to its peer if it can, and exits.
 */

/** 1 is the node that created the cluster, 2 the one that joined. */
export type NodeNumber = 1 | 2;

export type InterfaceRole = "internal" | "external";

/** A data interface as the heart needs it. */
export interface DataInterface {
  nic: string;
  role: InterfaceRole;
  /** Shared addresses (the node's plain addresses while standalone), CIDR: `10.1.0.1/24`, `fd00::1/64`. */
  addresses: string[];
  /** Default gateways, one per family at most. */
  gateways: string[];
  /** The same number on both nodes, 1 to 31; 0 is the cluster network. Given at pairing, never by name or order. */
  slot: number;
  /** False turns heartbeats on this data network off (B4). */
  heartbeat: boolean;
  enabled: boolean;
  /** The peer's MAC on its matching interface, `02:00:00:00:00:01`. Absent while standalone. */
  peer_mac?: string;
}

/** Timings of the cluster; all have defaults (core/tuning.ts). */
export interface Tuning {
  interval_ms: number;
  lease_ms: number;
  detect_floor_ms: number;
  detect_ceiling_ms: number;
  listen_ms: number;
  on_link_loss: "switch" | "stay";
}

export interface ClusterConfiguration {
  /** 8 hex digits, tells clusters on one LAN apart. */
  id: string;
  /** 64 hex digits, the heartbeat key agreed at pairing. */
  key: string;
  node: NodeNumber;
  peer_name: string;
  /** The reserved card. */
  nic: string;
  /** The peer's MAC on the cluster network. */
  peer_mac: string;
  tuning: Tuning;
  /** This node has left the cluster and goes on alone; it only tells a peer that returns (S20). */
  departed: boolean;
  /** This node does not take over. */
  maintenance: boolean;
}

export interface HeartConfiguration {
  name: string;
  interfaces: DataInterface[];
  /** Absent: standalone, the node simply holds its addresses. */
  cluster?: ClusterConfiguration;
  /** Highest term known before the last stop; terms only rise. */
  term_floor: number;
  /** Revision of the settings, carried in heartbeats. */
  settings_revision: number;
  /** True in the one `configure` that follows `cluster create`: active at once, no peer can be. */
  bootstrap?: boolean;
}

export type ToHeart =
  /** Answered with `reply` where it has an id. */
  | { type: "configure"; id?: number; configuration: HeartConfiguration }
  /** Other settings, in which nothing that the heart knows has changed. */
  | { type: "revision"; settings_revision: number }
  /** Planned switch: the active node hands over. Answered with `reply`. */
  | { type: "switch"; id: number }
  /** The backup becomes active by its peer's consent. Answered with `reply`. */
  | { type: "take-over"; id: number }
  /** Hand over if active and possible, release everything, exit 0. Answered with `reply` first. */
  | { type: "stop"; id: number }
  /** Sent every second; when it stays away the heart counts the control process as hung. */
  | {
      type: "alive";
      /** Why this node should not be the active one, as part of a sentence; absent where nothing is wrong. */
      unfit?: string;
    };

export type FromHeart =
  | { type: "snapshot"; snapshot: Snapshot }
  | { type: "event"; event: HeartEvent }
  | { type: "capture"; capture: CapturePiece }
  | { type: "reply"; id: number; ok: true }
  | { type: "reply"; id: number; ok: false; code: string; message: string };

/** `departed`: alone again, and telling a peer that does not know it yet; `erased`: told so, to be reset (S20). */
export type Role = "standalone" | "listening" | "backup" | "probing" | "active" | "resuming" | "departed" | "erased";

export interface HeartEvent {
  /** kebab-case, for example `became-active`. */
  code: string;
  severity: "info" | "warning" | "error";
  /** One plain sentence. */
  message: string;
  /** Milliseconds since boot (CLOCK_BOOTTIME) at which it happened. */
  at_ms: number;
  /** Of `became-active` alone. */
  cause?: SwitchCause;
  /**
   * Of `became-active`: from the last heartbeat in which the peer said that it was active, as it was heard here, until
   * this node claimed; absent where the peer had not been active since this node was. Measured between the nodes: the
   * opening of the lease and the neighbours' learning of the new owner, which follow, are not in it; and a peer whose
   * heartbeats were lost may have served on after the last one that was heard.
   */
  outage_ms?: number;
}

/** A part of what the heart said and heard around a switch: cells (heart/cells.ts) in base64. */
export interface CapturePiece {
  /** Of the capture, since the heart was started. */
  number: number;
  piece: number;
  pieces: number;
  data: string;
  /** Of the first piece alone. */
  head?: CaptureHead;
}

export interface CaptureHead {
  /** The switch, and what happened around it, oldest first. */
  events: HeartEvent[];
  interfaces: { slot: number; nic: string; mac: string }[];
}

/** How a part of the heart says what happened. */
export type Report = (code: string, severity: HeartEvent["severity"], message: string) => void;

/** Why a node became active. `handed-over`: also where the peer looked fitter; `silence`: on evidence. */
export type SwitchCause = "created" | "handed-over" | "agreed" | "silence";

export interface PathStatus {
  nic: string;
  slot: number;
  network: "cluster" | InterfaceRole;
  carrier: boolean;
  /** False: the settings turn heartbeats off here (B4). */
  heartbeat: boolean;
  heard: boolean;
  /** Round trip, median of the recent ones; null where nothing was heard. */
  latency_ms: number | null;
  /** Share of the peer's last heartbeats that did not arrive, 0 to 1. */
  loss: number;
}

/** Sent at every change of role, and at least five times a second. */
export interface Snapshot {
  role: Role;
  term: number;
  operational: boolean;
  /** Why not operational, one sentence; null where it is. */
  reason: string | null;
  peer: {
    name: string;
    role: Role | "unknown";
    heard: boolean;
    /** It cannot become active now: it is in maintenance, stops, or something is broken there. */
    unwilling: boolean;
    version: string;
    build: number;
    settings_revision: number;
    links: { slot: number; up: boolean }[];
  } | null;
  paths: PathStatus[];
  addresses: { address: string; nic: string; held: boolean }[];
  alarms: { code: string; message: string }[];
  /** Frames dropped, by reason (`replayed`, `forged`, `foreign-cluster` …). */
  dropped: Record<string, number>;
  gate: "none" | "closed" | "open" | "broken";
  realtime: boolean;
  memory_locked: boolean;
  /** Null where the node was started without one. */
  watchdog: WatchdogStatus | null;
}

export interface WatchdogStatus {
  device: string;
  armed: boolean;
  /** Why it is not, once that is clear; null until then. */
  trouble: string | null;
}
