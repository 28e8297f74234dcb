/** Rows that settings change: heartbeats off on one interface (B4), and a lost cluster network that moves nothing (S5a). */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Pair, SETTINGS } from "./pair.ts";
import { sh, until } from "./shell.ts";

const TEST_MS = 60_000;

let pair: Pair;

beforeAll(async () => {
  pair = await Pair.make({
    settings: {
      ...SETTINGS,
      interfaces: SETTINGS.interfaces.map((entry) => (entry.nic === "wan0" ? { ...entry, heartbeat: false } : entry)),
      cluster: { on_link_loss: "stay" },
    },
  });
}, TEST_MS);

afterAll(() => pair?.remove());

/** Counts heartbeats that come out of node a at a switch; returns what was counted so far. */
function countHeartbeats(network: "lan" | "wan"): () => number {
  const table = "table netdev counting";
  sh(pair.lab.inside(network, ["nft", "-f", "-"]), {
    input: `${table} {\nchain in {\ntype filter hook ingress device "p-a" priority -10\nether type 0x88b5 counter\n}\n}`,
  });
  return () =>
    Number(/packets (\d+)/.exec(sh(pair.lab.inside(network, ["nft", "list", "table", "netdev", "counting"])))?.[1]);
}

describe("B4: heartbeats are turned off on wan0", () => {
  test(
    "none leaves there, and status says that it is off",
    () =>
      pair.undisturbed(async () => {
        const [on_lan, on_wan] = [countHeartbeats("lan"), countHeartbeats("wan")];
        await until("many are counted on the LAN", () => on_lan() >= 50);
        expect(on_wan()).toBe(0);
        const paths = (await pair.a.status())?.paths ?? [];
        expect(paths.map(({ nic, heartbeat, heard }) => ({ nic, heartbeat, heard }))).toEqual([
          { nic: "clu0", heartbeat: true, heard: true },
          { nic: "lan0", heartbeat: true, heard: true },
          { nic: "wan0", heartbeat: false, heard: false },
        ]);
        expect(pair.a.command(["status"])).toMatch(/wan0 +external +off/);
      }),
    TEST_MS,
  );

  test(
    "the other two fall silent: the active node still answers on wan0, so the backup stays backup",
    async () => {
      await pair.scenario(pair.active, 0, async () => {
        for (const cable of ["lan0", "clu0"] as const) pair.lab.silence(pair.active, cable, true, "ether type 0x88b5");
        await pair.node(pair.backup).untilAlarm("silent-peer");
        expect(await pair.node(pair.backup).role()).toBe("probing");
        for (const cable of ["clu0", "lan0"] as const) pair.lab.silence(pair.active, cable, false);
      });
    },
    TEST_MS,
  );
});

describe("S5a: cluster.on_link_loss is stay", () => {
  const losses = [
    ["the active node's cluster cable is cut", "active", "cut"],
    ["the backup's cluster cable is cut", "backup", "cut"],
    ["the cluster network falls silent", "active", "silent"],
  ] as const;
  for (const [what, whose, how] of losses) {
    test(
      `${what}: the active node stays, and says what is wrong`,
      async () => {
        const { lab } = pair;
        await pair.scenario(pair.active, 0, async () => {
          const side = whose === "active" ? pair.active : pair.backup;
          if (how === "cut") lab.cable(side, "clu0", false);
          else lab.silence(side, "clu0", true);
          const node = pair.node(pair.active);
          await until(
            "the loss is shown",
            async () => (await node.status())?.reason === "The cluster network is down.",
          );
          // Where the loss moves the active role, it does so at once.
          await Bun.sleep(500);
          expect(await node.role()).toBe("active");
          if (how === "cut") lab.cable(side, "clu0", true);
          else lab.silence(side, "clu0", false);
        });
      },
      TEST_MS,
    );
  }

  test(
    "a node that dies is replaced all the same",
    async () => {
      const from = pair.active;
      await pair.scenario(pair.backup, 1, async () => {
        pair.node(from).freeze();
        await pair.node(pair.backup).untilRole("active");
        await pair.untilTraffic();
        pair.node(from).thaw();
      });
    },
    TEST_MS,
  );
});
