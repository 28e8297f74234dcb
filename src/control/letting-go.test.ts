/** Whose addresses a dead heart's node gives up. */
import { expect, test } from "bun:test";
import { DEFAULT_TUNING } from "../core/tuning.ts";
import type { HeartConfiguration } from "../heart/messages.ts";
import { letGo } from "./letting-go.ts";

const CLUSTER = {
  id: "1",
  key: "",
  node: 1,
  peer_name: "b",
  nic: "none0",
  peer_mac: "",
  departed: false,
  maintenance: false,
} as const;

/** One interface that is not there, so that whoever touches it throws. */
function configuration(cluster?: { departed: boolean }): HeartConfiguration {
  const entry = { nic: "none1", role: "internal", addresses: ["10.1.0.1/24"], gateways: [] } as const;
  return {
    name: "node-a",
    interfaces: [{ ...entry, addresses: [...entry.addresses], gateways: [], slot: 1, heartbeat: true, enabled: true }],
    ...(cluster === undefined ? {} : { cluster: { ...CLUSTER, ...cluster, tuning: DEFAULT_TUNING } }),
    term_floor: 0,
    settings_revision: 1,
  };
}

test("a member of a cluster lets go", () => expect(() => letGo(configuration({ departed: false }))).toThrow(/none1/));
test("a node on its own keeps its addresses", () => letGo(configuration()));
test("so does one that has left its cluster", () => letGo(configuration({ departed: true })));
