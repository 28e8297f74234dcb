/** Updates of a node and of a pair: real bundles, slots in directories, and starts as systemd-boot makes them. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeBundle } from "../../test/update/bundle.ts";
import { fakeImage } from "../../test/update/image.ts";
import { startSystem } from "../../test/update/loader.ts";
import type { LoggedEvent } from "./events.ts";
import type { UpdateMessage } from "./replication.ts";
import { Updater } from "./updater.ts";

const OLD = 10;
const NEW = 11;
const BUNDLE = makeBundle(fakeImage(NEW));
const TICKS_MAX = 3000;

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "understudy-updater-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** One machine; its time is the world's. */
class Machine {
  readonly number: 1 | 2;
  readonly world: World;
  readonly events: LoggedEvent[] = [];
  readonly slots: string;
  updater!: Updater;
  build = OLD;
  active = false;
  up = true;
  restarts = 0;
  /** This build's page never answers. */
  unwell_build = 0;
  to_peer: UpdateMessage[] = [];
  #rebooting = false;

  constructor(world: World, number: 1 | 2) {
    this.world = world;
    this.number = number;
    this.slots = join(directory, `boot-${number}`, "EFI/Linux");
    mkdirSync(this.slots, { recursive: true });
    writeFileSync(join(this.slots, "understudy-a.efi"), fakeImage(OLD));
  }

  get peer(): Machine | null {
    return this.world.machines.find((machine) => machine !== this) ?? null;
  }

  async start(): Promise<void> {
    this.build = startSystem(this.slots);
    this.updater = new Updater({
      state_directory: join(directory, `state-${this.number}`),
      boot: join(directory, `boot-${this.number}`),
      running: { version: "0.1.0", build: this.build },
      now_ms: () => this.world.now_ms,
      events: {
        add: (code, severity, message) => this.events.push({ at: "", code, severity, message }),
        latest: () => [],
      },
      surroundings: () => {
        const { peer } = this;
        return {
          node: this.number,
          cluster: peer === null ? null : "c",
          role: peer === null ? "standalone" : this.active ? "active" : "backup",
          in_sync: peer?.build === this.build,
          maintenance: false,
          heart: true,
          peer:
            peer === null
              ? null
              : {
                  name: `node ${peer.number}`,
                  heard: peer.up,
                  active: peer.active,
                  unwilling: false,
                  build: peer.build,
                },
        };
      },
      probeWeb: async () => this.build !== this.unwell_build,
      handOver: async () => {
        if (this.peer === null) return;
        this.active = false;
        this.peer.active = true;
      },
      reboot: () => {
        this.#rebooting = true;
      },
      tell: (message) => {
        if (this.peer?.up !== true || !this.up) return false;
        this.to_peer.push(structuredClone(message));
        return true;
      },
    });
    await this.updater.prepare();
    this.up = true;
  }

  async tick(): Promise<void> {
    for (const message of this.peer?.to_peer.splice(0) ?? []) this.updater.link.message(message);
    // A download waits for messages, which come with the next ticks.
    void this.updater.tick();
    await Bun.sleep(1);
    if (!this.#rebooting) return;
    this.#rebooting = false;
    this.restarts += 1;
    if (this.active) throw new Error("It left its service.");
    this.peer?.updater.link.disconnected();
    this.updater.stop();
    await this.start();
    this.peer?.updater.link.connected();
  }

  codes(): string[] {
    return this.events.map(({ code }) => code).filter((code) => code !== "update-step");
  }
}

class World {
  readonly machines: Machine[] = [];
  now_ms = 1_000_000;

  async begin(count: 1 | 2): Promise<Machine> {
    for (let number = 1; number <= count; number++) this.machines.push(new Machine(this, number as 1 | 2));
    const [first] = this.machines;
    if (first === undefined) throw new Error("no machine");
    first.active = count === 2;
    for (const machine of this.machines) await machine.start();
    for (const machine of this.machines) machine.updater.link.connected();
    return first;
  }

  async until(state: string): Promise<void> {
    const states = () => this.machines.map(({ updater }) => updater.status().plan?.state);
    for (let tick = 0; tick < TICKS_MAX; tick++) {
      this.now_ms += 1000;
      for (const machine of this.machines) if (machine.up) await machine.tick();
      if (states().every((one) => one === state)) return;
    }
    const told = this.machines.map(({ updater, events }) => [updater.status(), events.slice(-10)]);
    throw new Error(`not ${state}: ${JSON.stringify(told, null, 2)}`);
  }

  builds(): number[] {
    return this.machines.map(({ build }) => build);
  }
}

async function upload(machine: Machine, bundle = BUNDLE): Promise<void> {
  for (let at = 0; at < bundle.length; )
    at = (await machine.updater.upload(at, bundle.subarray(at, at + (1 << 20)))).received_bytes;
}

test("one node: written, tried, blessed, and the version before can be restored", async () => {
  const world = new World();
  const node = await world.begin(1);
  await upload(node);
  node.updater.begin({ order: "active-first", alone: false });
  await world.until("done");
  expect([node.build, node.restarts]).toEqual([NEW, 1]);
  expect(readdirSync(node.slots).sort()).toEqual(["understudy-a.efi", "understudy-b.efi"]);
  expect(node.codes()).toEqual(["update-started", "update-trial", "update-proved", "update-done"]);
  expect(node.updater.status().staged).toBe(null);
  node.updater.restore({ alone: false });
  await world.until("aborted");
  expect(node.build).toBe(OLD);
  // And forward again.
  node.updater.restore({ alone: false });
  await world.until("aborted");
  expect([node.build, node.updater.status().running.blessed]).toEqual([NEW, false]);
});

test("one node, on which the new version's page does not answer: the old one is back after three tries and says why", async () => {
  const world = new World();
  const node = await world.begin(1);
  node.unwell_build = NEW;
  await upload(node);
  node.updater.begin({ order: "active-first", alone: false });
  await world.until("failed");
  expect([node.build, node.restarts]).toEqual([OLD, 4]);
  const { plan, other } = node.updater.status();
  expect(plan?.reason).toBe("The new version did not come up here: its web interface did not answer");
  expect(other).toMatchObject({ build: NEW, state: "failed" });
  expect(node.codes().filter((code) => code === "update-fell-back")).toHaveLength(1);
  // Mended meanwhile: the same update is tried again.
  node.unwell_build = 0;
  node.updater.begin({ order: "active-first", alone: false });
  await world.until("done");
  expect(node.build).toBe(NEW);
});

for (const [order, restarts] of [
  ["active-first", [1, 2]],
  ["backup-first", [2, 1]],
] as const)
  test(`two nodes, ${order}: the second one gets the update from the first`, async () => {
    const world = new World();
    const node = await world.begin(2);
    await upload(node);
    world.now_ms += 1000;
    for (const machine of world.machines) await machine.tick();
    node.updater.begin({ order, alone: false });
    await world.until("done");
    expect(world.builds()).toEqual([NEW, NEW]);
    expect(world.machines.map((machine) => machine.restarts)).toEqual([1, 1]);
    expect(world.machines[restarts[0] - 1]?.events.findIndex(({ code }) => code === "update-trial")).toBeGreaterThan(
      -1,
    );
    expect(world.machines.map(({ updater }) => updater.status().staged)).toEqual([null, null]);
  });

test("two nodes, aborted when the first one runs the new version: both are back on the old one", async () => {
  const world = new World();
  const node = await world.begin(2);
  await upload(node);
  for (const machine of world.machines) await machine.tick();
  node.updater.begin({ order: "active-first", alone: false });
  for (let tick = 0; tick < 200 && node.build !== NEW; tick++) {
    world.now_ms += 1000;
    for (const machine of world.machines) await machine.tick();
  }
  world.machines[1]?.updater.abort();
  await world.until("aborted");
  expect(world.builds()).toEqual([OLD, OLD]);
});

test("what is asked at the wrong moment is refused in one sentence", async () => {
  const world = new World();
  const node = await world.begin(2);
  const [, backup] = world.machines;
  const begin = (machine: Machine | undefined, alone = false) =>
    machine?.updater.begin({ order: "active-first", alone });
  expect(() => begin(node)).toThrow(/no whole update/);
  expect(() => node.updater.pause()).toThrow(/No update is under way/);
  expect(() => node.updater.resume()).toThrow(/No update is paused/);
  expect(() => node.updater.abort()).toThrow(/No update is under way/);
  expect(() => node.updater.restore({ alone: false })).toThrow(/no other version/);
  await upload(node);
  for (const machine of world.machines) await machine.tick();
  if (backup) backup.up = false;
  expect(() => begin(node)).toThrow(/is not heard.*--alone/);
  if (backup) backup.up = true;
  begin(node);
  await expect(upload(node)).rejects.toMatchObject({ code: "update-under-way" });
  expect(() => begin(node)).toThrow(/is under way/);
  node.updater.pause();
  for (const machine of world.machines) await machine.tick();
  expect(backup?.updater.status().plan).toMatchObject({ state: "paused" });
  backup?.updater.resume();
  await world.until("done");
  await expect(upload(node)).rejects.toMatchObject({ code: "update-same" });
  expect(() => begin(node)).toThrow(/no whole update/);
});

test("without --boot nothing is offered", async () => {
  const updater = new Updater({
    state_directory: join(directory, "none"),
    boot: null,
    events: { add: () => {}, latest: () => [] },
    surroundings: () => ({
      node: 1,
      cluster: null,
      role: "standalone",
      in_sync: false,
      maintenance: false,
      heart: true,
      peer: null,
    }),
    probeWeb: async () => true,
    handOver: async () => {},
    reboot: () => {},
    tell: () => false,
  });
  await updater.prepare();
  expect(updater.status().unavailable).toMatch(/without --boot/);
  await expect(updater.upload(0, BUNDLE)).rejects.toMatchObject({ code: "no-updates" });
});
