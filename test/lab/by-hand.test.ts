/** Interfaces that somebody changes by hand: what the settings say is put back, on a node alone and in a live pair. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { LabNode } from "./node.ts";
import { Pair, SETTINGS } from "./pair.ts";
import { sh, until } from "./shell.ts";
import { HOST_ADDRESS, type Side } from "./topology.ts";

const TEST_MS = 120_000;
const FIGHT_ROUNDS = 6;
const ALONE = "c";

let pair: Pair;
let alone: LabNode;

beforeAll(async () => {
  pair = await Pair.make({ population: { a: "clu", b: "clu", c: "clu2" } });
  alone = pair.lab.node(ALONE);
  await alone.start();
  const interfaces = SETTINGS.interfaces.map((entry) => ({
    ...entry,
    addresses: entry.addresses.map((address) => address.replace(/1\//, "2/")),
  }));
  alone.command(["settings", "import", "-"], JSON.stringify({ server: { name: "node-c" }, interfaces }));
}, TEST_MS);

afterAll(() => pair?.remove());

const ip = (side: Side, words: string) => sh(pair.lab.inside(side, ["ip", ...words.split(" ")]));
const isUp = (side: Side, nic: string) => /<[^>]*\bUP\b[^>]*>/.test(ip(side, `link show ${nic}`));
const hasRoute = (side: Side) => ip(side, "route show default").includes(`via ${HOST_ADDRESS} dev wan0`);
const eventsOf = async (node: LabNode, code: string) =>
  (await node.events()).filter((event) => event.code === code).map(({ message }) => message);

describe("a node alone", () => {
  test(
    "a link that was set down is up again, with its addresses and its default gateway",
    async () => {
      await until("the gateway is there", () => hasRoute(ALONE));
      ip(ALONE, "link set wan0 down");
      expect(hasRoute(ALONE)).toBe(false);
      await until("the link is up", () => isUp(ALONE, "wan0"));
      await until("the gateway is back", () => hasRoute(ALONE));
      const addresses = SETTINGS.interfaces[1]?.addresses.map((address) => address.replace(/1\//, "2/")) ?? [];
      await until("all addresses are back", () => {
        const shown = ip(ALONE, "-o addr show dev wan0");
        return addresses.every((address) => shown.includes(` ${address} `));
      });
      expect((await eventsOf(alone, "interface-restored")).at(-1)).toBe(
        "Somebody set down wan0; it is up again. Change it in the settings only.",
      );
    },
    TEST_MS,
  );

  test(
    "a default gateway that was removed comes back",
    async () => {
      // The watch has seen it by then.
      await Bun.sleep(2500);
      ip(ALONE, "route del default");
      await until("it is back", () => hasRoute(ALONE));
      expect((await eventsOf(alone, "gateway-restored")).at(-1)).toMatch(
        /^Somebody removed the default gateway \S+ on wan0/,
      );
    },
    TEST_MS,
  );

  test(
    "a disabled link that was set up goes down again; enabled, it stays up",
    async () => {
      alone.command(["settings", "set", "interfaces.lan0.enabled=false"]);
      await until("it is down", () => !isUp(ALONE, "lan0"));
      ip(ALONE, "link set lan0 up");
      await until("it is down again", () => !isUp(ALONE, "lan0"));
      expect((await eventsOf(alone, "interface-restored")).at(-1)).toMatch(/^Somebody set up lan0; it is down again/);
      const before = (await eventsOf(alone, "interface-restored")).length;
      alone.command(["settings", "set", "interfaces.lan0.enabled=true"]);
      await until("it is up", () => isUp(ALONE, "lan0"));
      await Bun.sleep(2500);
      expect([isUp(ALONE, "lan0"), (await eventsOf(alone, "interface-restored")).length]).toEqual([true, before]);
    },
    TEST_MS,
  );

  test(
    "whoever goes on doing it is left alone for a minute, and named",
    async () => {
      for (let round = 0; round < FIGHT_ROUNDS; round++) {
        ip(ALONE, "link set lan0 down");
        await until("it is up, or it was said", async () => {
          return isUp(ALONE, "lan0") || (await eventsOf(alone, "interface-contested")).length > 0;
        });
      }
      expect(await eventsOf(alone, "interface-contested")).toEqual([
        expect.stringMatching(/^In the last minute lan0 was set down \d+ times; it is left alone for a minute/),
      ]);
      await Bun.sleep(3000);
      expect(isUp(ALONE, "lan0")).toBe(false);
    },
    TEST_MS,
  );
});

describe("a live pair", () => {
  test(
    "the backup's link that was set down is up again",
    () =>
      pair.undisturbed(async () => {
        ip(pair.backup, "link set lan0 down");
        await until("it is up", () => isUp(pair.backup, "lan0"));
        await until(
          "it was said",
          async () => (await eventsOf(pair.node(pair.backup), "interface-restored")).length > 0,
        );
      }),
    TEST_MS,
  );

  test(
    "the reserved card that was set down on the backup is up again; meanwhile the active node hands over (S5a)",
    () =>
      pair.scenario(pair.backup, 1, async () => {
        const side = pair.backup;
        ip(side, "link set clu0 down");
        await until("it is up", () => isUp(side, "clu0"));
      }),
    TEST_MS,
  );

  test(
    "the active node's default gateway that was removed comes back; the backup has none",
    () =>
      pair.undisturbed(async () => {
        await until("it is there", () => hasRoute(pair.active));
        await Bun.sleep(2500);
        ip(pair.active, "route del default");
        await until("it is back", () => hasRoute(pair.active));
        expect(hasRoute(pair.backup)).toBe(false);
      }),
    TEST_MS,
  );

  test(
    "the active node's link that was set down: the backup takes over, and the link is up again",
    async () => {
      const from = pair.active;
      await pair.scenario(pair.backup, 1, async () => {
        ip(from, "link set lan0 down");
        await pair.node(pair.backup).untilRole("active");
        await until("it is up", () => isUp(from, "lan0"));
      });
      expect(hasRoute(from)).toBe(false);
    },
    TEST_MS,
  );
});
