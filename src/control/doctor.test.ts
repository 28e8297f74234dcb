/** The doctor's findings, a fact at a time: what is bad and what is a warning. */
import { expect, test } from "bun:test";
import { NO_UPDATES } from "../../test/update/none.ts";
import type { CardReport } from "./cards.ts";
import { diagnose } from "./doctor.ts";
import type { Facts } from "./doctor-facts.ts";

const path = (nic: string, slot: number, heard = true) => ({
  nic,
  slot,
  network: slot === 0 ? ("cluster" as const) : ("internal" as const),
  carrier: true,
  heartbeat: true,
  heard,
  latency_ms: 0.1,
  loss: 0,
});

const card = (nic: string, used_as: CardReport["used_as"]): CardReport => ({
  nic,
  mac: "02:00:00:00:00:01",
  driver: "e1000e",
  model: "8086:10D3",
  up: true,
  link: true,
  speed_mbps: 1000,
  used_as,
  state: null,
  next_nic: null,
});

const peer = {
  name: "node-b",
  role: "backup" as const,
  heard: true,
  unwilling: false,
  version: "0.1.0",
  build: 1,
  settings_revision: 1,
  links: [],
  uptime_s: 60,
};

const STATUS: Facts["status"] = {
  name: "node-a",
  version: "0.1.0",
  build: 1,
  uptime_s: 60,
  update: NO_UPDATES,
  web: null,
  role: "active",
  term: 1,
  operational: true,
  reason: null,
  peer,
  paths: [path("clu0", 0), path("lan0", 1)],
  addresses: [{ address: "10.1.0.1/24", nic: "lan0", held: true }],
  alarms: [],
  dropped: {},
  gate: "open",
  realtime: true,
  memory_locked: true,
  watchdog: null,
  settings_revision: 1,
  pairing: null,
  maintenance: false,
  sync: { state: "in-sync", revision: 1, peer_revision: 1, since: "2026-11-24T10:00:00.000Z" },
  license: { state: "valid", message: "", holder: null, serial: null, issued: null, until: null },
  switches: [],
  services: [],
};

const FACTS: Facts = {
  missing_rights: [],
  kernel_release: "6.18.5-amd64",
  nftables_trouble: null,
  firewall_trouble: null,
  clock_ms: Date.UTC(2026, 10, 24),
  state_directory: "/var/lib/understudy",
  state_trouble: null,
  free_bytes: 1 << 30,
  cards: [card("lan0", "internal"), card("clu0", "cluster")],
  missing_cards: [],
  links: [{ nic: "lan0", link: true }],
  interfaces: [{ nic: "lan0", enabled: true }],
  in_cluster: true,
  cluster_nic: "clu0",
  status: STATUS,
  watchdog_identity: "",
  sync: "in-sync",
  license: { state: "valid", message: "Licensed to Example." },
};

/** Everything that is not good, as `state code`. */
const faults = (change: Partial<Facts>) =>
  diagnose({ ...FACTS, ...change })
    .filter(({ state }) => state !== "good")
    .map(({ state, code }) => `${state} ${code}`);
const inStatus = (change: Partial<Facts["status"]>) => faults({ status: { ...STATUS, ...change } });

test("a healthy node has no fault, and no advice", () => {
  expect(faults({})).toEqual([]);
  expect(diagnose(FACTS).every(({ advice }) => advice === null)).toBe(true);
});

const lost = (nic: string, used_as: CardReport["used_as"]): CardReport => ({
  ...card(nic, used_as),
  link: false,
  state: "missing",
});
const unlinked = { ...card("lan0", "internal"), link: false, speed_mbps: null };
const cases: [string, string[], string[]][] = [
  ["no rights", faults({ missing_rights: ["CAP_NET_RAW"] }), ["bad rights"]],
  ["no firewall", faults({ firewall_trouble: "The firewall is not in force: netlink: ENOENT." }), ["bad firewall"]],
  ["no nftables", faults({ nftables_trouble: "netlink: EPROTONOSUPPORT" }), ["bad kernel-nftables"]],
  ["Linux 6.1", faults({ kernel_release: "6.1.0-18-amd64" }), ["warning kernel-owner"]],
  ["Linux 5.10", faults({ kernel_release: "5.10.0" }), ["bad kernel-egress", "warning kernel-owner"]],
  ["no real-time priority", inStatus({ realtime: false }), ["warning realtime"]],
  ["memory not locked", inStatus({ memory_locked: false }), ["warning memory-locked"]],
  [
    "a watchdog that somebody else has",
    inStatus({ watchdog: { device: "/dev/watchdog0", armed: false, trouble: "open watchdog: busy" } }),
    ["bad watchdog"],
  ],
  ["an armed watchdog", inStatus({ watchdog: { device: "/dev/watchdog0", armed: true, trouble: null } }), []],
  ["the clock at zero", faults({ clock_ms: 0 }), ["warning clock"]],
  ["a disk that refuses", faults({ state_trouble: "it is read-only; mount it writable" }), ["bad disk"]],
  ["a full disk", faults({ free_bytes: 1 << 20 }), ["bad disk"]],
  ["a disk that fills up", faults({ free_bytes: 100 << 20 }), ["warning disk"]],
  ["no card free", faults({ in_cluster: false, cards: [card("lan0", "internal")] }), ["bad cards"]],
  ["no interface", faults({ in_cluster: false, interfaces: [] }), ["warning interfaces"]],
  ["a card that is gone", faults({ cards: [card("clu0", "cluster")], links: [] }), ["bad card-missing"]],
  [
    "the same, where the names of cards are kept",
    faults({ cards: [card("clu0", "cluster")], links: [], missing_cards: [lost("lan0", "internal")] }),
    ["bad card-missing"],
  ],
  ["an unused card that is gone", faults({ missing_cards: [lost("eth3", "missing")] }), ["warning card-missing"]],
  [
    "a new card, and one that gets another name",
    faults({
      cards: [
        card("lan0", "internal"),
        { ...card("clu0", "cluster"), state: "new" },
        { ...card("eth4", "free"), next_nic: "eth1" },
      ],
    }),
    ["warning card-new", "warning card-renamed"],
  ],
  ["a bond in the place of a card", faults({ cards: [card("clu0", "cluster")] }), []],
  [
    "a bond without a link",
    faults({ cards: [card("clu0", "cluster")], links: [{ nic: "lan0", link: false }] }),
    ["bad card-link"],
  ],
  ["a cable that is out", faults({ cards: [unlinked, card("clu0", "cluster")] }), ["bad card-link"]],
  [
    "the same, and the interface disabled",
    faults({ cards: [unlinked, card("clu0", "cluster")], interfaces: [{ nic: "lan0", enabled: false }] }),
    [],
  ],
  [
    "a slow link",
    faults({ cards: [{ ...card("lan0", "internal"), speed_mbps: 100 }, card("clu0", "cluster")] }),
    ["warning card-speed"],
  ],
  [
    "the cluster card is gone",
    faults({ cards: [card("lan0", "internal"), card("eth9", "free")] }),
    ["bad cluster-card"],
  ],
  [
    "the cluster cable is out",
    faults({ cards: [card("lan0", "internal"), { ...card("clu0", "cluster"), link: false }] }),
    ["bad cluster-card"],
  ],
  [
    "the peer is silent",
    inStatus({ peer: { ...peer, heard: false, role: "unknown" }, paths: [path("clu0", 0, false)] }),
    ["bad peer", "warning path", "warning version"],
  ],
  [
    "one path left",
    inStatus({ paths: [path("clu0", 0), path("lan0", 1, false)] }),
    ["warning path", "warning one-path"],
  ],
  ["versions differ", inStatus({ peer: { ...peer, build: 2 } }), ["bad version"]],
  ["settings that nobody replicates", faults({ sync: "standalone" }), ["bad sync"]],
  ["the backup is behind", faults({ sync: "behind" }), ["warning sync"]],
  ["both active", inStatus({ peer: { ...peer, role: "active" } }), ["bad addresses"]],
  [
    "an address missing",
    inStatus({ addresses: [{ address: "10.1.0.1/24", nic: "lan0", held: false }] }),
    ["bad addresses"],
  ],
  ["an address too many", inStatus({ role: "backup", peer: { ...peer, role: "active" } }), ["bad addresses"]],
  [
    "a foreign host",
    inStatus({ alarms: [{ code: "address-conflict", message: "Another host uses it." }] }),
    ["warning address-conflict"],
  ],
  ["no license", faults({ license: { state: "missing", message: "None." } }), ["warning license"]],
  ["a forged license", faults({ license: { state: "forged", message: "Forged." } }), ["bad license"]],
];
for (const [what, found, expected] of cases) test(what, () => expect(found).toEqual(expected));

const sentenceOf = (code: string, change: Partial<Facts>) =>
  diagnose({ ...FACTS, ...change }).find((finding) => finding.code === code)?.what ?? "";

test("of a peer that is not connected nobody says that its settings differ", () => {
  expect(sentenceOf("sync", { sync: "away" })).toMatch(/is not known/);
  expect(sentenceOf("sync", { sync: "behind" })).toMatch(/differ/);
});

test("a backup that does not hear the active node does not speak of whoever would take over from itself", () => {
  const silent = { ...peer, heard: false, role: "unknown" as const };
  expect(sentenceOf("peer", { status: { ...STATUS, peer: silent } })).toMatch(/nobody can take over/);
  expect(sentenceOf("peer", { status: { ...STATUS, peer: silent, role: "backup" } })).toMatch(/cannot know how it is/);
});
