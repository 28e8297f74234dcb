/**
 * The gate on a real kernel: which frames pass with the lease live and without, in both directions. Needs root (or a
 * user namespace), and nft as an independent witness of what is installed.
 */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { echoRequest, frame, ipv6 } from "../../test/kernel/frames.ts";
import { arpFor, CLUSTER, configuration, GateLab, LAN, LISTEN_MS, OPEN_FOR_LONG } from "../../test/kernel/gate-lab.ts";
import { emitArpAnnouncement, emitArpProbe, emitArpRequest } from "../wire/arp.ts";
import { macBytes } from "../wire/bytes.ts";
import { emitNeighbourAnnouncement, emitNeighbourProbe, emitNeighbourSolicitation } from "../wire/ndp.ts";
import { parseAddress } from "./ip.ts";

const BROADCAST = "ff:ff:ff:ff:ff:ff";
const LINK_LOCAL = "fe80::ff:fe00:101";
const OTHER_LINK_LOCAL = "fe80::ff:fe00:102";

let lab: GateLab;
beforeAll(async () => {
  lab = await GateLab.start();
});
afterAll(() => lab?.remove());

const macOf = { node: macBytes(LAN.node), other: macBytes(LAN.other) };
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
  beforeAll(() => lab.install("open", OPEN_FOR_LONG));
  for (const { what, bytes, open } of INWARD) {
    test(`${what} is answered`, async () => expect(await lab.ask(bytes)).toContain(open));
  }
  for (const { what, bytes, open } of OUTWARD) {
    test(`${what} leaves`, async () => expect(await lab.emit(bytes)).toContain(open));
  }
});

describe("with the lease not live", () => {
  beforeAll(() => lab.install("closed"));
  for (const { what, bytes, open, closed } of INWARD) {
    if (closed === "passes") test(`${what} is answered`, async () => expect(await lab.ask(bytes)).toContain(open));
    else test(`${what} is not answered`, async () => expect(await lab.ask(bytes)).toEqual([]));
  }
  for (const { what, bytes, open, closed } of OUTWARD) {
    if (closed === "passes") test(`${what} leaves`, async () => expect(await lab.emit(bytes)).toContain(open));
    else test(`${what} does not leave`, async () => expect(await lab.emit(bytes)).toEqual([]));
  }

  test("nothing is forwarded from the WAN either", async () => {
    await lab.outside.call("listen", ["lan1"]);
    lab.server.run(
      "sh",
      "-c",
      "echo hello > /dev/udp/10.1.0.2/9 2>/dev/null || bash -c 'echo hello > /dev/udp/10.1.0.2/9'",
    );
    expect(await lab.outside.call("exchange", "lan1", "", 0, LISTEN_MS)).toEqual([]);
  });
});

describe("on the cluster network", () => {
  for (const lease of ["open", "closed"] as const) {
    test(`only heartbeats and link-local IPv6 pass, lease ${lease}`, async () => {
      await lab.install(lease, OPEN_FOR_LONG);
      const other = macBytes(CLUSTER.other);
      expect(await lab.ask(emitArpRequest(other, parseAddress("10.3.0.2"), parseAddress("10.3.0.1")), "clu1")).toEqual(
        [],
      );
      expect(await lab.ask(echoRequest(CLUSTER.node, CLUSTER.other, "10.3.0.2", "10.3.0.1"), "clu1")).toEqual([]);
      const echo = echoRequest(CLUSTER.node, CLUSTER.other, "fe80::ff:fe00:302", "fe80::ff:fe00:301");
      expect(await lab.ask(echo, "clu1")).toContain("echo-reply fe80::ff:fe00:301");
      expect(await lab.emit(frame(BROADCAST, CLUSTER.node, 0x88b5, new Uint8Array(46)), "clu0")).toEqual([
        "heartbeat 0",
      ]);
    });
  }
});

test("nft lists the gate by the names of the protocols", async () => {
  await lab.daemon.call("removeGate");
  await lab.daemon.call("installGate", configuration, "closed", false);
  const listed = lab.node.run("nft", "list", "ruleset").replace(/\s+/g, " ");
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
