/** Forwarding, ARP and address translation: as data, and on a real kernel with nft and the wire as witnesses. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { described, echoRequest, toHex } from "../../test/kernel/frames.ts";
import { arpFor, GateLab, LAN, LISTEN_MS } from "../../test/kernel/gate-lab.ts";
import { type GatewayConfiguration, gatewaySettings } from "./gateway.ts";
import { applySettings, type SysctlStore } from "./sysctl.ts";

const CONFIGURATION: GatewayConfiguration = {
  interfaces: [
    { nic: "lan0", role: "internal", addresses: ["10.1.0.1/24"] },
    { nic: "wan0", role: "external", addresses: ["fd02::1/64", "10.2.0.1/24"] },
  ],
  cluster_nic: "clu0",
};

describe("settings", () => {
  const values = (configuration: GatewayConfiguration): Map<string, string> =>
    new Map(gatewaySettings(configuration).map(({ name, value }) => [name, value]));

  test("forwarding comes first, as it resets some of the others", () => {
    expect(gatewaySettings(CONFIGURATION)[0]).toEqual({ name: "net/ipv4/ip_forward", value: "1" });
  });

  test("reverse paths are checked strictly while there is one way out", () => {
    expect(values(CONFIGURATION).get("net/ipv4/conf/wan0/rp_filter")).toBe("1");
    const two = [...CONFIGURATION.interfaces, { nic: "wan1", role: "external" as const, addresses: [] }];
    expect(values({ interfaces: two }).get("net/ipv4/conf/wan0/rp_filter")).toBe("2");
    expect(values({ interfaces: two }).get("net/ipv4/conf/lan0/rp_filter")).toBe("1");
  });

  test("only what differs is written, and a kernel without IPv6 will do", () => {
    const written: string[] = [];
    const store: SysctlStore = {
      read: (name) => (name === "a" ? "1" : name === "b" ? "0" : undefined),
      write: (name, value) => written.push(`${name}=${value}`),
    };
    const wanted = ["a", "b", "net/ipv6/c"].map((name) => ({ name, value: "1" }));
    expect(applySettings(wanted, store)).toEqual([{ name: "b", value: "1" }]);
    expect(written).toEqual(["b=1"]);
  });

  test("one that cannot be written is named", () => {
    const store: SysctlStore = {
      read: () => "0",
      write: () => {
        throw new Error("read-only");
      },
    };
    expect(() => applySettings([{ name: "net/ipv4/ip_forward", value: "1" }], store)).toThrow("net/ipv4/ip_forward");
  });
});

describe("on a real kernel", () => {
  let lab: GateLab;
  beforeAll(async () => {
    lab = await GateLab.start();
    lab.node.run("sysctl", "-qw", "net.ipv4.ip_forward=0");
    // The node's own address comes first: what leaves must not take it.
    lab.node.run("ip", "addr", "flush", "dev", "wan0", "scope", "global");
    lab.node.run("ip", "addr", "add", "10.2.0.11/24", "dev", "wan0");
    lab.node.run("ip", "addr", "add", "10.2.0.1/24", "dev", "wan0");
    lab.server.run("ip", "route", "del", "default");
    expect((await lab.daemon.call("configureGateway", CONFIGURATION)).length).toBeGreaterThan(5);
  });
  afterAll(() => lab?.remove());

  test("a second time there is nothing to set", async () => {
    expect(await lab.daemon.call("configureGateway", CONFIGURATION)).toEqual([]);
  });

  test("an address is answered for on its own interface only", async () => {
    expect(await lab.ask(arpFor("10.1.0.1"))).toContain("arp-reply 10.1.0.1 to 10.1.0.2");
    expect(await lab.ask(arpFor("10.2.0.1"))).not.toContain("arp-reply 10.2.0.1 to 10.1.0.2");
  });

  test("nft lists the translation", () => {
    const listed = lab.node.run("nft", "list", "table", "ip", "understudy_nat").replace(/\s+/g, " ");
    expect(listed).toContain('elements = { "lan0" }');
    expect(listed).toContain('iifname @internal oifname "wan0" snat to 10.2.0.1');
  });

  test("what is forwarded leaves under the shared address, and its answer comes back", async () => {
    const watcher = lab.server.startAgent();
    await watcher.call("listen", ["wan1"]);
    await lab.outside.call("listen", ["lan1"]);
    await lab.outside.call("send", "lan1", toHex(echoRequest(LAN.node, LAN.other, "10.1.0.2", "10.2.0.2")));
    const outside = await watcher.call("exchange", "wan1", "", 0, LISTEN_MS);
    expect(outside.map(({ frame }) => described(frame))).toContain("icmp 10.2.0.1");
    const inside = await lab.outside.call("exchange", "lan1", "", 0, LISTEN_MS);
    expect(inside.map(({ frame }) => described(frame))).toContain("echo-reply 10.2.0.2");
  });
});
