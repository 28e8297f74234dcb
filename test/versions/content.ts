/** What is in the kept files of every version. */
import type { Heartbeat } from "../../src/wire/heartbeat.ts";

export const KEY = "a key";
export const CLUSTER = 0xc0ffee01;
export const SENDER_MAC = Uint8Array.from([2, 0, 0, 0, 1, 1]);
export const PEER_MAC = Uint8Array.from([2, 0, 0, 0, 2, 1]);

export const HEARTBEAT: Heartbeat = {
  node: 1,
  role: "active",
  wish: false,
  unwilling: false,
  urgent: true,
  take: false,
  slot: 1,
  session: 4711,
  sequence: 7,
  challenge: 8,
  echo_session: 9,
  echo_challenge: 10,
  ack: 11,
  ack_hold_us: 12,
  term: 13,
  links: 6,
  settings_revision: 14,
  version: [0, 1, 0],
  build: 15,
};

export const SETTINGS = {
  server: { name: "node-a" },
  interfaces: [
    { nic: "lan0", role: "internal", addresses: ["10.1.0.1/24", "fd00:1::1/64"] },
    { nic: "wan0", role: "external", addresses: ["10.2.0.1/24"], gateway: "10.2.0.254" },
  ],
};
