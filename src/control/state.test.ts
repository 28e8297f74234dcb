/** A state directory that was damaged, or whose changes were cut short. */
import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeRevision } from "../settings/chain.ts";
import { parseSettings } from "../settings/model.ts";
import { localPart, sharedPart } from "../settings/shared.ts";
import { SettingsService } from "./settings-service.ts";
import { openSettings } from "./settings-start.ts";
import { Store } from "./store.ts";

const lan = { nic: "lan0", role: "internal", addresses: ["10.1.0.1/24"] };
const wan = { nic: "wan0", role: "external", addresses: ["10.2.0.1/24"], gateway: "10.2.0.254" };

describe("store", () => {
  const root = mkdtempSync(join(tmpdir(), "understudy-store-"));
  let directory = "";
  let count = 0;
  const path = (name: string) => join(directory, name);
  beforeEach(() => {
    directory = join(root, String(count++));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  const good = parseSettings({ server: { name: "node-a" }, interfaces: [lan, wan] });

  /** A node that starts on this directory, as far as the disk goes. */
  function start() {
    const store = new Store(directory);
    const database = openSettings(store);
    return { store, database, revision: database.head().number, local: database.local() };
  }

  test("what was saved comes back after a restart", () => {
    const store = new Store(directory);
    expect([store.cluster(), store.term()]).toEqual([null, 0]);
    store.saveTerm(7);
    const again = new Store(directory);
    expect([again.term(), again.warnings.length]).toEqual([7, 0]);
    again.erase();
    expect(again.term()).toBe(0);
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
  const content = JSON.stringify(sharedPart(good, []));
  const revision = makeRevision({ number: 3, id: "3" }, { at: "", author: "pairing", term: 0, content });
  const inherited = { revision, local: localPart(good, []) };

  test("joining that was cut short is neither half done nor lost", () => {
    const { store, database } = start();
    store.saveTerm(7);
    const take = () => database.reset([revision], inherited.local);
    // Where a power cut or a full disk stops it: a directory is in the way of the next file.
    mkdirSync(path("joining.json.new"));
    expect(() => store.saveJoined({ ...cluster, matches: [] }, inherited, take)).toThrow(/cannot be written/);
    expect(database.head().number).toBe(0);
    rmdirSync(path("joining.json.new"));
    mkdirSync(path("cluster.json.new"));
    expect(() => store.saveJoined({ ...cluster, matches: [] }, inherited, take)).toThrow(/cannot be written/);
    database.close();
    expect(() => start()).toThrow(/cannot be written/);
    rmdirSync(path("cluster.json.new"));
    const again = start();
    expect([again.revision, again.local, again.store.cluster()?.id, again.store.term()]).toEqual([
      4,
      inherited.local,
      cluster.id,
      0,
    ]);
    again.database.append([makeRevision(revision, { at: "", author: "", term: 0, content })]);
    again.database.close();
    const last = start();
    expect(last.revision).toBe(5);
    last.database.close();
  });

  test("a node that joins keeps nothing of the settings that it had, backup copies included (S15)", () => {
    const { store, database } = start();
    mkdirSync(path("backups"));
    for (const name of ["backups/old", "settings.db.damaged"]) writeFileSync(path(name), "secret");
    store.saveJoined({ ...cluster, matches: [] }, inherited, () => database.reset([revision], inherited.local));
    database.close();
    expect(readdirSync(directory).filter((name) => /backups|damaged/.test(name))).toEqual([]);
  });

  test("an erasure that was cut short is ended at the next start", () => {
    const { store, database } = start();
    store.saveJoined({ ...cluster, matches: [] }, inherited, () => database.reset([revision], inherited.local));
    store.saveTerm(9);
    store.beginErasure();
    database.close();
    rmSync(path("settings.copy.json"));
    new Store(directory).finishErasure();
    expect(readdirSync(directory)).toEqual([]);
    const again = start();
    expect([again.revision, again.store.cluster(), again.store.term()]).toEqual([0, null, 0]);
    again.database.close();
  });

  describe("settings of an earlier version", () => {
    const value = { revision: 12, settings: { server: { name: "node-a" }, interfaces: [lan, wan] } };
    const digest = createHash("sha256").update(JSON.stringify(value)).digest("hex");
    const leave = () => {
      mkdirSync(directory);
      writeFileSync(path("settings.json"), JSON.stringify({ digest, value }));
    };

    test("are taken over with their revision, and their file goes", () => {
      leave();
      const { database, store } = start();
      const service = new SettingsService(database, { term: () => 0, demand: () => {}, changed: () => {} });
      expect([service.revision, service.current]).toEqual([12, good]);
      expect([readdirSync(directory).includes("settings.json"), store.warnings]).toEqual([false, []]);
      service.close();
      expect(start().revision).toBe(12);
    });

    test("get the slots of the cluster that the node is in", () => {
      leave();
      const matches = [
        { nic: "wan0", slot: 1, peer_mac: "" },
        { nic: "lan0", slot: 2, peer_mac: "" },
      ];
      new Store(directory).saveCluster({ ...cluster, matches });
      const { local, database } = start();
      expect(local.slots.map(({ nic, slot }) => `${nic}=${slot}`)).toEqual(["lan0=2", "wan0=1"]);
      database.close();
    });

    test("that are damaged are refused, and stay", () => {
      leave();
      writeFileSync(path("settings.json"), "{");
      expect(() => start()).toThrow(/settings\.json is damaged and there is no good copy/);
      expect(readdirSync(directory)).toContain("settings.json");
    });

    test("that come back beside newer ones are not used", () => {
      leave();
      const { database } = start();
      database.append([makeRevision(database.head(), { at: "", author: "", term: 0, content })]);
      database.close();
      writeFileSync(path("settings.json"), JSON.stringify({ digest, value }));
      expect(start().revision).toBe(13);
    });
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
