/**
 * conntrackd, which keeps the connections of the active node in the backup's kernel too, so that they go on after a switch:
 * how it is configured, and what it has to be told when.
 *
 * It reads every change of the kernel's table and sends it at once, over UDP on the cluster network; what it receives goes
 * straight into the kernel (no external cache), so that a takeover has nothing to do. The gate lets these packets out of a
 * node that holds the lease alone, and into one that does not (kernel/gate-rules.ts): a node that has lost the role tells
 * nobody anything, whatever it still believes.
 *
 * It is told in a mode without acknowledgements. What gets lost, and the age of entries that change nothing (a stream of
 * UDP), is made good by sending the whole table now and then.
 */

import { CONNECTIONS_PORT } from "../kernel/gate-rules.ts";

export interface ConntrackFacts {
  nic: string;
  own_address: string;
  peer_address: string;
  /** Addresses of the node itself: connections that end here cannot go on elsewhere. With or without prefix. */
  ignored: string[];
  /** How many connections the kernel takes. */
  connections_max: number;
  /** Of the run directory. */
  directory: string;
}

/** The most that a socket keeps while its reader is busy: some 100,000 states on their way. */
const SOCKET_BYTES = 32 << 20;
const NETLINK_BYTES = 8 << 20;
const NETLINK_BYTES_MAX = 64 << 20;

export const controlSocket = (directory: string): string => `${directory}/conntrackd.ctl`;
export const lockFile = (directory: string): string => `${directory}/conntrackd.lock`;
export const configurationFile = (directory: string): string => `${directory}/conntrackd.conf`;

/** Its reader takes a word of up to four hexadecimal digits for a part of an address, and no quotes. */
export function isNameable(nic: string): boolean {
  return /^[a-zA-Z][\w.-]*$/.test(nic) && !/^[0-9a-fA-F]{1,4}$/.test(nic);
}

export function conntrackConfiguration(facts: ConntrackFacts): string {
  const { nic, own_address, peer_address, connections_max, directory } = facts;
  const ignored = [
    "127.0.0.0/8",
    "::1",
    "fe80::/10",
    "ff00::/8",
    ...facts.ignored.map((text) => text.split("/")[0] ?? text),
  ];
  const lines = [...new Set(ignored)].map((text) => `IPv${text.includes(":") ? 6 : 4}_address ${text}`);
  // Half-open connections are left out: a flood of them stays on the node that it hits. A priority of 0 does not exist,
  // so that it stays without real-time priority, which it would take by itself and in which it could starve everybody.
  return `Sync {
  Mode NOTRACK {
    DisableExternalCache yes
  }
  UDP {
    IPv6_address ${own_address}
    IPv6_Destination_Address ${peer_address}
    Port ${CONNECTIONS_PORT}
    Interface ${nic}
    SndSocketBuffer ${SOCKET_BYTES}
    RcvSocketBuffer ${SOCKET_BYTES}
    Checksum on
  }
}
General {
  Systemd no
  LogFile no
  Syslog no
  HashSize ${Math.max(1024, Math.ceil(connections_max / 8))}
  HashLimit ${connections_max * 2}
  LockFile ${lockFile(directory)}
  UNIX {
    Path ${controlSocket(directory)}
  }
  Scheduler {
    Type RR
    Priority 0
  }
  NetlinkBufferSize ${NETLINK_BYTES}
  NetlinkBufferSizeMaxGrowth ${NETLINK_BYTES_MAX}
  Filter From Userspace {
    State Accept {
      ESTABLISHED FIN_WAIT CLOSE_WAIT LAST_ACK TIME_WAIT CLOSED for TCP
    }
    Address Ignore {
      ${lines.join("\n      ")}
    }
  }
}
`;
}

/** Orders of its control socket, each a run of the same program. */
export type Order = "forget" | "look" | "send" | "answer";
export const ORDER_WORDS: Record<Order, string[]> = {
  /** What it knows of its own kernel's table. */
  forget: ["-f", "internal"],
  look: ["-R"],
  send: ["-B"],
  /** Nothing but a sign of life. */
  answer: ["-s", "network"],
};

export interface DutyFacts {
  running: boolean;
  is_active: boolean;
  peer_heard: boolean;
  /** In the kernel's table. */
  connections: number;
}

/** The peer's own one is up by then. */
const PEER_READY_MS = 2000;
const REFRESH_MS_MIN = 30_000;
/** A large table takes its time on both nodes. */
const REFRESH_MS_PER_CONNECTION = 1;

/** What it has to be told, when. Pure: time and facts come in. */
export class ConntrackDuties {
  #was: DutyFacts = { running: false, is_active: false, peer_heard: false, connections: 0 };
  #due_ms = Number.POSITIVE_INFINITY;

  step(now_ms: number, facts: DutyFacts): Order[] {
    const was = this.#was;
    this.#was = facts;
    const { running, is_active, peer_heard, connections } = facts;
    if (!running) return [];
    const has_begun = !was.running || !was.is_active;
    // What it remembers from its last time as the active node has been somebody else's matter since.
    if (!is_active && (!was.running || was.is_active)) return this.#then(now_ms, "forget");
    if (is_active && !peer_heard && has_begun) return this.#then(now_ms, "forget", "look");
    if (!is_active || !peer_heard) return now_ms < this.#due_ms ? [] : this.#then(now_ms, "answer");
    if (has_begun || !was.peer_heard) this.#due_ms = now_ms + PEER_READY_MS;
    if (has_begun) return ["forget", "look", "send"];
    if (now_ms < this.#due_ms) return [];
    this.#due_ms = now_ms + Math.max(REFRESH_MS_MIN, connections * REFRESH_MS_PER_CONNECTION);
    return ["look", "send"];
  }

  #then(now_ms: number, ...orders: Order[]): Order[] {
    this.#due_ms = now_ms + REFRESH_MS_MIN;
    return orders;
  }
}
