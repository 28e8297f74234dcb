/** Who may talk to whom: on a real kernel, with real packets, before, during and after changes. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { echoRequest, toHex } from "../../test/kernel/frames.ts";
import { GateLab, LAN, LISTEN_MS, WAN } from "../../test/kernel/gate-lab.ts";
import { inWords, packet } from "../../test/kernel/packets.ts";
import { Random } from "../../test/random.ts";
import { closedDefinition, type FirewallConfiguration, firewallDefinition } from "./firewall-rules.ts";

const CONFIGURATION: FirewallConfiguration = {
  interfaces: [
    { nic: "lan0", role: "internal", addresses: ["10.1.0.1/24", "fe80::1/64", "fd01::1/64"] },
    { nic: "wan0", role: "external", addresses: ["10.2.0.1/24", "fd02::1/64"] },
  ],
  cluster_nic: "clu0",
  masquerade: true,
  port_forwards: [
    { protocol: "tcp", port: 8080, to: "10.1.0.2", to_port: 80 },
    { protocol: "udp", port: 5353, to: "10.1.0.2" },
    { protocol: "tcp", port: 8080, to: "fd01::2", to_port: 80 },
  ],
  open_ports: [],
};

describe("the definition", () => {
  test("every rule belongs to a chain, and every set that a rule looks into exists", () => {
    const { sets, chains, rules } = firewallDefinition(CONFIGURATION);
    const set_names = sets.map(({ definition }) => definition.name);
    for (const { chain, expressions } of rules) {
      expect(chains.map(({ name }) => name)).toContain(chain);
      for (const step of expressions) {
        if (step.kind === "lookup") expect(set_names).toContain(step.set);
        if (step.kind === "translate") expect(set_names).toContain(step.map);
      }
    }
  });

  test("what filters ends with a drop that counts, and drops by policy", () => {
    const { chains, rules } = firewallDefinition(CONFIGURATION);
    for (const name of ["input", "forward"]) {
      expect(chains.find((chain) => chain.name === name)?.policy).toBe("drop");
      const last = rules.filter(({ chain }) => chain === name).at(-1);
      expect(last?.expressions).toEqual([{ kind: "counter" }, { kind: "verdict", verdict: "drop" }]);
    }
  });

  test("chains and names of sets are the same whatever the settings, so that each change is made in place", () => {
    const shape = (configuration: FirewallConfiguration) => {
      const { sets, chains } = firewallDefinition(configuration);
      return { chains, sets: sets.map(({ definition }) => definition) };
    };
    const nothing = { interfaces: [], masquerade: false, port_forwards: [], open_ports: [] };
    expect(shape(nothing)).toEqual(shape(CONFIGURATION));
  });

  test("closed, nobody outside gets in, and nothing is translated", () => {
    const { chains, rules } = closedDefinition(CONFIGURATION);
    expect(chains.map(({ name, policy }) => `${name} ${policy}`)).toEqual(["input drop", "forward drop"]);
    const passes = rules.filter(({ expressions }) => expressions.at(-1)?.kind === "verdict");
    const accepted = passes.filter(({ expressions }) => JSON.stringify(expressions.at(-1)).includes("accept"));
    expect(accepted.map(({ chain, comment }) => `${chain}: ${comment}`)).toEqual([
      "input: not ours to judge",
      "input: neighbour discovery",
      "input: from inside",
      "input: replication",
      "input: to the DHCP client",
      "input: to the DHCP client",
      "input: open to the outside",
      "forward: from inside to anywhere",
      "forward: not ours to judge",
    ]);
  });
});

describe("on a real kernel", () => {
  let lab: GateLab;
  beforeAll(async () => {
    lab = await GateLab.start();
    const { node, client, server } = lab;
    // The node's own address comes first: what leaves must not take it.
    node.run("ip", "addr", "flush", "dev", "wan0", "scope", "global");
    for (const address of ["10.2.0.11/24", "10.2.0.1/24"]) node.run("ip", "addr", "add", address, "dev", "wan0");
    node.run("ip", "addr", "add", "fd02::1/64", "dev", "wan0", "nodad");
    node.run("ip", "route", "add", "default", "via", "10.2.0.2");
    node.run("sysctl", "-qw", "net.ipv6.conf.all.forwarding=1");
    server.run("ip", "addr", "add", "fd02::2/64", "dev", "wan1", "nodad");
    server.run("ip", "-6", "route", "add", "default", "via", "fd02::1");
    client.run("ip", "route", "add", "default", "via", "10.1.0.1");
    client.run("ip", "-6", "route", "add", "default", "via", "fd01::1");
    for (const [nic, address, mac] of [
      ["lan0", "10.1.0.2", LAN.other],
      ["lan0", "fd01::2", LAN.other],
      ["wan0", "fd02::2", WAN.other],
    ] as const)
      node.run("ip", "neigh", "replace", address, "lladdr", mac, "dev", nic);
  });
  afterAll(() => lab?.remove());
  afterEach(() => lab.daemon.call("removeFirewall"));

  /** Every time another port, so that no connection of an earlier question answers this one. */
  let port = 20_000;

  const fromWan = (
    to: string,
    to_port: number,
    protocol: "tcp" | "udp",
    from = to.includes(":") ? "fd02::2" : "10.2.0.2",
  ) => packet({ macs: [WAN.node, WAN.other], from, to, ports: [port++, to_port], protocol });
  const fromLan = (
    to: string,
    to_port: number,
    protocol: "tcp" | "udp",
    from = to.includes(":") ? "fd01::2" : "10.1.0.2",
  ) => packet({ macs: [LAN.node, LAN.other], from, to, ports: [port++, to_port], protocol });

  /** What arrives at the other card of the node, and what comes back, in words. */
  async function sent(frame: Uint8Array, from: "lan" | "wan"): Promise<{ there: string[]; back: string[] }> {
    const [near, far] = from === "lan" ? [lab.outside, watcher()] : [watcher(), lab.outside];
    const [near_nic, far_nic] = from === "lan" ? ["lan1", "wan1"] : ["wan1", "lan1"];
    await far.call("listen", [far_nic]);
    await near.call("listen", [near_nic]);
    const back = await near.call("exchange", near_nic, toHex(frame), 0, LISTEN_MS);
    const there = await far.call("exchange", far_nic, "", 0, LISTEN_MS / 4);
    const words = (seen: typeof back, nic: string) =>
      seen.filter((one) => one.nic === nic).map((one) => inWords(one.frame));
    return { there: words(there, far_nic), back: words(back, near_nic) };
  }
  let outside_agent: ReturnType<GateLab["server"]["startAgent"]> | undefined;
  const watcher = () => (outside_agent ??= lab.server.startAgent());
  const install = (changed: Partial<FirewallConfiguration> = {}, owned = true) =>
    lab.daemon.call("installFirewall", { ...CONFIGURATION, ...changed }, owned);

  test("it is taken whole, by a kernel that lets us own it and by one that does not", async () => {
    expect(await install()).toEqual({ owned: true, trouble: null });
    await lab.daemon.call("removeFirewall");
    expect(await install({}, false)).toEqual({ owned: false, trouble: null });
  });

  test("from inside to anywhere, under the shared address, and the answers back", async () => {
    await install();
    const { there } = await sent(fromLan("10.2.0.2", 9, "udp"), "lan");
    expect(there).toContain("udp 10.2.0.1 to 10.2.0.2 port 9");
    const echo = await sent(echoRequest(LAN.node, LAN.other, "10.1.0.2", "10.2.0.2"), "lan");
    expect(echo.back).toContain("echo-reply 10.2.0.2");
  });

  test("without masquerading, under their own", async () => {
    await install({ masquerade: false });
    const { there } = await sent(fromLan("10.2.0.2", 9, "udp"), "lan");
    expect(there).toContain("udp 10.1.0.2 to 10.2.0.2 port 9");
  });

  /** What each of these does from outside: what arrives inside, or what comes back. */
  const OUTSIDE: [string, () => Uint8Array, { there?: string; back?: string }][] = [
    ["a forwarded port", () => fromWan("10.2.0.1", 8080, "tcp"), { there: "tcp 10.2.0.2 to 10.1.0.2 port 80" }],
    ["one of UDP", () => fromWan("10.2.0.1", 5353, "udp"), { there: "udp 10.2.0.2 to 10.1.0.2 port 5353" }],
    ["one of IPv6", () => fromWan("fd02::1", 8080, "tcp"), { there: "tcp fd02::2 to fd01::2 port 80" }],
    ["the same port, other protocol", () => fromWan("10.2.0.1", 8080, "udp"), {}],
    ["another port of the node", () => fromWan("10.2.0.1", 22, "tcp"), {}],
    ["a host inside", () => fromWan("10.1.0.2", 80, "tcp"), {}],
    ["a host inside, IPv6", () => fromWan("fd01::2", 80, "tcp"), {}],
    ["an internal address of the node", () => fromWan("10.1.0.1", 8080, "tcp"), {}],
    ["a spoofed source from inside", () => fromWan("10.2.0.1", 8080, "tcp", "10.1.0.2"), {}],
    ["a spoofed source, IPv6", () => fromWan("fd02::1", 8080, "tcp", "fd01::2"), {}],
    [
      "an echo request",
      () => echoRequest(WAN.node, WAN.other, "10.2.0.2", "10.2.0.1"),
      { back: "echo-reply 10.2.0.1" },
    ],
    [
      "an echo request, IPv6",
      () => echoRequest(WAN.node, WAN.other, "fd02::2", "fd02::1"),
      { back: "echo-reply fd02::1" },
    ],
    ["an echo request to an internal address", () => echoRequest(WAN.node, WAN.other, "10.2.0.2", "10.1.0.1"), {}],
    ["an echo request to a host inside", () => echoRequest(WAN.node, WAN.other, "10.2.0.2", "10.1.0.2"), {}],
  ];

  test("from outside, exactly what the table says", async () => {
    await install();
    const found: Record<string, object> = {};
    const wanted: Record<string, object> = {};
    for (const [name, make, expected] of OUTSIDE) {
      const { there, back } = await sent(make(), "wan");
      const traffic = /^(tcp|udp|icmp|echo-reply|icmpv6-128) /;
      const [arrived] = there.filter((word) => traffic.test(word));
      const [answered] = back.filter(
        (word) => /^echo-reply/.test(word) || /^tcp 10\.[12]\.0\.1|^tcp fd0[12]::1/.test(word),
      );
      found[name] = {
        ...(arrived === undefined ? {} : { there: arrived }),
        ...(answered === undefined ? {} : { back: answered }),
      };
      // A forwarded TCP port is answered by the host inside, with whatever: that is not asked here.
      if (expected.there !== undefined) found[name] = { there: arrived };
      wanted[name] = expected;
    }
    expect(found).toEqual(wanted);
  });

  test("a port of the node is open to the outside only where the settings open it, and not at an internal address", async () => {
    const answered = async (to: string) =>
      (await sent(fromWan(to, 4443, "tcp"), "wan")).back.some((word) => word.startsWith(`tcp ${to} `));
    await install();
    expect(await answered("10.2.0.1")).toBe(false);
    await install({ open_ports: [4443] });
    expect(await answered("10.2.0.1")).toBe(true);
    expect(await answered("10.1.0.1")).toBe(false);
  });

  test("from inside an external address with a forwarded port leads back inside, and so does the answer", async () => {
    await install();
    await lab.outside.call("listen", ["lan1"]);
    const frame = toHex(fromLan("10.2.0.1", 5353, "udp", "10.1.0.3"));
    const seen = await lab.outside.call("exchange", "lan1", frame, 0, LISTEN_MS);
    expect(seen.map((one) => inWords(one.frame))).toContain("udp 10.1.0.1 to 10.1.0.2 port 5353");
  });

  test("what the cluster network carries comes to the node and no further", async () => {
    await install();
    const echo = await lab.ask(echoRequest("02:00:00:00:03:01", "02:00:00:00:03:02", "10.3.0.2", "10.3.0.1"), "clu1");
    expect(echo).not.toContain("echo-reply 10.3.0.1");
    lab.node.run("ip", "addr", "add", "fe80::a/64", "dev", "clu0", "nodad");
    const link_local = await lab.ask(
      echoRequest("02:00:00:00:03:01", "02:00:00:00:03:02", "fe80::b", "fe80::a"),
      "clu1",
    );
    // The node wants to answer.
    expect(link_local.some((word) => word.endsWith(" fe80::b"))).toBe(true);
  });

  test("a hundred changes: not a packet lost that may pass, none passed that may not", async () => {
    await install();
    const many = Array.from({ length: 200 }, (_, index) => ({
      protocol: "tcp" as const,
      port: 1000 + index,
      to: "10.1.0.9",
    }));
    lab.client.run(
      "nft",
      `table inet witness { chain in { type filter hook prerouting priority -300; ip protocol udp ip saddr 10.2.0.2 udp dport 5353 counter; ip protocol udp ip saddr 10.2.0.2 udp dport 7 counter; }; }`,
    );
    const forwarded = packet({
      macs: [WAN.node, WAN.other],
      from: "10.2.0.2",
      to: "10.2.0.1",
      ports: [999, 5353],
      protocol: "udp",
    });
    const forbidden = packet({
      macs: [WAN.node, WAN.other],
      from: "10.2.0.2",
      to: "10.1.0.2",
      ports: [999, 7],
      protocol: "udp",
    });
    await watcher().call("sendPackets", "wan1", [toHex(forwarded), toHex(forbidden)], 1);
    for (let change = 0; change < 100; change += 1)
      await install({ port_forwards: [...CONFIGURATION.port_forwards, ...(change % 2 === 0 ? many : [])] });
    const times = await watcher().call("stopSending");
    const listed = lab.client.run("nft", "list", "table", "inet", "witness");
    const counts = [...listed.matchAll(/dport (\d+) counter packets (\d+)/g)].map(([, port, packets]) => [
      port,
      Number(packets),
    ]);
    expect(times).toBeGreaterThan(100);
    expect(Object.fromEntries(counts)).toEqual({ 5353: times, 7: 0 });
  });

  test("a change is made in place: the chains are the same ones", async () => {
    const handles = () =>
      [
        ...lab.node.run("nft", "-a", "list", "table", "inet", "understudy_firewall").matchAll(/chain .* # handle \d+/g),
      ].join();
    await install();
    const before = handles();
    await install({ masquerade: false, port_forwards: [], interfaces: CONFIGURATION.interfaces.slice(1) });
    expect(handles()).toBe(before);
    expect(before).toContain("chain input");
  });

  test("hand edits are named, and what is only counted is none", async () => {
    await install({}, false);
    await sent(fromWan("10.2.0.1", 22, "tcp"), "wan");
    expect(await lab.daemon.call("firewallChanges")).toEqual([]);
    lab.node.run("nft", "insert", "rule", "inet", "understudy_firewall", "forward", "accept");
    lab.node.run("nft", "delete", "element", "inet", "understudy_firewall", "forwards4", "{ tcp . 8080 }");
    expect(await lab.daemon.call("firewallChanges")).toEqual(["the rules of forward", "the set forwards4"]);
    await install({}, false);
    expect(await lab.daemon.call("firewallChanges")).toEqual([]);
    lab.node.run("nft", "delete", "table", "inet", "understudy_firewall");
    expect(await lab.daemon.call("firewallChanges")).toEqual(["the whole table"]);
  });

  test("it stays when its process dies, closed to hand edits as long as it lives, and the next one adopts it", async () => {
    const first = lab.node.startAgent();
    await first.call("installFirewall", CONFIGURATION, true);
    expect(() => lab.node.run("nft", "delete", "table", "inet", "understudy_firewall")).toThrow("not permitted");
    lab.node.run("nft", "flush", "ruleset");
    expect(await first.call("firewallChanges")).toEqual([]);
    first.kill();
    await first.child.exited;
    const { there } = await sent(fromWan("10.1.0.2", 80, "tcp"), "wan");
    // The node itself may look for neighbours.
    expect(there.filter((word) => word.startsWith("tcp"))).toEqual([]);
    expect(await install()).toEqual({ owned: true, trouble: null });
  });

  test("whatever the settings are, the kernel takes it whole", async () => {
    const random = new Random(8);
    for (let turn = 0; turn < 25; turn += 1) {
      const changed = anything((limit) => random.below(limit));
      expect({ turn, ...(await lab.daemon.call("installFirewall", changed, true)) }).toEqual({
        turn,
        owned: true,
        trouble: null,
      });
      expect(await lab.daemon.call("firewallChanges")).toEqual([]);
    }
  });
});

function anything(below: (limit: number) => number): FirewallConfiguration {
  const many = <T>(limit: number, make: (index: number) => T): T[] =>
    Array.from({ length: below(limit) }, (_, index) => make(index));
  const address = (): string =>
    below(3) === 0
      ? `fd${below(90) + 10}::${below(9999)}`
      : `${1 + below(223)}.${below(256)}.${below(256)}.${below(256)}`;
  const prefixed = (): string => {
    const text = address();
    return `${text}/${below(text.includes(":") ? 129 : 33)}`;
  };
  const forwards = many(1025, (index) => ({
    protocol: below(2) === 0 ? ("tcp" as const) : ("udp" as const),
    port: 1 + index * 60 + below(60),
    to: address(),
    ...(below(2) === 0 ? {} : { to_port: 1 + below(65_535) }),
  }));
  return {
    interfaces: many(31, (index) => ({
      nic: `${'é-"*n.'.slice(0, below(6))}${index}`,
      role: below(2) === 0 ? "internal" : "external",
      addresses: many(below(10) === 0 ? 1200 : 4, prefixed),
    })),
    ...(below(2) === 0 ? {} : { cluster_nic: "clu0" }),
    masquerade: below(2) === 0,
    port_forwards: forwards,
    open_ports: many(3, () => 1 + below(65_535)),
  };
}
