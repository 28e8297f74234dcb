/** Settings that are taken, with what is filled in, and settings that are refused, each with its sentence. */
import { describe, expect, test } from "bun:test";
import { freshSettings, parseSettings, type Settings } from "./model.ts";
import { fromShared, localPart, sharedPart, slotsOf } from "./shared.ts";

const lan = { nic: "lan0", role: "internal", addresses: ["10.1.0.1/24"] };
const wan = { nic: "wan0", role: "external", addresses: ["10.2.0.1/24"], gateway: "10.2.0.254" };
const server = { name: "node-a" };
const good = { server, interfaces: [lan, wan] };
const withLan = (change: object) => ({ server, interfaces: [{ ...lan, ...change }, wan] });
const hash = "$argon2id$v=19$m=65536,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA";
const defaults = {
  administrators: [],
  dns: { servers: [] },
  nat: { masquerade: true, port_forwards: [] },
  mail: { mode: "off", domains: [] },
  license: null,
  time: { zone: "UTC", servers: [] },
  web: { outside: false },
  services: { hand_over: [] },
};
const everything = {
  server,
  administrators: [
    { name: "admin", password_hash: hash },
    { name: "Zoë", password_hash: hash },
  ],
  interfaces: [
    { ...lan, addresses: ["10.1.0.1/24", "fd00::1/64"], heartbeat: false, enabled: true },
    { ...wan, gateway6: "fd01::1" },
  ],
  dns: { servers: ["10.2.0.53", "fd00::53"] },
  nat: {
    masquerade: false,
    port_forwards: [
      { protocol: "tcp", port: 443, to: "10.1.0.5", to_port: 8443, comment: "shop" },
      { protocol: "udp", port: 443, to: "10.1.0.5" },
    ],
  },
  mail: {
    mode: "relay",
    relay: { host: "mail.example.org", port: 587 },
    domains: [{ name: "example.org", server: "10.1.0.9" }],
  },
  license: "text",
  services: { hand_over: ["connections"] },
  time: { zone: "Europe/Rome", servers: ["0.pool.ntp.org"] },
  web: { outside: true },
  cluster: { interval_ms: 8, lease_ms: 20, detect_floor_ms: 24, on_link_loss: "stay" },
};

describe("settings", () => {
  test("the least is accepted, and everything else filled in", () =>
    expect(parseSettings(good)).toEqual({ ...good, ...defaults } as Settings));
  test("all of it is accepted as it is", () => expect(parseSettings(everything)).toEqual(everything as Settings));
  test("a fresh install has valid settings", () => expect(parseSettings(freshSettings())).toEqual(freshSettings()));
  test("a relay without a port gets the usual one", () =>
    expect(parseSettings({ ...good, mail: { mode: "relay", relay: { host: "10.1.0.9" } } }).mail.relay?.port).toBe(25));

  const rows: [string, unknown, RegExp][] = [
    ["nothing", null, /^the settings must be an object\.$/],
    ["a list", [], /^the settings must be an object\.$/],
    ["no server", { interfaces: [] }, /^server is missing; it must be an object\.$/],
    ["unknown key", { ...good, colour: 1 }, /^Unknown key "colour"; remove it or correct its spelling\.$/],
    ["unknown key inside", withLan({ mtu: 1 }), /^Unknown key "mtu" in interfaces\.0; remove it/],
    ["misspelt key", { server: { nam: "node-a" } }, /^Unknown key "nam" in server;/],
    ["short name", { ...good, server: { name: "a" } }, /^server\.name must have at least 2 characters\.$/],
    ["long name", { ...good, server: { name: "a".repeat(43) } }, /^server\.name must have at most 42 characters\.$/],
    ["name of two lines", { ...good, server: { name: "a\nb" } }, /^server\.name must be plain text on one line\.$/],
    ["bad nic", withLan({ nic: "a/b" }), /^interfaces\.0\.nic must be the name of a network interface/],
    ["unknown role", withLan({ role: "dmz" }), /^interfaces\.0\.role must be "internal" or "external"\.$/],
    ["no address", withLan({ addresses: [] }), /^interfaces\.0\.addresses must have at least 1 entry\.$/],
    ["no prefix", withLan({ addresses: ["10.1.0.1"] }), /^interfaces\.0\.addresses\.0 must be .* prefix length/],
    ["prefix too long", withLan({ addresses: ["10.1.0.1/33"] }), /prefix length/],
    ["two prefixes", withLan({ addresses: ["10.1.0.1/24/24"] }), /prefix length/],
    ["bad IPv6 prefix", withLan({ addresses: ["fd00::1/129"] }), /prefix length/],
    ["same nic twice", { server, interfaces: [lan, lan] }, /lan0 is listed twice/],
    ["same address twice", withLan({ addresses: ["10.2.0.1/24"] }), /10\.2\.0\.1 is used twice/],
    ["gateway elsewhere", withLan({ gateway: "10.9.0.1" }), /in none of the interface's networks/],
    ["IPv6 gateway as IPv4", withLan({ gateway: "fd00::1" }), /use gateway6/],
    ["IPv4 gateway as IPv6", withLan({ gateway6: "10.1.0.2" }), /gateway6 must be/],
    ["enabled as text", withLan({ enabled: "no" }), /^interfaces\.0\.enabled must be true or false\.$/],
    ["lease above the floor", { ...good, cluster: { lease_ms: 40 } }, /cluster\.detect_floor_ms/],
    ["interval as text", { ...good, cluster: { interval_ms: "8" } }, /^cluster\.interval_ms must be a number\.$/],
    [
      "password in the clear",
      { ...good, administrators: [{ name: "admin", password_hash: "secret" }] },
      /^administrators\.0\.password_hash must be the Argon2id hash of a password\.$/,
    ],
    [
      "another first administrator",
      { ...good, administrators: [{ name: "zoe", password_hash: hash }] },
      /^administrators: the first one must be called admin, not zoe;/,
    ],
    [
      "the same administrator twice",
      { ...good, administrators: [...everything.administrators, everything.administrators[1]] },
      /^administrators: Zoë is listed twice/,
    ],
    ["name server by name", { ...good, dns: { servers: ["dns.example"] } }, /^dns\.servers\.0 must be an IP address/],
    [
      "the same port twice",
      { ...good, nat: { port_forwards: [1, 2].map(() => everything.nat.port_forwards[0]) } },
      /^nat\.port_forwards: tcp port 443 is forwarded twice/,
    ],
    [
      "port 0",
      { ...good, nat: { port_forwards: [{ protocol: "tcp", port: 0, to: "10.1.0.5" }] } },
      /^nat\.port_forwards\.0\.port must be at least 1\.$/,
    ],
    [
      "half a port",
      { ...good, nat: { port_forwards: [{ protocol: "tcp", port: 1.5, to: "10.1.0.5" }] } },
      /^nat\.port_forwards\.0\.port must be a whole number\.$/,
    ],
    ["relay without a host", { ...good, mail: { mode: "relay" } }, /^mail\.relay is missing/],
    [
      "relay at no host",
      { ...good, mail: { mode: "relay", relay: { host: "a b" } } },
      /^mail\.relay\.host must be the name or the IP address of a server/,
    ],
    [
      "an address that is none",
      { ...good, time: { servers: ["10.2.0.300"] } },
      /^time\.servers\.0 must be the name or the IP address/,
    ],
    [
      "the same domain twice",
      { ...good, mail: { domains: ["example.org", "Example.org"].map((name) => ({ name, server: "10.1.0.9" })) } },
      /^mail\.domains: example\.org is listed twice/,
    ],
    ["unknown zone", { ...good, time: { zone: "Mars/Base" } }, /^time\.zone must be a time zone/],
    ["empty license", { ...good, license: "" }, /^license must have at least 1 character\.$/],
  ];
  for (const [name, value, message] of rows)
    test(`refused: ${name}`, () => expect(() => parseSettings(value)).toThrow(message));
});

describe("what the nodes share", () => {
  const settings = parseSettings(everything);
  const mine = [
    { nic: "wan0", slot: 1 },
    { nic: "lan0", slot: 2 },
  ];

  test("there is no name of a server or an interface in it", () => {
    const text = JSON.stringify(sharedPart(settings, mine));
    for (const name of ["node-a", "lan0", "wan0"]) expect(text).not.toContain(`"${name}"`);
  });

  test("the peer's interfaces get theirs by slot, whatever they are called and in whatever order", () => {
    const theirs = {
      name: "node-b",
      slots: [
        { nic: "lan0", slot: 1 },
        { nic: "eth7", slot: 2 },
      ],
    };
    const peer = fromShared(sharedPart(settings, mine), theirs);
    expect(peer.server.name).toBe("node-b");
    expect(peer.interfaces.map(({ nic, role }) => [nic, role])).toEqual([
      ["eth7", "internal"],
      ["lan0", "external"],
    ]);
    expect(sharedPart(peer, theirs.slots)).toEqual(sharedPart(settings, mine));
  });

  test("and back again they are what they were", () =>
    expect(fromShared(sharedPart(settings, mine), localPart(settings, mine))).toEqual(settings));

  test("an interface without a counterpart is refused", () =>
    expect(() => fromShared(sharedPart(settings, mine), { name: "node-b", slots: [] })).toThrow(/slot 2/));

  test("new interfaces get slots that nobody has", () =>
    expect(slotsOf([{ nic: "a" }, { nic: "b" }, { nic: "c" }], [{ nic: "b", slot: 1 }])).toEqual([
      { nic: "a", slot: 2 },
      { nic: "b", slot: 1 },
      { nic: "c", slot: 3 },
    ]));
});
