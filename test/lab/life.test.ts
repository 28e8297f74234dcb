/**
 * What a cluster's settings and its end do to traffic: settings change under a live pair, very many
 * addresses move at once, and the cluster is destroyed from either node, with the other present or away.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import type { Settings } from "../../src/settings/model.ts";
import { formCluster, Pair, SETTINGS } from "./pair.ts";
import { sh, until } from "./shell.ts";
import { LAN_ADDRESS, type Side } from "./topology.ts";

const TEST_MS = 120_000;
/** IPv6 ones cost the kernel most: adding them takes far longer than a lease lasts. */
const MANY_IPV4 = 1000;
const MANY_IPV6 = 100;
/** One switch is one term; a pair that flaps goes through dozens. */
const FLAPPING = 5;

let pair: Pair;

beforeAll(async () => {
  pair = await Pair.make();
}, TEST_MS);

afterAll(() => pair?.remove());

const other = (side: Side): Side => (side === "a" ? "b" : "a");
const settingsOf = (side: Side) => JSON.parse(pair.node(side).command(["settings", "export"])) as Settings;
const addressesIn = (side: Side) => sh(pair.lab.inside(side, ["ip", "-o", "addr"]));

/** On the active node, which is the only one that takes them. */
async function importOnActive(change: (settings: Settings) => void): Promise<void> {
  const side = await activeSide();
  const settings = settingsOf(side);
  change(settings);
  pair.node(side).command(["settings", "import", "-"], JSON.stringify(settings));
}

const linkFlags = (side: Side, nic: string) =>
  (/<(.*?)>/.exec(sh(pair.lab.inside(side, ["ip", "link", "show", nic])))?.[1] ?? "").split(",");

const lanOf = (settings: Settings) => {
  const lan = settings.interfaces.find(({ nic }) => nic === "lan0");
  if (lan === undefined) throw new Error("no lan0");
  return lan;
};

async function activeSide(): Promise<Side> {
  await pair.findActive();
  return pair.active;
}

describe("settings under a live pair", () => {
  test(
    "an address more, an address less: role and term stay, nobody else answers",
    async () => {
      const before = await pair.a.status();
      pair.mark();
      await importOnActive((settings) => lanOf(settings).addresses.push("10.1.0.77/24"));
      await until("the new address is there", () => addressesIn("a").includes("10.1.0.77/24"));
      await importOnActive((settings) => lanOf(settings).addresses.pop());
      await until("it is gone again", () => !addressesIn("a").includes("10.1.0.77/24"));
      await pair.untilSteady("a");
      await pair.judge(0);
      const after = await pair.a.status();
      expect([after?.role, after?.term]).toEqual(["active", before?.term]);
      expect(after?.settings_revision).toBe((before?.settings_revision ?? 0) + 2);
    },
    TEST_MS,
  );

  test(
    "a disabled interface is down and empty, and its loss is no fault; enabled again it serves again",
    async () => {
      await pair.untilSteady("a");
      await importOnActive((settings) => {
        lanOf(settings).enabled = false;
      });
      for (const side of ["a", "b"] as const) {
        await until(`lan0 of ${side} is down`, () => !linkFlags(side, "lan0").includes("UP"));
        expect(addressesIn(side)).not.toContain(LAN_ADDRESS);
      }
      await until("both still agree", async () => (await pair.a.status())?.operational === true);
      await importOnActive((settings) => {
        delete lanOf(settings).enabled;
      });
      // The kernel takes longer to open a capture than the lease lasts, so the role may have moved, once and in order.
      await pair.findActive();
      await pair.untilSteady(pair.active);
    },
    TEST_MS,
  );

  test(
    `${MANY_IPV4} IPv4 and ${MANY_IPV6} IPv6 addresses move in one switch, and in one failover`,
    async () => {
      const ipv4 = Array.from({ length: MANY_IPV4 }, (_, i) => `10.1.${16 + (i >> 8)}.${i & 255}/16`);
      const ipv6 = Array.from({ length: MANY_IPV6 }, (_, i) => `fd00:1::1:${(i + 1).toString(16)}/64`);
      await importOnActive((settings) => lanOf(settings).addresses.push(...ipv4, ...ipv6));
      const last = ipv6.at(-1) ?? "";
      // So large an import may itself cost the active node its role, once and in order.
      const hasAll = async () => addressesIn(await activeSide()).includes(last);
      await until("the active node has all of them", hasAll);
      const first = await activeSide();
      const second = other(first);
      await pair.untilSteady(first);
      const term = (await pair.node(first).status())?.term ?? 0;
      pair.node(first).command(["cluster", "switch"]);
      await until("the other has all of them", () => addressesIn(second).includes(last));
      await pair.untilSteady(second);
      expect((await pair.node(second).status())?.term).toBeLessThan(term + FLAPPING);
      await until("the first has none of them", () => !addressesIn(first).includes("10.1.16.0/16"));
      pair.node(second).freeze();
      await until("the first has all of them again", () => addressesIn(first).includes(last));
      pair.node(second).thaw();
      await pair.untilSteady(first);
      expect((await pair.node(first).status())?.term).toBeLessThan(term + FLAPPING);
      await importOnActive((settings) => {
        lanOf(settings).addresses = SETTINGS.interfaces[0]?.addresses ?? [];
      });
      await pair.untilSteady(await activeSide());
    },
    TEST_MS,
  );
});

describe("S20: destroying the cluster", () => {
  /** `side` goes on with its settings and traffic flows; the other one is as freshly installed. */
  async function expectAloneAndFresh(side: Side): Promise<void> {
    await until(`node ${other(side)} is reset`, async () => {
      const status = await pair.node(other(side)).status();
      return status?.role === "standalone" && status.addresses.length === 0 && status.settings_revision === 0;
    });
    expect(settingsOf(other(side)).interfaces).toEqual([]);
    expect(addressesIn(other(side))).not.toContain(LAN_ADDRESS);
    await until("nothing is left to tell", async () => {
      const events = await pair.node(side).events();
      const last = (code: string) => events.findLastIndex((event) => event.code === code);
      return (await pair.node(side).role()) === "standalone" && last("peer-erased") > last("cluster-destroyed");
    });
    expect(addressesIn(side)).toContain(LAN_ADDRESS);
    await pair.untilTraffic();
    await pair.node(side).reboot();
    await until("alone after a reboot too", async () => (await pair.node(side).role()) === "standalone");
    await pair.untilTraffic();
  }

  /** The node that went on alone takes the fresh one for its backup again. */
  async function again(side: Side): Promise<void> {
    await formCluster(pair.node(side), pair.node(other(side)), settingsOf(side));
    await pair.untilSteady(side);
  }

  test(
    "on the active node",
    async () => {
      const side = await activeSide();
      pair.mark();
      pair.node(side).command(["cluster", "destroy", "--yes"]);
      await pair.untilTraffic();
      await pair.judge(0);
      await expectAloneAndFresh(side);
      await again(side);
    },
    TEST_MS,
  );

  test(
    "on the backup: it takes over first",
    async () => {
      const side = other(await activeSide());
      pair.mark();
      pair.node(side).command(["cluster", "destroy", "--yes"]);
      await pair.untilTraffic();
      await pair.judge(1);
      await expectAloneAndFresh(side);
      await again(side);
    },
    TEST_MS,
  );

  test(
    "the other node's disk refuses the reset: it stays without the addresses, and is reset once it can be",
    async () => {
      const side = await activeSide();
      const refusing = pair.node(other(side));
      const in_the_way = join(refusing.state, "prepared.json");
      mkdirSync(in_the_way);
      pair.mark();
      pair.node(side).command(["cluster", "destroy", "--yes"]);
      await until("the reset is refused", async () => {
        const events = await refusing.events();
        return events.some(({ message }) => message.includes("cannot be reset to a fresh install yet"));
      });
      await until("nothing is left to tell", async () => (await pair.node(side).status())?.peer === null);
      expect(await refusing.role()).toBe("erased");
      expect(addressesIn(other(side))).not.toContain(LAN_ADDRESS);
      await pair.judge(0);
      rmdirSync(in_the_way);
      await expectAloneAndFresh(side);
      await again(side);
    },
    TEST_MS,
  );

  test(
    "with the other node away: it is told when it returns, even by a node that was restarted meanwhile",
    async () => {
      const side = await activeSide();
      pair.node(other(side)).powerOff();
      await until("the loss is noticed", async () => (await pair.node(side).status())?.operational === false);
      pair.node(side).command(["cluster", "destroy", "--yes"]);
      await until("it is alone", async () => (await pair.node(side).role()) === "standalone");
      await pair.node(side).stop();
      await pair.node(side).start();
      pair.mark();
      await pair.node(other(side)).start();
      await expectAloneAndFresh(side);
      await pair.judge(0);
    },
    TEST_MS,
  );

  test("without a cluster it is refused in one sentence", async () => {
    for (const node of [pair.a, pair.b])
      expect(() => node.command(["cluster", "destroy", "--yes"])).toThrow("there is nothing to destroy");
  });
});
