/** Interfaces that somebody changes by hand, once or again and again. */
import { expect, test } from "bun:test";
import type { Link } from "../kernel/links.ts";
import { InterfaceWatch, type WatchedInterface, watchedInterfaces } from "./interface-watch.ts";

const lan: WatchedInterface = { nic: "lan0", enabled: true, gateways: [] };
const wan: WatchedInterface = { nic: "wan0", enabled: true, gateways: ["10.2.0.254", "fd02::254"] };
const spare: WatchedInterface = { nic: "spare0", enabled: false, gateways: [] };

function world() {
  const links = [lan, wan, spare].map(({ nic, enabled }, index) => ({ name: nic, index, up: enabled }) as Link);
  const all = wan.gateways.map((gateway) => ({ link_index: 1, gateway }));
  const world = {
    now_ms: 0,
    gateways: [...all],
    restored: 0,
    events: [] as string[],
    link: (nic: string) => links.find(({ name }) => name === nic) as Link,
    check: (interfaces = [lan, wan, spare]) => {
      world.now_ms += 1000;
      watch.check(interfaces);
    },
  };
  const watch = new InterfaceWatch(
    {
      now: () => world.now_ms,
      links: () => links.map((link) => ({ ...link })),
      setUp: ({ name }, up) => {
        world.link(name).up = up;
      },
      gateways: () => world.gateways,
      restoreGateways: () => {
        world.restored++;
        world.gateways = [...all];
      },
    },
    (code, _, message) => world.events.push(`${code}: ${message}`),
  );
  world.check();
  return world;
}

test("where nobody does anything, nothing is done", () => {
  const it = world();
  for (let i = 0; i < 100; i++) it.check();
  expect([it.events, it.restored]).toEqual([[], 0]);
});

test("a link that was set down is up again, and its gateways with it, in one event", () => {
  const it = world();
  it.link("wan0").up = false;
  it.gateways = [];
  it.check();
  it.check();
  expect([it.link("wan0").up, it.restored, it.gateways.length]).toEqual([true, 1, 2]);
  expect(it.events).toEqual([
    "interface-restored: Somebody set down wan0; it is up again. Change it in the settings only.",
  ]);
});

test("a disabled link that was set up is down again", () => {
  const it = world();
  it.link("spare0").up = true;
  it.check();
  expect(it.link("spare0").up).toBe(false);
  expect(it.events).toEqual([
    "interface-restored: Somebody set up spare0; it is down again, as it is disabled. Change it in the settings only.",
  ]);
});

test("a gateway that was removed comes back", () => {
  const it = world();
  it.gateways = it.gateways.slice(1);
  it.check();
  expect([it.restored, it.events]).toEqual([
    1,
    [
      "gateway-restored: Somebody removed the default gateway 10.2.0.254 on wan0; it is back. Change it in the settings only.",
    ],
  ]);
});

test("gateways that are wanted since this moment may be on their way; those of another node are nobody's matter", () => {
  const it = world();
  it.gateways = [];
  const backup = [lan, { ...wan, gateways: [] }, spare];
  for (let i = 0; i < 5; i++) it.check(backup);
  it.check();
  expect(it.restored).toBe(0);
  it.check();
  expect(it.restored).toBe(1);
});

test("an interface that is not there is nobody's matter", () => {
  const it = world();
  it.check([{ nic: "gone0", enabled: true, gateways: ["10.9.0.1"] }]);
  it.check([{ nic: "gone0", enabled: true, gateways: ["10.9.0.1"] }]);
  expect([it.events, it.restored]).toEqual([[], 0]);
});

test("after the fifth time in a minute it rests for a minute, says so once, and begins again", () => {
  const it = world();
  const log: boolean[] = [];
  for (let second = 0; second < 70; second++) {
    it.link("lan0").up = false;
    it.check();
    log.push(it.link("lan0").up);
  }
  expect(log.slice(0, 6)).toEqual([true, true, true, true, true, false]);
  expect(log.slice(6, 64).includes(true)).toBe(false);
  expect(log.slice(66)).toEqual([true, true, true, true]);
  const said = it.events.filter((event) => event.startsWith("interface-contested"));
  expect(said[0]).toBe(
    "interface-contested: In the last minute lan0 was set down 6 times; it is left alone for a minute. Find out which program does that.",
  );
  expect(said.length).toBe(1);
});

test("now and then is no fight", () => {
  const it = world();
  for (let i = 0; i < 20; i++) {
    it.link("lan0").up = false;
    it.check();
    expect(it.link("lan0").up).toBe(true);
    it.now_ms += 14_000;
  }
});

test("a kernel that refuses is an event", () => {
  const events: string[] = [];
  const kernel = {
    now: () => 0,
    links: () => {
      throw new Error("no");
    },
    setUp: () => {},
    gateways: () => [],
    restoreGateways: () => {},
  };
  new InterfaceWatch(kernel, (code) => events.push(code)).check([lan]);
  expect(events).toEqual(["interface-refused"]);
});

test("a disabled interface is left alone while its card is tried for a cluster, and no longer", () => {
  const interfaces = [
    { nic: "lan0", role: "internal" as const, addresses: [] },
    { nic: "spare0", role: "internal" as const, addresses: [], enabled: false },
  ];
  const watched = (is_pairing: boolean, cluster_nic?: string) =>
    watchedInterfaces(interfaces, { cluster_nic, holds: true, is_pairing }).map(({ nic }) => nic);
  expect(watched(true)).toEqual(["lan0"]);
  expect(watched(false)).toEqual(["lan0", "spare0"]);
  expect(watched(false, "clu0")).toEqual(["clu0", "lan0", "spare0"]);
});
