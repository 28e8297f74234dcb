/** Forwarding and ARP: as data, and on a real kernel with the wire as witness. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { arpFor, GateLab } from "../../test/kernel/gate-lab.ts";
import { type GatewayConfiguration, gatewaySettings } from "./gateway.ts";
import { applySettings, type SysctlStore } from "./sysctl.ts";

const CONFIGURATION: GatewayConfiguration = {
  interfaces: [
    { nic: "lan0", role: "internal" },
    { nic: "wan0", role: "external" },
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
    const two = [...CONFIGURATION.interfaces, { nic: "wan1", role: "external" as const }];
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
});
