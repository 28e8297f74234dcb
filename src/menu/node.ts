/** What the menu knows of the node: the answers of the control socket that it shows, and nothing behind it. */
import { ask } from "../cli/client.ts";

/** The part of `GET /status` that the menu shows. */
export interface NodeStatus {
  name: string;
  version: string;
  build: number;
  role: string;
  operational: boolean;
  reason: string | null;
  peer: { name: string; role: string; heard: boolean } | null;
  addresses: { address: string; nic: string; held: boolean }[];
  alarms: { message: string }[];
  settings_revision: number;
  web?: { address: string; port: number; fingerprint: string } | null;
  sync?: { state: string; revision?: number; peer_revision?: number } | null;
  pairing?: PairingStatus | null;
}

export interface PairingStatus {
  side: string;
  state?: string;
  /** Six digits, on the side that shows them. */
  code?: string | null;
  seconds_left?: number;
  waiting?: string | null;
}

export interface InterfaceEntry {
  nic: string;
  role: "internal" | "external";
  addresses: string[];
  gateway?: string;
  gateway6?: string;
  enabled?: boolean;
}

export interface NodeSettings {
  server: { name: string };
  interfaces: InterfaceEntry[];
  dns?: { servers: string[] };
  web?: { outside: boolean };
}

export interface NodeCard {
  nic: string;
  mac: string;
  driver?: string;
  link?: boolean;
  speed_mbps?: number | null;
  /** `missing` or `new`, where the names of the cards are kept. */
  state?: string | null;
  /** `free` where nothing uses it. */
  used_as?: string;
}

/** Long enough for a busy node, short enough that a hung one is shown as such. */
const STATUS_MS_MAX = 3000;
/** Stands in the settings' history for who changed them. */
const AUTHOR = "console";

export class NodeDoor {
  readonly #run: string;

  constructor(run: string) {
    this.#run = run;
  }

  /** Throws Failure as the node refuses. */
  async ask<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
    return await ask<T>(this.#run, method, path, body, signal);
  }

  status(): Promise<NodeStatus> {
    return this.ask<NodeStatus>("GET", "/status", undefined, AbortSignal.timeout(STATUS_MS_MAX));
  }

  settings(): Promise<NodeSettings> {
    return this.ask<NodeSettings>("GET", "/settings");
  }

  cards(): Promise<NodeCard[]> {
    return this.ask<NodeCard[]>("GET", "/cards");
  }

  /** `alone`: also where the backup is there and cannot store it. What is to be known of the change, a sentence each. */
  async change(set: Record<string, unknown>, { alone = false } = {}): Promise<string[]> {
    const path = `/settings?author=${AUTHOR}${alone ? "&alone=1" : ""}`;
    const { notes = [] } = await this.ask<{ notes?: { message: string }[] }>("PATCH", path, { set });
    return notes.map(({ message }) => message);
  }
}
