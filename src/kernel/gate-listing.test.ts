/** The whole gate as Debian's `nft list` shows it, word for word: a change of a rule has to be made here as well. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { configuration, GateLab } from "../../test/kernel/gate-lab.ts";

let lab: GateLab;
beforeAll(async () => {
  lab = await GateLab.start();
});
afterAll(() => lab?.remove());

const SETS = {
  lease: "type iface_type size 1 flags dynamic,timeout timeout 200ms gc-interval 7d",
  shared4: "type ipv4_addr elements = { 10.1.0.1, 10.2.0.1 }",
  shared6: "type ipv6_addr elements = { fd01::1, fe80::1 }",
  own4: "type ipv4_addr elements = { 10.1.0.11 }",
  own6: "type ipv6_addr elements = { fd01::11 }",
  discovery_in: "type icmpv6_type elements = { mld-listener-query, nd-neighbor-advert, nd-neighbor-solicit }",
  discovery_out:
    "type icmpv6_type elements = { mld-listener-done, mld-listener-report, mld2-listener-report, nd-neighbor-solicit }",
  router_messages: "type icmpv6_type elements = { nd-redirect, nd-router-advert }",
};

const CHAINS = `
  chain data_in {
    type filter hook ingress devices = { lan0, wan0 } priority -500; policy drop;
    ether type 0x88b5 accept comment "heartbeats always pass"
    meta iiftype @lease accept comment "open"
    arp daddr ip != @shared4 accept comment "no question for a shared address"
    ip daddr @own4 accept comment "to the node itself"
    ip daddr 255.255.255.255 udp dport 68 accept comment "to its DHCP client"
    ip6 daddr @shared6 drop comment "nothing to a shared address"
    icmpv6 type nd-neighbor-solicit @th,64,128 @shared6 drop comment "no question for a shared address"
    ip6 daddr ff02::/16 icmpv6 type @discovery_in accept comment "neighbour discovery"
    ip6 daddr fe80::/10 accept comment "link-local, never routed"
    ip6 daddr @own6 accept comment "to the node itself"
  }

  chain data_out {
    type filter hook egress devices = { lan0, wan0 } priority 500; policy drop;
    ether type 0x88b5 @ll,112,8 0x1 meta oiftype @lease update @lease { meta oiftype timeout 200ms } comment "an active heartbeat renews a live lease"
    ether type 0x88b5 accept comment "heartbeats always pass"
    meta oiftype @lease accept comment "open"
    arp saddr ip != @shared4 accept comment "no claim to a shared address"
    ip saddr @own4 accept comment "from the node itself"
    ip saddr 0.0.0.0 udp dport 67 accept comment "from its DHCP client"
    ip6 saddr @shared6 drop comment "nothing from a shared address"
    icmpv6 type nd-neighbor-advert @th,64,128 @shared6 drop comment "no claim to a shared address"
    icmpv6 type @router_messages drop comment "no claim to be a router"
    ip6 daddr ff02::/16 icmpv6 type @discovery_out ip6 saddr :: accept comment "neighbour discovery before it has an address, and probes"
    ip6 saddr fe80::/10 accept comment "link-local, never routed"
    ip6 saddr @own6 accept comment "from the node itself"
  }

  chain cluster_in {
    type filter hook ingress device "clu0" priority -500; policy drop;
    ether type 0x88b5 ether saddr 02:00:00:00:03:02 @ll,112,8 0x1 delete @lease { meta iiftype } comment "the peer's claim ends ours"
    ether type 0x88b5 accept comment "heartbeats always pass"
    ether type ip6 udp dport 7415 meta iiftype @lease drop comment "no states of connections to the active node"
    ip6 daddr fe80::/10 accept comment "replication"
    ip6 daddr ff02::/16 icmpv6 type @discovery_in accept comment "neighbour discovery"
  }

  chain cluster_out {
    type filter hook egress device "clu0" priority 500; policy drop;
    ether type 0x88b5 @ll,112,8 0x1 meta oiftype @lease update @lease { meta oiftype timeout 200ms } comment "an active heartbeat renews a live lease"
    ether type 0x88b5 accept comment "heartbeats always pass"
    ether type ip6 udp dport 7415 meta oiftype @lease accept comment "states of connections"
    ether type ip6 udp dport 7415 drop comment "none but from the active node"
    ip6 saddr fe80::/10 accept comment "replication"
    ip6 daddr ff02::/16 icmpv6 type @discovery_out ip6 saddr :: accept comment "neighbour discovery before it has an address"
  }
}
`;

/** The order of a set's elements is the hash table's. */
function sorted(set: string): string {
  return set.replace(
    /elements = \{ (.*?) \}/,
    (_, elements: string) => `elements = { ${elements.split(", ").sort().join(", ")} }`,
  );
}

test("nft lists the gate by the names of the protocols", async () => {
  const revoking = { ...configuration, revoking: "02:00:00:00:03:02" };
  await lab.daemon.call("installGate", revoking, "closed", false);
  const listed = lab.node.run("nft", "list", "table", "netdev", "understudy").replaceAll("\t", "  ");
  expect(listed.slice(listed.indexOf("  chain")).trim()).toBe(CHAINS.trim());
  for (const [name, definition] of Object.entries(SETS)) {
    const set = lab.node.run("nft", "list", "set", "netdev", "understudy", name).replaceAll(/\s+/g, " ");
    expect(sorted(set)).toContain(`set ${name} { ${definition} }`);
  }
});
