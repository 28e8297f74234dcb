/** Places in the settings by their names, and what is put there. */
import { describe, expect, test } from "bun:test";
import { parseSettings, type Settings } from "./model.ts";
import { getPath, setPath } from "./paths.ts";
import { redacted, withSecrets } from "./secrets.ts";

const hash = "$argon2id$v=19$m=65536,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA";
const SETTINGS = parseSettings({
  server: { name: "node-a" },
  administrators: [{ name: "admin", password_hash: hash }],
  interfaces: [
    { nic: "eth0", role: "internal", addresses: ["10.1.0.1/24"] },
    { nic: "eth0.100", role: "external", addresses: ["10.2.0.1/24"], gateway: "10.2.0.254" },
  ],
  dns: { servers: ["10.2.0.53"] },
  nat: { port_forwards: [{ protocol: "tcp", port: 443, to: "10.1.0.5" }] },
  mail: { domains: [{ name: "example.org", server: "10.1.0.9" }] },
});

function after(path: string, value: unknown): Settings {
  const settings = structuredClone(SETTINGS);
  setPath(settings, path, value);
  return parseSettings(settings);
}

describe("a path leads to", () => {
  const rows: [string, unknown][] = [
    ["", SETTINGS],
    ["server", { name: "node-a" }],
    ["server.name", "node-a"],
    ["dns.servers.0", "10.2.0.53"],
    ["interfaces.eth0.role", "internal"],
    ["interfaces.eth0.100.role", "external"],
    ["interfaces.eth0.100", SETTINGS.interfaces[1]],
    ["interfaces.eth0.addresses.0", "10.1.0.1/24"],
    ["administrators.admin.password_hash", hash],
    ["nat.port_forwards.0.to", "10.1.0.5"],
    ["mail.domains.example.org.server", "10.1.0.9"],
    ["license", null],
  ];
  for (const [path, value] of rows) test(path || "everything", () => expect(getPath(SETTINGS, path)).toEqual(value));

  for (const path of [
    "colour",
    "server.colour",
    "server.name.0",
    "interfaces.eth9",
    "dns.servers.1",
    "dns.servers.x",
    ".",
    "server.",
    "cluster.lease_ms",
    "__proto__.x",
  ])
    test(`nothing: ${path}`, () =>
      expect(() => getPath(SETTINGS, path)).toThrow(`There is no ${path} in the settings`));
});

describe("a change", () => {
  test("of one value", () => expect(after("interfaces.eth0.enabled", false).interfaces[0]?.enabled).toBe(false));
  test("of a list, as words", () =>
    expect(after("dns.servers", "10.2.0.53, fd00::53").dns.servers).toEqual(["10.2.0.53", "fd00::53"]));
  test("of a list, emptied", () => expect(after("dns.servers", "").dns.servers).toEqual([]));
  test("of a list, as one", () => expect(after("dns.servers", ["1.2.3.4"]).dns.servers).toEqual(["1.2.3.4"]));
  test("adds an entry at the end", () =>
    expect(after("dns.servers.1", "1.2.3.4").dns.servers).toEqual(["10.2.0.53", "1.2.3.4"]));
  test("adds an interface by its name", () =>
    expect(after("interfaces.lan.7", { role: "internal", addresses: ["10.7.0.1/24"] }).interfaces[2]?.nic).toBe(
      "lan.7",
    ));
  test("makes a group that was not there", () =>
    expect(after("cluster.lease_ms", 18).cluster).toEqual({ lease_ms: 18 }));
  test("of a text to what looks like a number", () => expect(after("server.name", 1234).server.name).toBe("1234"));
  test("removes an interface", () =>
    expect(after("interfaces.eth0", null).interfaces.map(({ nic }) => nic)).toEqual(["eth0.100"]));
  test("removes a value", () =>
    expect(after("interfaces.eth0.100.gateway", null).interfaces[1]?.gateway).toBeUndefined());
  test("removes a group: its default comes back", () => expect(after("dns", null).dns).toEqual({ servers: [] }));

  const refused: [string, unknown, RegExp][] = [
    ["interfaces.eth9.enabled", false, /There is no interfaces\.eth9\.enabled in the settings/],
    ["interfaces.eth9", null, /There is no interfaces\.eth9/],
    ["dns.servers.5", "1.2.3.4", /There is no dns\.servers\.5/],
    ["server.colour", "red", /Unknown key "colour" in server/],
    ["nat.masquerade", "perhaps", /nat\.masquerade must be true or false/],
  ];
  for (const [path, value, sentence] of refused)
    test(`refused: ${path}`, () => expect(() => after(path, value)).toThrow(sentence));
});

describe("secrets", () => {
  test("are not shown, and come back with what is sent back", () => {
    const shown = redacted(SETTINGS);
    expect(JSON.stringify(shown)).not.toContain("argon2");
    expect(parseSettings(withSecrets(shown, SETTINGS))).toEqual(SETTINGS);
  });
  test("of nobody are not made up", () =>
    expect(() =>
      parseSettings(withSecrets({ ...SETTINGS, administrators: [{ name: "root", password_hash: "set" }] }, SETTINGS)),
    ).toThrow(/password_hash must be the Argon2id hash/));
  test("in input without form are nobody's matter", () => {
    for (const value of [null, 1, [], { administrators: 1 }, { administrators: [null] }])
      expect(withSecrets(value, SETTINGS)).toEqual(value as never);
  });
});
