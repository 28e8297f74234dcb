/** Canned answers of a node in each situation that the pages know. The types are those of the node itself. */

import type {
  Backup,
  Capture,
  Card,
  Certificate,
  Check,
  License,
  LoggedEvent,
  PathStatus,
  Public,
  Settings,
  Status,
  Token,
} from "../../src/web/ui/lib/types.ts";
import { NO_UPDATES } from "../update/none.ts";

export interface Answers {
  first_password: boolean;
  status: Status;
  active: Public["active"];
  settings: Settings;
  cards: Card[];
  checks: Check[];
  events: LoggedEvent[];
  license: License;
  backups: Backup[];
  captures: Capture[];
  tokens: Token[];
  certificate: Certificate;
}

const FINGERPRINT = "3F:9A:C2:04:7E:11:D8:5B:60:AA:2C:91:F4:73:0E:BD:18:C6:59:E2:87:3D:40:FB:92:65:1A:CE:08:D7:B3:4F";

const path = (nic: string, slot: number, network: PathStatus["network"], latency_ms: number): PathStatus => ({
  nic,
  slot,
  network,
  carrier: true,
  heartbeat: true,
  heard: true,
  latency_ms,
  loss: 0,
});

const addresses = (held: boolean): Status["addresses"] =>
  [
    ["10.1.0.1/24", "lan0"],
    ["fd00:1::1/64", "lan0"],
    ["10.2.0.1/24", "wan0"],
    ["fd00:2::1/64", "wan0"],
  ].map(([address = "", nic = ""]) => ({ address, nic, held }));

const SINCE = "2026-11-24T10:12:05.000Z";

const LICENSE: License = {
  state: "valid",
  message: "Licensed to Example Networks until 2027-06-30.",
  holder: "Example Networks",
  serial: "UN-2026-0417",
  issued: "2026-06-30",
  until: "2027-06-30",
};

const alone: Status = {
  name: "node-a",
  version: "0.1.0",
  build: 412,
  role: "standalone",
  term: 0,
  operational: false,
  reason: "This node is in no cluster.",
  peer: null,
  paths: [],
  addresses: addresses(true),
  alarms: [],
  dropped: {},
  gate: "none",
  realtime: true,
  memory_locked: true,
  watchdog: null,
  settings_revision: 14,
  uptime_s: 93_784,
  maintenance: false,
  switches: [],
  license: LICENSE,
  sync: { state: "standalone", revision: 14, peer_revision: null, since: SINCE },
  pairing: null,
  update: NO_UPDATES,
  web: { address: "::", port: 443, fingerprint: FINGERPRINT },
  services: [],
} as Status;

const active: Status = {
  ...alone,
  services: [
    {
      name: "connections",
      title: "Replication of connections",
      wanted: true,
      state: "running",
      failing: false,
      restarts: 0,
      trouble: null,
    },
  ],
  role: "active",
  term: 7,
  operational: true,
  reason: null,
  gate: "open",
  peer: {
    name: "node-b",
    role: "backup",
    heard: true,
    unwilling: false,
    version: "0.1.0",
    build: 412,
    settings_revision: 14,
    links: [
      { slot: 1, up: true },
      { slot: 2, up: true },
    ],
    uptime_s: 7384,
  },
  paths: [path("clu0", 0, "cluster", 0.21), path("lan0", 1, "internal", 0.34), path("wan0", 2, "external", 0.48)],
  switches: [
    {
      at: "2026-11-24T10:12:03.412Z",
      code: "became-active",
      message: "This node is active (term 7): the peer handed over.",
      cause: "handed-over",
      outage_ms: 6,
    },
  ],
  sync: { state: "in-sync", revision: 14, peer_revision: 14, since: SINCE },
} as Status;

const settings: Settings = {
  server: { name: "node-a" },
  administrators: [{ name: "admin", password_hash: "set" }],
  interfaces: [
    { nic: "lan0", role: "internal", addresses: ["10.1.0.1/24", "fd00:1::1/64"] },
    {
      nic: "wan0",
      role: "external",
      addresses: ["10.2.0.1/24", "fd00:2::1/64"],
      gateway: "10.2.0.254",
      gateway6: "fd00:2::254",
    },
  ],
  dns: { servers: ["10.2.0.53"] },
  services: { hand_over: [] },
  nat: {
    masquerade: true,
    port_forwards: [
      { protocol: "tcp", port: 443, to: "10.1.0.20", comment: "web shop" },
      { protocol: "udp", port: 1194, to: "10.1.0.5", to_port: 1195, comment: "remote access" },
    ],
  },
  mail: {
    mode: "relay",
    relay: { host: "mail.example.org", port: 25 },
    domains: [{ name: "example.org", server: "10.1.0.25" }],
  },
  license: null,
  time: { zone: "Europe/Rome", servers: ["10.2.0.123"] },
  web: { outside: false },
};

const card = (nic: string, last: string, used_as: Card["used_as"], link = true): Card => ({
  nic,
  mac: `02:11:22:33:44:${last}`,
  driver: "igb",
  model: "8086:1533",
  up: link,
  link,
  speed_mbps: link ? 1000 : null,
  used_as,
  state: null,
  next_nic: null,
});

const events: LoggedEvent[] = [
  ["2026-11-24T09:58:41.002Z", "started", "info", "understudy 0.1.0 build 412 starts."],
  ["2026-11-24T10:02:17.618Z", "settings-changed", "info", "The settings were changed (revision 14)."],
  ["2026-11-24T10:11:58.140Z", "link-down", "warning", "wan0 has lost its link."],
  ["2026-11-24T10:11:58.142Z", "handed-over", "info", "This node hands over to node-b: it has more links."],
  ["2026-11-24T10:12:01.377Z", "link-up", "info", "wan0 has its link back."],
  ["2026-11-24T10:12:03.412Z", "became-active", "info", "This node is active (term 7): the peer handed over."],
  ["2026-11-24T10:12:04.480Z", "neighbours-followed", "info", "All 6 known neighbours and gateways answer this node."],
].map(([at = "", code = "", severity = "info", message = ""]) => ({
  at,
  code,
  severity: severity as LoggedEvent["severity"],
  message,
  ...(code === "became-active" ? { cause: "handed-over", outage_ms: 6 } : {}),
}));

const base: Answers = {
  first_password: false,
  status: alone,
  active: null,
  settings,
  cards: [
    card("lan0", "10", "internal"),
    card("wan0", "11", "external"),
    card("clu0", "12", "free"),
    card("opt0", "13", "free", false),
  ],
  checks: [
    { code: "kernel", state: "good", what: "The kernel has nftables with all that the gate needs.", advice: null },
    { code: "links", state: "good", what: "All interfaces that are set up have a link.", advice: null },
    {
      code: "license",
      state: "warning",
      what: "The license ends in 12 days.",
      advice: "Install a new one before 2026-12-06.",
    },
    {
      code: "realtime",
      state: "bad",
      what: "The heartbeat process has no real-time priority.",
      advice: "Start the node as root, with CAP_SYS_NICE.",
    },
  ],
  events,
  license: LICENSE,
  backups: [
    {
      name: "2026-11-24T09-00-00Z-node-a.understudy-backup",
      bytes: 4812,
      at: "2026-11-24T09:00:00.000Z",
      server: "node-a",
      version: "0.1.0",
      encrypted: true,
      trouble: null,
    },
    {
      name: "2026-11-20T18-30-12Z-node-a.understudy-backup",
      bytes: 4620,
      at: "2026-11-20T18:30:12.000Z",
      server: "node-a",
      version: "0.1.0",
      encrypted: false,
      trouble: null,
    },
  ],
  captures: [
    {
      name: "2026-11-24T10-12-03.411Z-became-active.pcapng",
      at: "2026-11-24T10:12:03.411Z",
      code: "became-active",
      bytes: 212_480,
      events: [{ at: "2026-11-24T10:12:03.411Z", code: "became-active", message: "This node is active (term 7)." }],
    },
  ],
  tokens: [{ id: "t1", name: "monitoring", access: "read", made: "2026-11-02T08:15:00.000Z" }],
  certificate: {
    subject: "CN=node-a",
    issuer: "CN=node-a",
    hosts: ["node-a", "10.1.0.1", "10.2.0.1"],
    from: "2026-11-01T00:00:00.000Z",
    until: "2036-11-01T00:00:00.000Z",
    fingerprint: FINGERPRINT,
    self_made: true,
    chain: 1,
  },
};

const cluster: Answers = {
  ...base,
  status: active,
  active: { name: "node-a", addresses: ["10.1.0.1"] },
  cards: base.cards.map((entry) => (entry.nic === "clu0" ? { ...entry, used_as: "cluster" } : entry)),
};

const peer = active.peer as NonNullable<Status["peer"]>;

const PEER_CARDS = ["lan0", "wan0", "clu0", "opt0"].map((nic, index) => ({
  nic,
  mac: `02:aa:bb:cc:dd:2${index}`,
  reserved: nic === "clu0",
}));
export const WAITING_PEER = { name: "node-b", version: "0.1.0", build: 412, cards: PEER_CARDS };

export function pairing(state: "searching" | "found" | "confirmed" | "applying"): NonNullable<Status["pairing"]> {
  return {
    side: "creator",
    state,
    code: null,
    seconds_left: 3540,
    waiting: state === "found" ? "Waiting for the code that node-b shows." : "Waiting for the backup node.",
    peer: state === "searching" ? null : WAITING_PEER,
  };
}

const wizard = (state: Parameters<typeof pairing>[0]): Answers => ({
  ...base,
  status: { ...alone, pairing: pairing(state) },
});

export const SITUATIONS = {
  fresh: {
    ...base,
    first_password: true,
    status: { ...alone, name: "understudy", addresses: [], settings_revision: 0 },
    settings: {
      ...settings,
      server: { name: "understudy" },
      administrators: [],
      interfaces: [],
      nat: { masquerade: true, port_forwards: [] },
    },
    cards: base.cards.map((entry) => ({ ...entry, used_as: "free" })),
    events: events.slice(0, 1),
    backups: [],
    tokens: [],
    license: {
      state: "missing",
      message: "There is no license; install one.",
      holder: null,
      serial: null,
      issued: null,
      until: null,
    },
  },
  standalone: base,
  "wizard-searching": wizard("searching"),
  "wizard-code": wizard("found"),
  "wizard-match": wizard("confirmed"),
  "wizard-applying": wizard("applying"),
  joining: {
    ...base,
    status: {
      ...alone,
      name: "node-b",
      role: "joining",
      pairing: {
        ...pairing("found"),
        side: "joiner",
        code: "204719",
        waiting: "Type the code 204719 on node-a.",
        peer: { ...WAITING_PEER, name: "node-a" },
      },
    },
  },
  active: cluster,
  backup: {
    ...cluster,
    status: {
      ...active,
      name: "node-b",
      role: "backup",
      gate: "closed",
      addresses: addresses(false),
      peer: { ...peer, name: "node-a", role: "active" },
    },
    settings: { ...settings, server: { name: "node-b" } },
  },
  "peer-away": {
    ...cluster,
    status: {
      ...active,
      operational: false,
      reason: "node-b is not heard on any path.",
      peer: { ...peer, heard: false, role: "unknown", version: "", build: 0, uptime_s: null },
      paths: active.paths.map((entry) => ({ ...entry, heard: false, latency_ms: null, loss: 1 })),
      sync: { state: "away", revision: 16, peer_revision: 14, since: SINCE },
    },
  },
  alarms: {
    ...cluster,
    status: {
      ...active,
      operational: false,
      reason: "The cluster network is down.",
      alarms: [
        {
          code: "address-conflict",
          message:
            "Another host (02:de:ad:be:ef:01) on lan0 uses the shared address 10.1.0.1; find it and give it another address.",
        },
        {
          code: "silent-peer",
          message:
            "node-b is alive but silent: its kernel answers for the shared addresses and no heartbeat arrives; check what blocks EtherType 0x88b5 between the nodes.",
        },
      ],
      paths: active.paths.map((entry, index) =>
        index === 1
          ? { ...entry, loss: 0.12 }
          : { ...entry, carrier: index !== 0, heard: false, latency_ms: null, loss: 1 },
      ),
      sync: { state: "behind", revision: 14, peer_revision: 17, since: SINCE },
    },
  },
  maintenance: {
    ...cluster,
    status: {
      ...active,
      operational: false,
      reason: "node-b does not take over: it is in maintenance, or something is wrong there; see its status.",
      peer: { ...peer, unwilling: true },
    },
  },
  "versions-differ": {
    ...cluster,
    status: {
      ...active,
      operational: false,
      reason: "Versions differ: node-b runs 0.2.0 build 430, this node 0.1.0 build 412.",
      peer: { ...peer, version: "0.2.0", build: 430, uptime_s: null },
      sync: { state: "ahead", revision: 15, peer_revision: 14, since: SINCE },
    },
  },
} satisfies Record<string, Answers>;

export type Situation = keyof typeof SITUATIONS;
