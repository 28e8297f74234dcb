/** Settings that are refused, and a state directory that was damaged. */
import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseSettings } from "./settings.ts";
import { Store } from "./store.ts";

const lan = { nic: "lan0", role: "internal", addresses: ["10.1.0.1/24"] };
const wan = { nic: "wan0", role: "external", addresses: ["10.2.0.1/24"], gateway: "10.2.0.254" };
const server = { name: "node-a" };
const good = { server, interfaces: [lan, wan] };
const withLan = (change: object) => ({ server, interfaces: [{ ...lan, ...change }, wan] });

describe("settings", () => {
  test("what the specification shows is accepted", () => expect(parseSettings(good)).toEqual(good as never));

  const rows: [string, unknown, RegExp][] = [
    ["nothing", null, /the settings/],
    ["a list", [], /the settings/],
    ["unknown key", { ...good, colour: 1 }, /Unknown key "colour";/],
    ["unknown key inside", withLan({ mtu: 1 }), /Unknown key "mtu" in interfaces\.0/],
    ["short name", { ...good, server: { name: "a" } }, /server\.name/],
    ["long name", { ...good, server: { name: "a".repeat(43) } }, /server\.name/],
    ["bad nic", withLan({ nic: "a/b" }), /interfaces\.0\.nic/],
    ["unknown role", withLan({ role: "dmz" }), /interfaces\.0\.role/],
    ["no address", withLan({ addresses: [] }), /interfaces\.0\.addresses/],
    ["no prefix", withLan({ addresses: ["10.1.0.1"] }), /prefix length/],
    ["prefix too long", withLan({ addresses: ["10.1.0.1/33"] }), /prefix length/],
    ["bad IPv6 prefix", withLan({ addresses: ["fd00::1/129"] }), /prefix length/],
    ["same nic twice", { server, interfaces: [lan, lan] }, /lan0 is listed twice/],
    ["same address twice", withLan({ addresses: ["10.2.0.1/24"] }), /10\.2\.0\.1 is used twice/],
    ["gateway elsewhere", withLan({ gateway: "10.9.0.1" }), /in none of the interface's networks/],
    ["IPv6 gateway as IPv4", withLan({ gateway: "fd00::1" }), /use gateway6/],
    ["IPv4 gateway as IPv6", withLan({ gateway6: "10.1.0.2" }), /gateway6 must be/],
    ["lease above the floor", { ...good, cluster: { lease_ms: 40 } }, /cluster\.detect_floor_ms/],
    ["interval as text", { ...good, cluster: { interval_ms: "8" } }, /cluster\.interval_ms/],
  ];
  for (const [name, value, message] of rows)
    test(`refused: ${name}`, () => expect(() => parseSettings(value)).toThrow(message));
});

describe("store", () => {
  const root = mkdtempSync(join(tmpdir(), "understudy-store-"));
  let directory = "";
  let count = 0;
  const path = (name: string) => join(directory, name);
  beforeEach(() => {
    directory = join(root, String(count++));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  test("what was saved comes back after a restart", () => {
    const store = new Store(directory);
    expect([store.settings().revision, store.cluster(), store.term()]).toEqual([0, null, 0]);
    store.saveTerm(7);
    store.saveSettings(3, parseSettings(good));
    const again = new Store(directory);
    expect([again.settings().revision, again.term(), again.warnings.length]).toEqual([3, 7, 0]);
    again.erase();
    expect([again.settings().revision, again.term()]).toEqual([0, 0]);
  });

  const damages: [string, (text: string) => string][] = [
    ["empty", () => ""],
    ["half-written", (text) => text.slice(0, text.length / 2)],
    ["changed", (text) => text.replace('"value":8', '"value":9')],
    ["other JSON", () => "null"],
  ];
  for (const [name, damage] of damages)
    test(`${name}: the previous copy is used, and kept at the next write`, () => {
      const store = new Store(directory);
      store.saveTerm(7);
      store.saveTerm(8);
      writeFileSync(path("term.json"), damage(readFileSync(path("term.json"), "utf8")));
      const again = new Store(directory);
      expect(again.term()).toBe(7);
      expect(again.warnings).toEqual([`${path("term.json")} is damaged; the copy before it is used.`]);
      again.saveTerm(9);
      writeFileSync(path("term.json"), "");
      expect(new Store(directory).term()).toBe(7);
    });

  const cluster = {
    id: "00000001",
    key: "00",
    node: 2,
    peer_name: "node-a",
    nic: "eth2",
    peer_mac: "",
    matches: [],
  } as const;
  const inherited = { revision: 4, settings: parseSettings(good) };

  test("joining that was cut short is neither half done nor lost", () => {
    const store = new Store(directory);
    store.saveTerm(7);
    // Where a power cut or a full disk stops it: a directory is in the way of the next file.
    mkdirSync(path("cluster.json.new"));
    expect(() => store.saveJoined({ ...cluster, matches: [] }, inherited)).toThrow(/cannot be written/);
    expect(new Store(directory).settings().revision).toBe(0);
    rmdirSync(path("cluster.json.new"));
    const again = new Store(directory);
    again.recover();
    expect([again.settings(), again.cluster()?.id, again.term()]).toEqual([inherited, cluster.id, 0]);
    again.saveSettings(5, parseSettings(good));
    again.recover();
    expect(again.settings().revision).toBe(5);
  });

  test("an erasure that was cut short is ended at the next start", () => {
    const store = new Store(directory);
    store.saveJoined({ ...cluster, matches: [] }, inherited);
    store.saveTerm(9);
    store.beginErasure();
    rmSync(path("settings.json"));
    const again = new Store(directory);
    again.recover();
    expect([again.settings().revision, again.cluster(), again.term()]).toEqual([0, null, 0]);
    expect(readdirSync(directory)).toEqual([]);
  });

  test("a cluster that is forgotten leaves no older copy for the next start", () => {
    const store = new Store(directory);
    store.saveCluster({ ...cluster, matches: [] });
    store.saveCluster({ ...cluster, matches: [], departed: true });
    store.saveCluster(null);
    expect(readdirSync(directory)).toEqual([]);
  });

  test("a file that was never renamed changes nothing", () => {
    new Store(directory).saveTerm(7);
    writeFileSync(path("term.json.new"), '{"digest":');
    expect(new Store(directory).term()).toBe(7);
  });

  test("no good copy left: refused, not forgotten", () => {
    new Store(directory).saveTerm(7);
    writeFileSync(path("term.json"), "");
    expect(() => new Store(directory).term()).toThrow(/damaged and there is no good copy/);
  });

  test("a file in place of the directory is refused", () => {
    writeFileSync(directory, "");
    expect(() => new Store(directory)).toThrow(/state directory|not a directory/);
  });
});
