/** Addresses and gateways on a real kernel, with `ip` as an independent witness. Needs root (or a user namespace). */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { type Agent, cable, Namespace } from "../../test/kernel/namespaces.ts";

const DECLARED = [
  { nic: "lan0", addresses: ["10.1.0.1/24", "fd01::1/64", "fd01::2/64"], gateways: [] },
  { nic: "wan0", addresses: ["10.2.0.1/24", "fd02::1/64"], gateways: ["10.2.0.254", "fd02::fe"] },
];
const ALL = ["10.1.0.1/24 lan0", "fd01::1/64 lan0", "fd01::2/64 lan0", "10.2.0.1/24 wan0", "fd02::1/64 wan0"].sort();

let node: Namespace;
let agent: Agent;

beforeAll(() => {
  node = new Namespace("node");
  cable(node, "lan0", node, "lan1");
  cable(node, "wan0", node, "wan1");
  node.run("sysctl", "-qw", "net.ipv4.conf.lan0.promote_secondaries=1", "net.ipv4.conf.wan0.promote_secondaries=1");
  agent = node.startAgent();
});
afterAll(() => node?.remove());
beforeEach(async () => {
  for (const nic of ["lan0", "lan1", "wan0", "wan1"]) node.run("ip", "addr", "flush", "dev", nic, "scope", "global");
  for (const family of ["-4", "-6"]) node.run("ip", family, "route", "flush", "default");
  await agent.call("declare", DECLARED);
});

interface ListedAddress {
  ifname: string;
  addr_info: { local: string; prefixlen: number; scope: string; tentative?: boolean; broadcast?: string }[];
}

const listed = (): ListedAddress[] => JSON.parse(node.run("ip", "-j", "addr"));
const addresses = (): string[] =>
  listed()
    .flatMap(({ ifname, addr_info }) => addr_info.map((one) => ({ ifname, ...one })))
    .filter(({ scope }) => scope === "global")
    .map(({ local, prefixlen, ifname }) => `${local}/${prefixlen} ${ifname}`)
    .sort();
const gateways = (): string[] =>
  ["-4", "-6"].flatMap((family) =>
    (JSON.parse(node.run("ip", family, "-j", "route", "show", "default")) as { gateway: string; dev: string }[]).map(
      ({ gateway, dev }) => `${gateway} ${dev}`,
    ),
  );

describe("holding and releasing", () => {
  test("puts everything in its place, twice as well as once", async () => {
    for (let time = 0; time < 2; time += 1) {
      await agent.call("hold");
      expect(addresses()).toEqual(ALL);
      expect(gateways()).toEqual(["10.2.0.254 wan0", "fd02::fe wan0"]);
    }
    expect((await agent.call("observe")).map(({ held }) => held)).toEqual([true, true, true, true, true]);
  });

  test("addresses are usable at once, and have their broadcast address", async () => {
    await agent.call("hold");
    const infos = listed().flatMap(({ addr_info }) => addr_info);
    expect(infos.filter(({ scope, tentative }) => scope === "global" && tentative)).toEqual([]);
    expect(infos.find(({ local }) => local === "10.1.0.1")?.broadcast).toBe("10.1.0.255");
  });

  test("takes everything away, twice as well as once, and leaves what is not ours", async () => {
    node.run("ip", "addr", "add", "10.1.0.11/24", "dev", "lan0");
    await agent.call("hold");
    for (let time = 0; time < 2; time += 1) {
      await agent.call("release");
      expect(addresses()).toEqual(["10.1.0.11/24 lan0"]);
      expect(gateways()).toEqual([]);
    }
    expect((await agent.call("observe")).filter(({ held }) => held)).toEqual([]);
  });

  test("the node's own address of the same network stays, even added second", async () => {
    await agent.call("hold");
    node.run("ip", "addr", "add", "10.1.0.11/24", "dev", "lan0");
    await agent.call("release");
    expect(addresses()).toEqual(["10.1.0.11/24 lan0"]);
  });

  test("releases the rest where some are gone already", async () => {
    await agent.call("hold");
    node.run("ip", "addr", "del", "10.1.0.1/24", "dev", "lan0");
    await agent.call("release");
    expect(addresses()).toEqual([]);
  });

  test("a gateway outside every network is reached on the link", async () => {
    await agent.call("declare", [{ nic: "wan0", addresses: ["10.9.0.1/32"], gateways: ["10.8.0.1"] }]);
    await agent.call("hold");
    expect(gateways()).toEqual(["10.8.0.1 wan0"]);
    await agent.call("release");
  });

  test("what the kernel does not take is named, and the rest is there", async () => {
    node.run("sysctl", "-qw", "net.ipv6.conf.lan0.disable_ipv6=1");
    const refusal = await agent.call("hold").then(
      () => "",
      (error) => `${error.code}: ${error.message}`,
    );
    node.run("sysctl", "-qw", "net.ipv6.conf.lan0.disable_ipv6=0");
    expect(refusal).toStartWith("addresses-missing: The kernel did not take fd01::1/64 on lan0, fd01::2/64 on lan0:");
    expect(addresses()).toEqual(["10.1.0.1/24 lan0", "10.2.0.1/24 wan0", "fd02::1/64 wan0"]);
  });

  test("an interface that is not there is named", () => {
    expect(agent.call("declare", [{ nic: "lan9", addresses: [], gateways: [] }])).rejects.toThrow("no interface lan9");
  });

  test("a thousand addresses come and go", async () => {
    const many = Array.from({ length: 1000 }, (_, index) => `10.5.${(index + 1) >> 8}.${(index + 1) & 255}/16`);
    await agent.call("declare", [{ nic: "lan0", addresses: many, gateways: [] }]);
    await agent.call("hold");
    expect(addresses().length).toBe(1000);
    await agent.call("release");
    expect(addresses()).toEqual([]);
  });
});

describe("reconciling", () => {
  test("changes nothing where nothing is amiss", async () => {
    await agent.call("hold");
    expect(await agent.call("reconcile", "held", [])).toEqual({ added: 0, removed: 0 });
    await agent.call("release");
    expect(await agent.call("reconcile", "released", [])).toEqual({ added: 0, removed: 0 });
  });

  test("brings back what somebody took, and takes away what is in a wrong place", async () => {
    await agent.call("hold");
    node.run("ip", "addr", "del", "10.1.0.1/24", "dev", "lan0");
    node.run("ip", "addr", "add", "10.1.0.1/24", "dev", "wan0");
    node.run("ip", "addr", "add", "10.2.0.1/25", "dev", "wan0");
    node.run("ip", "route", "del", "default");
    expect(await agent.call("reconcile", "held", [])).toEqual({ added: 2, removed: 2 });
    expect(addresses()).toEqual(ALL);
    expect(gateways()).toEqual(["10.2.0.254 wan0", "fd02::fe wan0"]);
  });

  test("takes away addresses of an earlier configuration, and only those that it is told of", async () => {
    node.run("ip", "addr", "add", "10.7.0.1/24", "dev", "lan0");
    node.run("ip", "addr", "add", "10.8.0.1/24", "dev", "lan0");
    expect(await agent.call("reconcile", "released", ["10.7.0.1/24"])).toEqual({ added: 0, removed: 1 });
    expect(addresses()).toEqual(["10.8.0.1/24 lan0"]);
  });

  test("keeps the route to a network when the address that brought it goes", async () => {
    await agent.call("hold");
    await agent.call("declare", [{ nic: "lan0", addresses: ["fd01::2/64"], gateways: [] }]);
    await agent.call("reconcile", "held", ["fd01::1", "10.1.0.1", "10.2.0.1", "fd02::1"]);
    expect(node.run("ip", "-6", "route", "show", "dev", "lan0")).toContain("fd01::/64");
    expect(addresses()).toEqual(["fd01::2/64 lan0"]);
  });
});
