/** What goes into the replication engine and comes out of it. */
import type { HeartEvent } from "../heart/messages.ts";
import type { Chain, Revision } from "../settings/chain.ts";
import type { Local } from "../settings/shared.ts";
import type { Message } from "./messages.ts";

export interface EngineOptions {
  chain: Chain;
  version: string;
  build: number;
  peer_name: string;
  /** Why shared settings from the peer are not acceptable, one sentence without its full stop; null where they are. */
  objection(content: string): string | null;
  /** A name for revisions of ours that give way. */
  nameKept(): string;
  /** Fewer than BATCH_REVISIONS_MAX at once. */
  batch_revisions?: number;
}

/** What the heart says about this node and its peer. */
export interface Situation {
  active: boolean;
  term: number;
  /** The peer is heard on any path. */
  peer_heard: boolean;
}

/** A change that somebody waits for. */
export interface Proposal {
  /** A child of the newest one. */
  revision: Revision;
  /** Store it on this node even where the peer, though heard, does not take it. */
  alone: boolean;
  /** What is stored with it on this node and never travels. */
  local?: Local;
}

/** Where a change is: on the disks of both nodes, or on this node's alone. */
export type Verdict =
  | { ok: true; revision: Revision; on: "both" | "alone" }
  | { ok: false; code: string; message: string };

export type EngineEvent = Pick<HeartEvent, "code" | "severity" | "message">;

/** To be carried out in the order of its fields. */
export interface Output {
  events: EngineEvent[];
  /** The newest revision is another one: what depends on the settings is to follow. */
  moved: boolean;
  messages: Message[];
  /** Ends the connection, after the messages; why, as a sentence. */
  close: string | null;
  /** Of the proposal under way. */
  verdict: Verdict | null;
}

export type SyncState = "in-sync" | "behind" | "ahead" | "diverged" | "away" | "standalone";

export interface Sync {
  state: SyncState;
  revision: number;
  /** Null where the peer has not said it. */
  peer_revision: number | null;
}
