/**
 * The gate on a real kernel: a node with a LAN, a WAN and a cluster card, somebody at the other end of each, and
 * frames that pass or do not. Needs root (or a user namespace) and nft as an independent witness.
 */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { emitArpAnnouncement, emitArpProbe, emitArpRequest } from "../wire/arp.ts";
import { macBytes } from "../wire/bytes.ts";
import { emitNeighbourAnnouncement, emitNeighbourProbe, emitNeighbourSolicitation } from "../wire/ndp.ts";
import { parseAddress } from "./ip.ts";
import { described, echoRequest, frame, ipv6, toHex } from "./lab/frames.ts";
import { type Agent, cable, Namespace } from "./lab/namespaces.ts";

const LAN = { node: "02:00:00:00:01:01", other: "02:00:00:00:01:02" };
const WAN = { node: "02:00:00:00:02:01", other: "02:00:00:00:02:02" };
const CLUSTER = { node: "02:00:00:00:03:01", other: "02:00:00:00:03:02" };
const BROADCAST = "ff:ff:ff:ff:ff:ff";
const LINK_LOCAL = "fe80::ff:fe00:101";
const OTHER_LINK_LOCAL = "fe80::ff:fe00:102";

const LEASE_MS = 200;
/** Long enough for an answer within one machine, short enough to wait for the lack of one many times. */
const LISTEN_MS = 60;
/** A jiffy at 250 Hz, twice: when the lease was renewed, and when it is looked at. */
const JIFFIES_MS = 8;

const configuration = {
  cluster_nic: "clu0",
  data_nics: ["lan0", "wan0"],
  shared: ["10.1.0.1/24", "10.2.0.1/24", "fd01::1/64"],
  own: ["10.1.0.11", "fd01::11"],
  lease_ms: LEASE_MS,
};

let node: Namespace;
let client: Namespace;
let server: Namespace;
let daemon: Agent;
let outside: Agent;

beforeAll(async () => {
  [node, client, server] = [new Namespace("node"), new Namespace("client"), new Namespace("server")];
  cable(node, "lan0", client, "lan1");
  cable(node, "clu0", client, "clu1");
  cable(node, "wan0", server, "wan1");
  // No addresses by themselves but link-local ones, at once: what is on the wire is what the tests put there.
  for (const [namespace, nic, mac] of [
    [node, "lan0", LAN.node],
    [node, "wan0", WAN.node],
    [node, "clu0", CLUSTER.node],
    [client, "lan1", LAN.other],
    [client, "clu1", CLUSTER.other],
    [server, "wan1", WAN.other],
  ] as const) {
    namespace.run("sysctl", "-qw", `net.ipv6.conf.${nic}.accept_dad=0`, `net.ipv6.conf.${nic}.router_solicitations=0`);
    namespace.run("ip", "link", "set", nic, "down");
    namespace.run("ip", "link", "set", nic, "address", mac);
    namespace.run("ip", "link", "set", nic, "up");
  }
  client.run("ip", "addr", "add", "10.1.0.2/24", "dev", "lan1");
  client.run("ip", "addr", "add", "fd01::2/64", "dev", "lan1", "nodad");
  client.run("ip", "addr", "add", "10.3.0.2/24", "dev", "clu1");
  server.run("ip", "addr", "add", "10.2.0.2/24", "dev", "wan1");
  server.run("ip", "route", "add", "default", "via", "10.2.0.1");
  // The node holds everything, as one does that froze while active.
  for (const [nic, address] of [
    ["lan0", "10.1.0.1/24"],
    ["lan0", "10.1.0.11/24"],
    ["lan0", "fd01::1/64"],
    ["lan0", "fd01::11/64"],
    ["wan0", "10.2.0.1/24"],
    ["clu0", "10.3.0.1/24"],
  ] as const) {
    node.run("ip", "addr", "add", address, "dev", nic, ...(address.includes(":") ? ["nodad"] : []));
  }
  node.run("sysctl", "-qw", "net.ipv4.ip_forward=1");
  node.run("ip", "neigh", "replace", "10.2.0.2", "lladdr", WAN.other, "dev", "wan0");
  daemon = node.startAgent();
  outside = client.startAgent();
  await daemon.call("listen", ["lan0", "wan0", "clu0"]);
  await outside.call("listen", ["lan1", "clu1"]);
});

afterAll(() => {
  for (const namespace of [node, client, server]) namespace?.remove();
});

async function install(lease: "open" | "closed", changed: object = {}): Promise<void> {
  await daemon.call("installGate", { ...configuration, ...changed }, lease, true);
}

/** Open for as long as a test takes. */
const OPEN_FOR_LONG = { lease_ms: 60_000 };

/** Sends a frame to the node's LAN and returns what comes back there, in words. */
async function ask(bytes: Uint8Array, nic = "lan1"): Promise<string[]> {
  await outside.call("listen", [nic]);
  const seen = await outside.call("exchange", nic, toHex(bytes), 0, LISTEN_MS);
  return seen.filter((one) => one.nic === nic).map((one) => described(one.frame));
}

/** Has the node's daemon send a frame, and returns what of it arrives at the other end. */
async function emit(bytes: Uint8Array, nic = "lan0"): Promise<string[]> {
  const other = nic.replace("0", "1");
  await outside.call("listen", [other]);
  await daemon.call("send", nic, toHex(bytes));
  const seen = await outside.call("exchange", other, "", 0, LISTEN_MS);
  return seen.filter((one) => one.nic === other).map((one) => described(one.frame));
}

const macOf = { node: macBytes(LAN.node), other: macBytes(LAN.other) };
const arpFor = (address: string): Uint8Array =>
  emitArpRequest(macOf.other, parseAddress("10.1.0.2"), parseAddress(address));
const solicitationFor = (address: string): Uint8Array =>
  emitNeighbourSolicitation(macOf.other, parseAddress("fd01::2"), parseAddress(address));
const ping = (to: string): Uint8Array =>
  echoRequest(LAN.node, LAN.other, to.includes(":") ? "fd01::2" : "10.1.0.2", to);
const withVlanTag = (bytes: Uint8Array): Uint8Array =>
  Uint8Array.of(...bytes.slice(0, 12), 0x81, 0, 0, 5, ...bytes.slice(12));
const routerAdvertisement = (from: string): Uint8Array =>
  frame(
    "33:33:00:00:00:01",
    LAN.node,
    0x86dd,
    ipv6(parseAddress(from), parseAddress("ff02::1"), [134, 0, 0, 0, 64, 0, 7, 8, ...new Array(8).fill(0)]),
  );

interface Case {
  what: string;
  bytes: Uint8Array;
  /** What is seen with the lease live. */
  open: string;
  /** And without. */
  closed: "passes" | "nothing";
}

const INWARD: Case[] = [
  {
    what: "ARP for a shared address",
    bytes: arpFor("10.1.0.1"),
    open: "arp-reply 10.1.0.1 to 10.1.0.2",
    closed: "nothing",
  },
  {
    what: "ARP for the node's own address",
    bytes: arpFor("10.1.0.11"),
    open: "arp-reply 10.1.0.11 to 10.1.0.2",
    closed: "passes",
  },
  {
    what: "an ARP probe for a shared address",
    bytes: emitArpProbe(macOf.other, parseAddress("10.1.0.1")),
    open: "arp-reply 10.1.0.1 to 0.0.0.0",
    closed: "nothing",
  },
  { what: "ping of a shared address", bytes: ping("10.1.0.1"), open: "echo-reply 10.1.0.1", closed: "nothing" },
  {
    what: "ping of the shared address of another interface",
    bytes: ping("10.2.0.1"),
    open: "echo-reply 10.2.0.1",
    closed: "nothing",
  },
  { what: "ping of the node's own address", bytes: ping("10.1.0.11"), open: "echo-reply 10.1.0.11", closed: "passes" },
  { what: "ping through the node", bytes: ping("10.2.0.2"), open: "echo-reply 10.2.0.2", closed: "nothing" },
  {
    what: "solicitation of a shared address",
    bytes: solicitationFor("fd01::1"),
    open: "advertisement fd01::1",
    closed: "nothing",
  },
  {
    what: "solicitation of the node's own address",
    bytes: solicitationFor("fd01::11"),
    open: "advertisement fd01::11",
    closed: "passes",
  },
  {
    what: "solicitation of its link-local address",
    bytes: solicitationFor(LINK_LOCAL),
    open: `advertisement ${LINK_LOCAL}`,
    closed: "passes",
  },
  { what: "ping of a shared IPv6 address", bytes: ping("fd01::1"), open: "echo-reply fd01::1", closed: "nothing" },
  {
    what: "ping of the node's own IPv6 address",
    bytes: ping("fd01::11"),
    open: "echo-reply fd01::11",
    closed: "passes",
  },
  {
    what: "ping of its link-local address",
    bytes: echoRequest(LAN.node, LAN.other, OTHER_LINK_LOCAL, LINK_LOCAL),
    open: `echo-reply ${LINK_LOCAL}`,
    closed: "passes",
  },
];

const OUTWARD: Case[] = [
  {
    what: "an ARP probe for a shared address",
    bytes: emitArpProbe(macOf.node, parseAddress("10.1.0.1")),
    open: "arp-request 0.0.0.0 to 10.1.0.1",
    closed: "passes",
  },
  {
    what: "an ARP announcement of a shared address",
    bytes: emitArpAnnouncement(macOf.node, parseAddress("10.1.0.1")),
    open: "arp-request 10.1.0.1 to 10.1.0.1",
    closed: "nothing",
  },
  {
    what: "ARP from the node's own address",
    bytes: emitArpRequest(macOf.node, parseAddress("10.1.0.11"), parseAddress("10.1.0.9")),
    open: "arp-request 10.1.0.11 to 10.1.0.9",
    closed: "passes",
  },
  {
    what: "ping from the node's own address",
    bytes: echoRequest(LAN.other, LAN.node, "10.1.0.11", "10.1.0.2"),
    open: "icmp 10.1.0.11",
    closed: "passes",
  },
  {
    what: "a packet of somebody else",
    bytes: echoRequest(LAN.other, LAN.node, "10.2.0.2", "10.1.0.2"),
    open: "icmp 10.2.0.2",
    closed: "nothing",
  },
  {
    what: "a probe for a shared IPv6 address",
    bytes: emitNeighbourProbe(macOf.node, parseAddress("fd01::1")),
    open: "solicitation fd01::1",
    closed: "passes",
  },
  {
    what: "a solicitation of a shared address from the link-local one",
    bytes: emitNeighbourSolicitation(macOf.node, parseAddress(LINK_LOCAL), parseAddress("fd01::1")),
    open: "solicitation fd01::1",
    closed: "passes",
  },
  {
    what: "an advertisement of a shared address",
    bytes: emitNeighbourAnnouncement(macOf.node, parseAddress("fd01::1")),
    open: "advertisement fd01::1",
    closed: "nothing",
  },
  {
    what: "one that comes from the link-local address",
    bytes: frame(
      "33:33:00:00:00:01",
      LAN.node,
      0x86dd,
      ipv6(parseAddress(LINK_LOCAL), parseAddress("ff02::1"), [
        136,
        0,
        0,
        0,
        0x20,
        0,
        0,
        0,
        ...parseAddress("fd01::1"),
      ]),
    ),
    open: "advertisement fd01::1",
    closed: "nothing",
  },
  {
    what: "a router advertisement",
    bytes: routerAdvertisement(LINK_LOCAL),
    open: `icmpv6-134 ${LINK_LOCAL}`,
    closed: "nothing",
  },
  {
    what: "a ping from a shared IPv6 address",
    bytes: echoRequest(LAN.other, LAN.node, "fd01::1", "fd01::2"),
    open: "icmpv6-128 fd01::1",
    closed: "nothing",
  },
  {
    what: "a packet of somebody else, IPv6",
    bytes: echoRequest(LAN.other, LAN.node, "fd02::2", "fd01::2"),
    open: "icmpv6-128 fd02::2",
    closed: "nothing",
  },
  {
    what: "a frame with a VLAN tag",
    bytes: withVlanTag(arpFor("10.1.0.9")),
    open: "ethertype 8100",
    closed: "nothing",
  },
  {
    what: "an unknown EtherType",
    bytes: frame(BROADCAST, LAN.node, 0x1234, new Uint8Array(46)),
    open: "ethertype 1234",
    closed: "nothing",
  },
  {
    what: "a backup's heartbeat",
    bytes: frame(BROADCAST, LAN.node, 0x88b5, new Uint8Array(46)),
    open: "heartbeat 0",
    closed: "passes",
  },
  {
    what: "an active one's heartbeat",
    bytes: frame(BROADCAST, LAN.node, 0x88b5, [1, ...new Array(45).fill(0)]),
    open: "heartbeat 1",
    closed: "passes",
  },
];

describe("with the lease live", () => {
  beforeAll(() => install("open", OPEN_FOR_LONG));
  for (const { what, bytes, open } of INWARD) {
    test(`${what} is answered`, async () => expect(await ask(bytes)).toContain(open));
  }
  for (const { what, bytes, open } of OUTWARD) {
    test(`${what} leaves`, async () => expect(await emit(bytes)).toContain(open));
  }
});

describe("with the lease not live", () => {
  beforeAll(() => install("closed"));
  for (const { what, bytes, open, closed } of INWARD) {
    if (closed === "passes") test(`${what} is answered`, async () => expect(await ask(bytes)).toContain(open));
    else test(`${what} is not answered`, async () => expect(await ask(bytes)).toEqual([]));
  }
  for (const { what, bytes, open, closed } of OUTWARD) {
    if (closed === "passes") test(`${what} leaves`, async () => expect(await emit(bytes)).toContain(open));
    else test(`${what} does not leave`, async () => expect(await emit(bytes)).toEqual([]));
  }

  test("nothing is forwarded from the WAN either", async () => {
    await outside.call("listen", ["lan1"]);
    server.run(
      "sh",
      "-c",
      "echo hello > /dev/udp/10.1.0.2/9 2>/dev/null || bash -c 'echo hello > /dev/udp/10.1.0.2/9'",
    );
    expect(await outside.call("exchange", "lan1", "", 0, LISTEN_MS)).toEqual([]);
  });
});

describe("on the cluster network", () => {
  for (const lease of ["open", "closed"] as const) {
    test(`only heartbeats and link-local IPv6 pass, lease ${lease}`, async () => {
      await install(lease, OPEN_FOR_LONG);
      const other = macBytes(CLUSTER.other);
      expect(await ask(emitArpRequest(other, parseAddress("10.3.0.2"), parseAddress("10.3.0.1")), "clu1")).toEqual([]);
      expect(await ask(echoRequest(CLUSTER.node, CLUSTER.other, "10.3.0.2", "10.3.0.1"), "clu1")).toEqual([]);
      const echo = echoRequest(CLUSTER.node, CLUSTER.other, "fe80::ff:fe00:302", "fe80::ff:fe00:301");
      expect(await ask(echo, "clu1")).toContain("echo-reply fe80::ff:fe00:301");
      expect(await emit(frame(BROADCAST, CLUSTER.node, 0x88b5, new Uint8Array(46)), "clu0")).toEqual(["heartbeat 0"]);
    });
  }
});

describe("the lease", () => {
  beforeEach(() => install("closed"));

  test("opens, is refreshed, closes, and closes again", async () => {
    expect(await daemon.call("readLease")).toBe(0);
    await daemon.call("openLease");
    await Bun.sleep(LEASE_MS / 2);
    await daemon.call("openLease");
    expect(await daemon.call("readLease")).toBeGreaterThan(LEASE_MS * 0.8);
    await daemon.call("closeLease");
    expect(await daemon.call("readLease")).toBe(0);
    await daemon.call("closeLease");
  });

  test("opens again after it has expired, before the kernel has collected it", async () => {
    await daemon.call("openLease");
    await Bun.sleep(LEASE_MS + 3 * JIFFIES_MS);
    expect(await daemon.call("readLease")).toBe(0);
    await daemon.call("openLease");
    expect(await daemon.call("readLease")).toBeGreaterThan(0);
  });

  for (const nic of ["clu0", "lan0", "wan0"]) {
    test(`is renewed by an active heartbeat on ${nic}`, async () => {
      await daemon.call("openLease");
      await Bun.sleep(LEASE_MS / 2);
      await daemon.call("heartbeat", nic, 1);
      expect(await daemon.call("readLease")).toBeGreaterThan(LEASE_MS * 0.8);
    });
  }

  test("is not renewed by a heartbeat that does not claim", async () => {
    await daemon.call("openLease");
    await Bun.sleep(LEASE_MS / 2);
    for (const claim of [0, 2, 255]) await daemon.call("heartbeat", "clu0", claim);
    expect(await daemon.call("readLease")).toBeLessThan(LEASE_MS * 0.6);
  });

  test("is not renewed by an active heartbeat that comes in", async () => {
    await daemon.call("openLease");
    await Bun.sleep(LEASE_MS / 2);
    await outside.call("heartbeat", "clu1", 1);
    await outside.call("heartbeat", "lan1", 1);
    expect(await daemon.call("readLease")).toBeLessThan(LEASE_MS * 0.6);
  });

  test("once expired is not revived by an active heartbeat, collected or not", async () => {
    await daemon.call("heartbeat", "clu0", 1);
    expect(await daemon.call("readLease")).toBe(0);
    await daemon.call("openLease");
    await Bun.sleep(LEASE_MS + 3 * JIFFIES_MS);
    await daemon.call("heartbeat", "clu0", 1);
    expect(await daemon.call("readLease")).toBe(0);
    // The kernel collects expired elements once a second.
    await Bun.sleep(1500);
    await daemon.call("heartbeat", "lan0", 1);
    expect(await daemon.call("readLease")).toBe(0);
  });

  test("ends within the lease time after the last heartbeat of a frozen daemon", async () => {
    await outside.call("listen", ["lan1", "clu1"]);
    await daemon.call("openLease");
    await daemon.call("beat", "clu0", 1, 10);
    setTimeout(() => daemon.child.kill("SIGSTOP"), 300);
    const seen = await outside.call("exchange", "lan1", toHex(arpFor("10.1.0.1")), 2, 1200);
    daemon.child.kill("SIGCONT");
    const last = (what: string): number =>
      Math.max(...seen.filter((one) => described(one.frame) === what).map((one) => one.at_ms));
    const shut_after_ms = last("arp-reply 10.1.0.1 to 10.1.0.2") - last("heartbeat 1");
    await daemon.call("stopBeating");
    expect(shut_after_ms).toBeGreaterThan(LEASE_MS / 2);
    expect(shut_after_ms).toBeLessThanOrEqual(LEASE_MS + JIFFIES_MS);
    // The heartbeats of the thawed daemon left, and the gate stayed shut.
    expect(await daemon.call("readLease")).toBe(0);
    expect(await ask(arpFor("10.1.0.1"))).toEqual([]);
  });

  test("is ended by the peer's claim on the cluster network, and by nobody else's", async () => {
    await install("open", { ...OPEN_FOR_LONG, revoking: CLUSTER.other });
    const claim = (mac: string): string => toHex(frame(BROADCAST, mac, 0x88b5, [1, ...new Array(45).fill(0)]));
    await outside.call("send", "lan1", claim(CLUSTER.other));
    await outside.call("send", "clu1", claim("02:00:00:00:03:99"));
    await outside.call("heartbeat", "clu1", 0);
    expect(await daemon.call("readLease")).toBeGreaterThan(0);
    await outside.call("send", "clu1", claim(CLUSTER.other));
    expect(await daemon.call("readLease")).toBe(0);
    await daemon.call("heartbeat", "clu0", 1);
    expect(await daemon.call("readLease")).toBe(0);
  });
});

describe("somebody else's hands", () => {
  const foreign = (...command: string[]): void => {
    node.run(...command);
  };
  /** As on kernels that do not know owned tables. */
  const installUnowned = async (changed: object, lease: "open" | "closed"): Promise<void> => {
    await daemon.call("removeGate");
    await daemon.call("installGate", { ...configuration, ...changed }, lease, false);
  };

  test("a foreign change is told from our own", async () => {
    await install("closed");
    await daemon.call("watchFirewall");
    await daemon.call("openLease");
    expect(await daemon.call("firewallChanged")).toMatchObject({ foreign: false });
    foreign("nft", "add", "table", "ip", "somebody");
    expect(await daemon.call("firewallChanged")).toMatchObject({ foreign: true });
    expect(await daemon.call("verifyGate")).toBe(true);
    foreign("nft", "delete", "table", "ip", "somebody");
  });

  test("a table that is not owned is flushed, which is noticed, and comes back with the lease open", async () => {
    await installUnowned(OPEN_FOR_LONG, "open");
    await daemon.call("firewallChanged");
    foreign("nft", "flush", "ruleset");
    expect(await daemon.call("firewallChanged")).toMatchObject({ foreign: true });
    expect(await daemon.call("verifyGate")).toBe(false);
    expect(daemon.call("openLease")).rejects.toMatchObject({ code: "ENOENT" });
    await daemon.call("installGate", { ...configuration, ...OPEN_FOR_LONG }, "open", false);
    expect(await daemon.call("verifyGate")).toBe(true);
    expect(await daemon.call("readLease")).toBeGreaterThan(0);
  });

  for (const damage of [
    "flush chain netdev understudy data_out",
    "delete element netdev understudy shared4 { 10.1.0.1 }",
    "add rule netdev understudy data_in accept",
    "insert rule netdev understudy cluster_in accept",
    "chain netdev understudy data_in { policy accept; }",
    "add table netdev understudy { flags dormant; }",
  ]) {
    test(`${damage} is noticed`, async () => {
      await installUnowned({}, "closed");
      foreign("nft", damage);
      expect(await daemon.call("verifyGate")).toBe(false);
      await daemon.call("installGate", configuration, "closed", false);
      expect(await daemon.call("verifyGate")).toBe(true);
    });
  }

  test("an owned table survives a flush, and its owner, and is adopted by the next", async () => {
    const { owned } = await daemon.call("installGate", configuration, "closed", true);
    if (!owned) return; // Linux before 6.9.
    foreign("nft", "flush", "ruleset");
    expect(() => foreign("nft", "delete", "table", "netdev", "understudy")).toThrow("not permitted");
    expect(await daemon.call("verifyGate")).toBe(true);

    const next = node.startAgent();
    expect(next.call("installGate", configuration, "closed", true)).rejects.toMatchObject({ code: "gate-held" });
    daemon.kill();
    await daemon.child.exited;
    expect(await ask(arpFor("10.1.0.1"))).toEqual([]);
    await next.call("listen", ["lan0", "wan0", "clu0"]);
    expect(await next.call("installGate", configuration, "open", true)).toEqual({ owned: true });
    expect(await next.call("readLease")).toBeGreaterThan(0);
    daemon = next;
  });

  test("an interface that is not there is refused by name, or gated as soon as it appears", async () => {
    const early = { ...configuration, data_nics: ["lan0", "wan0", "late0"] };
    const refusal = await daemon.call("installGate", early, "closed", true).then(
      () => undefined,
      (error) => error.code,
    );
    if (refusal !== undefined) return expect(refusal).toBe("no-interface"); // Linux before 6.16.
    cable(node, "late0", client, "late1");
    expect(await ask(arpFor("10.1.0.1"))).toEqual([]);
    const late = client.startAgent();
    await late.call("listen", ["late1"]);
    const seen = await late.call("exchange", "late1", toHex(arpFor("10.1.0.1")), 0, LISTEN_MS);
    expect(seen.map((one) => described(one.frame)).filter((what) => what.startsWith("arp-reply"))).toEqual([]);
    await daemon.call("installGate", early, "open", true);
    const open = await late.call("exchange", "late1", toHex(arpFor("10.1.0.1")), 0, LISTEN_MS);
    expect(open.map((one) => described(one.frame))).toContain("arp-reply 10.1.0.1 to 10.1.0.2");
    node.run("ip", "link", "del", "late0");
  });

  test("removal lets everything pass, and may be repeated", async () => {
    await install("closed");
    await daemon.call("removeGate");
    await daemon.call("removeGate");
    expect(node.run("nft", "list", "ruleset")).not.toContain("understudy");
    expect(await ask(arpFor("10.1.0.1"))).toContain("arp-reply 10.1.0.1 to 10.1.0.2");
  });
});

test("nft lists the gate by the names of the protocols", async () => {
  await daemon.call("removeGate");
  await daemon.call("installGate", configuration, "closed", false);
  const listed = node.run("nft", "list", "ruleset").replace(/\s+/g, " ");
  for (const line of [
    "set lease { type iface_type size 1 flags dynamic,timeout timeout 200ms }",
    "set shared4 { type ipv4_addr elements = { 10.1.0.1, 10.2.0.1 } }",
    "chain data_in { type filter hook ingress devices = { lan0, wan0 } priority -500; policy drop;",
    "chain data_out { type filter hook egress devices = { lan0, wan0 } priority 500; policy drop;",
    'chain cluster_in { type filter hook ingress device "clu0" priority -500; policy drop;',
    "ether type 0x88b5 @ll,112,8 0x1 meta oiftype @lease update @lease { meta oiftype timeout 200ms }",
    "meta iiftype @lease accept",
    "arp daddr ip != @shared4 accept",
    "arp saddr ip != @shared4 accept",
    "ip daddr @own4 accept",
    "ip saddr 0.0.0.0 udp dport 67 accept",
    "icmpv6 type nd-neighbor-solicit @th,64,128 @shared6 drop",
    "ip6 saddr fe80::/10 accept",
  ]) {
    expect(listed).toContain(line);
  }
});
