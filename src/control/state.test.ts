/** A state directory that was damaged, or whose changes were cut short. */
import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseSettings } from "../settings/model.ts";
import { Store } from "./store.ts";

const lan = { nic: "lan0", role: "internal", addresses: ["10.1.0.1/24"] };
const wan = { nic: "wan0", role: "external", addresses: ["10.2.0.1/24"], gateway: "10.2.0.254" };
const server = { name: "node-a" };
const good = { server, interfaces: [lan, wan] };

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
