/**
 * The gate on a real kernel: which frames pass with the lease live and without, in both directions. Needs root (or a
 * user namespace), and nft to count what the node's stack sees.
 */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { datagram, described, echoRequest, frame, ipv6, toHex } from "../../test/kernel/frames.ts";
import { arpFor, CLUSTER, GateLab, LAN, LISTEN_MS, OPEN_FOR_LONG, WAN } from "../../test/kernel/gate-lab.ts";
import { inWords, packet } from "../../test/kernel/packets.ts";
import { emitArpAnnouncement, emitArpProbe, emitArpRequest } from "../wire/arp.ts";
import { macBytes } from "../wire/bytes.ts";
import { emitNeighbourAnnouncement, emitNeighbourProbe, emitNeighbourSolicitation } from "../wire/ndp.ts";
import { CONNECTIONS_PORT } from "./gate-rules.ts";
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
    from === LINK_LOCAL ? LAN.node : LAN.other,
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
  {
    what: "ping of a shared link-local address",
    bytes: echoRequest(LAN.node, LAN.other, OTHER_LINK_LOCAL, "fe80::1"),
    open: "echo-reply fe80::1",
    closed: "nothing",
  },
  {
    what: "solicitation of a shared link-local address",
    bytes: solicitationFor("fe80::1"),
    open: "advertisement fe80::1",
    closed: "nothing",
  },
];

/** What nobody answers, so that one has to look inside. */
const ONLY_INWARD: Pick<Case, "what" | "bytes" | "closed">[] = [
  {
    what: "an answer for the DHCP client",
    bytes: datagram(LAN.other, "10.1.0.2", "255.255.255.255", 67, 68),
    closed: "passes",
  },
  {
    what: "a question to a DHCP server",
    bytes: datagram(LAN.other, "0.0.0.0", "255.255.255.255", 68, 67),
    closed: "nothing",
  },
  {
    what: "an announcement of a shared address",
    bytes: emitArpAnnouncement(macOf.other, parseAddress("10.1.0.1")),
    closed: "nothing",
  },
  {
    what: "a router advertisement",
    bytes: routerAdvertisement(OTHER_LINK_LOCAL),
    closed: "nothing",
  },
  {
    what: "an advertisement of a neighbour",
    bytes: emitNeighbourAnnouncement(macOf.other, parseAddress("fd01::2")),
    closed: "passes",
  },
  {
    what: "a packet that would be forwarded",
    bytes: ping("fd02::2"),
    closed: "nothing",
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
    what: "a ping from a shared link-local address",
    bytes: echoRequest(LAN.other, LAN.node, "fe80::1", OTHER_LINK_LOCAL),
    open: "icmpv6-128 fe80::1",
    closed: "nothing",
  },
  {
    what: "a question of the DHCP client",
    bytes: datagram(LAN.node, "0.0.0.0", "255.255.255.255", 68, 67),
    open: "udp 0.0.0.0 to port 67",
    closed: "passes",
  },
  {
    what: "any other packet without a source address",
    bytes: datagram(LAN.node, "0.0.0.0", "255.255.255.255", 68, 69),
    open: "udp 0.0.0.0 to port 69",
    closed: "nothing",
  },
  {
    what: "an answer of a DHCP server",
    bytes: datagram(LAN.node, "10.1.0.1", "255.255.255.255", 67, 68),
    open: "udp 10.1.0.1 to port 68",
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
    else test(`${what} is not answered`, async () => expect(await lab.ask(bytes)).not.toContain(open));
  }
  for (const { what, bytes, open, closed } of OUTWARD) {
    if (closed === "passes") test(`${what} leaves`, async () => expect(await lab.emit(bytes)).toContain(open));
    else test(`${what} does not leave`, async () => expect(await lab.emit(bytes)).not.toContain(open));
  }

  // Each direction on its own: a shut way out would hide an open way in.
  for (const { what, bytes, closed } of [...INWARD, ...ONLY_INWARD]) {
    const verb = closed === "passes" ? "reaches the node" : "does not even reach the node";
    test(`${what} ${verb}`, async () => expect(await lab.reaches(bytes)).toBe(closed === "passes"));
  }

  test("nothing from the WAN reaches the node or the LAN", async () => {
    const watcher = lab.server.startAgent();
    await lab.outside.call("listen", ["lan1"]);
    await watcher.call("send", "wan1", toHex(echoRequest(WAN.node, WAN.other, "10.2.0.2", "10.1.0.2")));
    const seen = await lab.outside.call("exchange", "lan1", "", 0, LISTEN_MS);
    expect(seen.map((one) => described(one.frame))).not.toContain("icmp 10.2.0.2");
  });
});

test("with the lease live what only comes in reaches the node", async () => {
  await lab.install("open", OPEN_FOR_LONG);
  for (const { bytes } of ONLY_INWARD) expect(await lab.reaches(bytes)).toBe(true);
});

describe("on the cluster network", () => {
  for (const lease of ["open", "closed"] as const) {
    test(`only heartbeats and link-local IPv6 pass, lease ${lease}`, async () => {
      await lab.install(lease, OPEN_FOR_LONG);
      const arp = emitArpRequest(macBytes(CLUSTER.other), parseAddress("10.3.0.2"), parseAddress("10.3.0.1"));
      const echo = (to: string, from: string): Uint8Array => echoRequest(CLUSTER.node, CLUSTER.other, from, to);
      for (const bytes of [arp, echo("10.3.0.1", "10.3.0.2"), echo("fd01::1", "fd01::2")]) {
        expect(await lab.reaches(bytes, "clu1")).toBe(false);
      }
      const within = "fe80::ff:fe00:301";
      expect(await lab.ask(echo(within, "fe80::ff:fe00:302"), "clu1")).toContain(`echo-reply ${within}`);

      expect(await lab.emit(frame(BROADCAST, CLUSTER.node, 0x88b5, new Uint8Array(46)), "clu0")).toContain(
        "heartbeat 0",
      );
      const probe = emitNeighbourProbe(macBytes(CLUSTER.node), parseAddress(within));
      expect(await lab.emit(probe, "clu0")).toContain(`solicitation ${within}`);
      expect(await lab.emit(arpFor("10.3.0.9"), "clu0")).not.toContain("arp-request 10.1.0.2 to 10.3.0.9");
      const routed = echoRequest(CLUSTER.other, CLUSTER.node, "fd01::1", "fd01::2");
      expect(await lab.emit(routed, "clu0")).not.toContain("icmpv6-128 fd01::1");
    });

    test(`states of connections ${lease === "open" ? "leave and do not come in" : "come in and do not leave"}, lease ${lease}`, async () => {
      await lab.install(lease, OPEN_FOR_LONG);
      const [mine, theirs] = ["fe80::ff:fe00:301", "fe80::ff:fe00:302"];
      const states = (macs: [string, string], from: string, to: string, port = CONNECTIONS_PORT): Uint8Array =>
        packet({ macs, from, to, ports: [4000, port], protocol: "udp" });
      const leaves = async (port: number): Promise<boolean> =>
        (await lab.emit(states([CLUSTER.other, CLUSTER.node], mine, theirs, port), "clu0", inWords)).includes(
          `udp ${mine} to ${theirs} port ${port}`,
        );
      expect(await lab.reaches(states([CLUSTER.node, CLUSTER.other], theirs, mine), "clu1")).toBe(lease === "closed");
      expect(await leaves(CONNECTIONS_PORT)).toBe(lease === "open");
      expect(await leaves(CONNECTIONS_PORT + 1)).toBe(true);
    });
  }
});
