/**
 * Third nodes and second clusters beside a live pair (S1). Nodes a and b are the pair; c, d and e are the others, on
 * the same LAN and WAN. Whatever these do: nothing changes for the pair, and everybody is told in one sentence.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { cpSync, rmSync } from "node:fs";
import { Judge } from "./judge.ts";
import type { LabNode } from "./node.ts";
import { CREATE, formCluster, JOIN, Pair, SETTINGS } from "./pair.ts";
import { until } from "./shell.ts";
import { CABLES } from "./topology.ts";

const TEST_MS = 60_000;
/** A node that starts listens for two seconds; a copy that is to claim would have done it by then. */
const CLAIMED_BY_MS = 3500;
const SECOND_LAN = ["10.1.0.2", "fd00:1::2"];
const SECOND_WAN = ["10.2.0.2", "fd00:2::2"];

/** The pair's settings with other addresses: the last digit is `digit`. */
function settingsOf(name: string, digit: number): unknown {
  const interfaces = SETTINGS.interfaces.map((entry) => ({
    ...entry,
    addresses: entry.addresses.map((address) => address.replace(/1\//, `${digit}/`)),
  }));
  return { ...SETTINGS, server: { name }, interfaces };
}

let pair: Pair;
let others: Record<"c" | "d" | "e", LabNode>;
let second: Judge;

beforeAll(async () => {
  pair = await Pair.make({ population: { a: "clu", b: "clu", c: "clu2", d: "clu2", e: "clu2" } });
  others = { c: pair.lab.node("c"), d: pair.lab.node("d"), e: pair.lab.node("e") };
  second = new Judge(pair.lab.directory);
  second.watch("LAN owners of the second cluster", pair.lab.instrument("lan", ["observe", "watch0", ...SECOND_LAN]));
  second.watch("WAN owners of the second cluster", pair.lab.instrument("wan", ["observe", "watch0", ...SECOND_WAN]));
}, TEST_MS);

beforeEach(() => pair.findActive(), TEST_MS);

afterAll(() => pair?.remove());

/** What a command that must fail says. */
async function refusal(running: Promise<unknown>): Promise<string> {
  try {
    await running;
  } catch (error) {
    return (error as Error).message.split("\n").at(-1) ?? "";
  }
  throw new Error("The command was not refused.");
}

describe("three nodes on one cluster network", () => {
  test(
    "a third node answers during a pairing: all three are told, and stay as they were",
    () =>
      pair.undisturbed(async () => {
        const { c, d, e } = others;
        await Promise.all([c.start(), d.start(), e.start()]);
        c.command(["settings", "import", "-"], JSON.stringify(settingsOf("node-c", 2)));
        const waiting = [d, e].map((node) => refusal(node.commandLater([...JOIN, "--name", `node-${node.side}`])));
        for (const node of [d, e])
          await until(`node ${node.side} waits`, async () => (await node.role()) === "joining");
        const sentences = await Promise.all([refusal(c.commandLater(CREATE)), ...waiting]);
        for (const sentence of sentences) {
          expect(sentence).toMatch(/^More than two nodes answer on this cluster network \(node-[de] and node-[de] /);
        }
        for (const node of [c, d, e]) await node.untilRole("standalone");
      }),
    TEST_MS,
  );

  test(
    "once the third is unplugged, the two that belong together become a cluster of their own",
    () =>
      pair.undisturbed(async () => {
        pair.lab.replug("e", "clu");
        await formCluster(others.c, others.d, settingsOf("node-c", 2));
        await others.c.untilRole("active");
        await others.d.untilRole("backup");
      }),
    TEST_MS,
  );

  test(
    "a third node wants to join the cluster that is there: it is told, and both nodes show it",
    () =>
      pair.undisturbed(async () => {
        const { e } = others;
        const sentence = await refusal(e.commandLater(JOIN));
        expect(sentence).toMatch(/^A cluster is at work on the network of clu0 already, .*\.$/);
        const mac = pair.lab.mac("e", "clu0");
        for (const node of [pair.a, pair.b]) expect(await node.untilAlarm("third-node")).toContain(mac);
        expect(await e.role()).toBe("standalone");
      }),
    TEST_MS,
  );

  test(
    "a third node wants to make a cluster there: it is told, and so are the two that are asked to make another",
    () =>
      pair.undisturbed(async () => {
        const { e } = others;
        e.command(["settings", "import", "-"], JSON.stringify(settingsOf("node-e", 3)));
        expect(await refusal(e.commandLater(CREATE))).toMatch(/^A cluster is at work on the network of clu0 already/);
        for (const node of [pair.a, pair.b])
          for (const words of [JOIN, CREATE])
            expect(await refusal(node.commandLater(words))).toMatch(/^This node is in a cluster already/);
        await e.stop();
      }),
    TEST_MS,
  );
});

describe("two clusters on one LAN", () => {
  const foreign = async (node: LabNode) => (await node.status())?.dropped["foreign-cluster"] ?? 0;

  test(
    "the other one switches: nothing happens here, and its frames are counted as foreign",
    () =>
      pair.undisturbed(async () => {
        const { c, d } = others;
        second.mark();
        const before = await Promise.all([pair.a, pair.b].map(foreign));
        c.freeze();
        await d.untilRole("active");
        c.thaw();
        await c.untilRole("backup");
        await until("foreign frames are counted", async () => {
          const now = await Promise.all([pair.a, pair.b].map(foreign));
          return now.every((count, i) => count > (before[i] ?? 0));
        });
        expect(await second.offences(1)).toEqual([]);
      }),
    TEST_MS,
  );

  test(
    "this one switches: nothing happens there",
    async () => {
      const { c, d } = others;
      const before = await Promise.all([c, d].map(foreign));
      second.mark();
      await pair.scenario(pair.backup, 1, async () => {
        const from = pair.node(pair.active);
        from.freeze();
        await pair.node(pair.backup).untilRole("active");
        from.thaw();
      });
      expect(await second.offences(0)).toEqual([]);
      expect([await c.role(), await d.role()]).toEqual(["backup", "active"]);
      const after = await Promise.all([c, d].map(foreign));
      after.forEach((count, i) => {
        expect(count).toBeGreaterThan(before[i] ?? 0);
      });
    },
    TEST_MS,
  );
});

describe("a copy of a node's state runs on a third machine", () => {
  const counted = async (node: LabNode) => (await node.status())?.dropped["duplicate-node"] ?? 0;

  // The active role moves with each test, so both nodes are copied while they are active.
  for (const whose of ["active", "newly active", "backup"] as const) {
    test(
      `the ${whose} node's: everybody shows it, and it never owns anything, whatever befalls the pair`,
      async () => {
        const { e } = others;
        const twin = pair.node(whose === "backup" ? pair.backup : pair.active);
        e.powerOff();
        rmSync(e.state, { recursive: true, force: true });
        cpSync(twin.state, e.state, { recursive: true });
        rmSync(`${e.state}/node.pid`);
        const macs = CABLES.map((cable) => pair.lab.mac("e", cable)).join("|");
        const before = await Promise.all([pair.a, pair.b].map(counted));
        await pair.undisturbed(async () => {
          await e.start();
          expect(await e.untilAlarm("duplicate-node")).toContain("a copy of the state of this node");
          await Bun.sleep(CLAIMED_BY_MS);
          expect(["backup", "probing"]).toContain(await e.role());
        });
        for (const [i, node] of [pair.a, pair.b].entries()) {
          expect(await counted(node)).toBeGreaterThan(before[i] ?? 0);
          const copied = node === twin ? "this node" : `node-${twin.side}`;
          const sentence = await node.untilAlarm("duplicate-node");
          expect(sentence).toMatch(
            new RegExp(`^A third node \\((${macs})\\) .* copy of the state of ${copied}; disconnect`),
          );
        }
        await pair.scenario(pair.backup, 1, () => pair.node(pair.active).reboot());
        expect(await e.role()).not.toBe("active");
        e.powerOff();
      },
      TEST_MS,
    );
  }
});
