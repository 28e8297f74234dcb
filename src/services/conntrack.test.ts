import { expect, test } from "bun:test";
import { ConntrackDuties, conntrackConfiguration, isNameable } from "./conntrack.ts";

const facts = {
  nic: "eth2",
  own_address: "fe80::1111:2222:1",
  peer_address: "fe80::1111:2222:2",
  ignored: ["10.1.0.1/24", "fd00:1::1/64", "10.1.0.1/32"],
  connections_max: 262_144,
  directory: "/run/understudy/services",
};

test("the configuration: addresses of the nodes are ignored, each once, without prefix", () => {
  const text = conntrackConfiguration(facts);
  const lines = text.split("\n").map((line) => line.trim());
  expect(lines).toContain("IPv6_address fe80::1111:2222:1");
  expect(lines).toContain("IPv6_Destination_Address fe80::1111:2222:2");
  expect(lines).toContain("Interface eth2");
  expect(lines).toContain("DisableExternalCache yes");
  expect(lines.filter((line) => line.includes("10.1.0.1"))).toEqual(["IPv4_address 10.1.0.1"]);
  expect(lines).toContain("IPv6_address fd00:1::1");
  expect(lines).toContain("IPv6_address fe80::/10");
  // One that does not exist, or it would take the highest by itself.
  expect(text).toMatch(/Scheduler \{\s+Type RR\s+Priority 0\s+\}/);
  expect(text).not.toContain("SYN_");
});

test.each([
  ["eth2", true],
  ["enp3s0", true],
  ["br-lan", true],
  ["eth0.5", true],
  ["c0", false],
  ["dad", false],
  ["dead", false],
  ["dead0", true],
  ["0lan", false],
  ["lan 0", false],
])("a card called %p can be named: %p", (nic, can) => expect(isNameable(nic)).toBe(can));

const backup = { running: true, is_active: false, peer_heard: true, connections: 0 };
const active = { ...backup, is_active: true };

test("an active node begins with its kernel's table and sends it; again when the peer's is up, and now and then", () => {
  const duties = new ConntrackDuties();
  expect(duties.step(0, { ...active, running: false })).toEqual([]);
  expect(duties.step(10, active)).toEqual(["forget", "look", "send"]);
  expect(duties.step(1000, active)).toEqual([]);
  expect(duties.step(2100, active)).toEqual(["look", "send"]);
  expect(duties.step(32_000, active)).toEqual([]);
  expect(duties.step(32_200, active)).toEqual(["look", "send"]);
});

test("a large table is sent less often", () => {
  const duties = new ConntrackDuties();
  const large = { ...active, connections: 100_000 };
  duties.step(0, large);
  expect(duties.step(2000, large)).toEqual(["look", "send"]);
  expect(duties.step(101_000, large)).toEqual([]);
  expect(duties.step(102_000, large)).toEqual(["look", "send"]);
});

test("a peer that comes back is sent all of it once it had time to start", () => {
  const duties = new ConntrackDuties();
  expect(duties.step(0, { ...active, peer_heard: false })).toEqual(["forget", "look"]);
  expect(duties.step(5000, active)).toEqual([]);
  expect(duties.step(7000, active)).toEqual(["look", "send"]);
});

test("a backup forgets what it knew as the active node, and only shows now and then that it is there", () => {
  const duties = new ConntrackDuties();
  duties.step(0, active);
  expect(duties.step(100, backup)).toEqual(["forget"]);
  expect(duties.step(200, backup)).toEqual([]);
  expect(duties.step(30_100, backup)).toEqual(["answer"]);
  expect(duties.step(30_200, active)).toEqual(["forget", "look", "send"]);
});

test("one that was started again is told again", () => {
  const duties = new ConntrackDuties();
  duties.step(0, active);
  duties.step(100, { ...active, running: false });
  expect(duties.step(200, active)).toEqual(["forget", "look", "send"]);
});
