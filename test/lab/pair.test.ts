/**
 * The rows of the spec on a live pair: real processes, real frames, observers that ask for the
 * shared addresses every millisecond. Times are measured elsewhere (npm run bench failover).
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import type { OwnerRun } from "./instrument.ts";
import { Pair } from "./pair.ts";
import { sh, until } from "./shell.ts";
import { LAN_ADDRESS, type Side, WAN_ADDRESS } from "./topology.ts";

const TEST_MS = 60_000;

let pair: Pair;

beforeAll(async () => {
  pair = await Pair.make();
}, TEST_MS);

beforeEach(() => pair.findActive(), TEST_MS);

afterAll(() => pair?.remove());

function other(side: Side): Side {
  return side === "a" ? "b" : "a";
}

/** From the first answer of somebody else, or of `mac` beside somebody else, to the last one of `mac`. */
function overlapOf(runs: OwnerRun[], mac: string): number {
  const first = runs.find(({ macs }, i) => i > 0 || macs.length > 1);
  const last = runs.findLast(({ macs }) => macs.includes(mac));
  return first === undefined || last === undefined ? 0 : Math.max(0, last.to_ms - first.from_ms);
}

const events = (side: Side): string[] =>
  (JSON.parse(pair.node(side).command(["events", "--json"])) as { code: string }[]).map(({ code }) => code);

describe("one active node", () => {
  const scenario = (after: Side, changes: number, work: () => Promise<void>) =>
    pair.scenario(after, changes, work, "steady");

  test("S2: the active node holds every shared address, the backup none", async () => {
    const [mine, theirs] = await Promise.all([pair.a.status(), pair.b.status()]);
    expect(mine?.addresses.map(({ held }) => held)).toEqual([true, true, true, true]);
    expect(theirs?.addresses.map(({ held }) => held)).toEqual([false, false, false, false]);
    expect(mine?.term).toBe(theirs?.term ?? -1);
    expect(mine?.paths.map(({ network }) => network)).toEqual(["cluster", "internal", "external"]);
  });

  test(
    "S5: freeze and thaw",
    async () => {
      const from = pair.active;
      const to = other(from);
      await scenario(to, 1, async () => {
        pair.node(from).freeze();
        await pair.node(to).untilRole("active");
        await pair.untilTraffic();
        pair.node(from).thaw();
      });
      await until("the neighbours' answers are in", () => events(to).includes("neighbours-followed"));
    },
    TEST_MS,
  );

  test(
    "S5: a short freeze of the backup changes nothing",
    async () => {
      await scenario(pair.active, 0, async () => {
        pair.node(pair.backup).freeze();
        await Bun.sleep(300);
        pair.node(pair.backup).thaw();
      });
    },
    TEST_MS,
  );

  test(
    "S5, B5b: SIGKILL of all processes; the node returns as backup",
    async () => {
      const from = pair.active;
      await scenario(other(from), 1, async () => {
        pair.node(from).kill();
        await pair.node(other(from)).untilRole("active");
        await Bun.sleep(1000);
        await pair.judge(1);
        await pair.node(from).start();
      });
    },
    TEST_MS,
  );

  test(
    "S5: reboot",
    async () => {
      const from = pair.active;
      await scenario(other(from), 1, async () => {
        await pair.node(from).reboot();
      });
    },
    TEST_MS,
  );

  for (const part of ["heart", "control"] as const) {
    test(
      `SIGKILL of the ${part} process alone`,
      async () => {
        const from = pair.active;
        await scenario(other(from), 1, async () => {
          pair.node(from).signal("SIGKILL", part);
          await pair.node(other(from)).untilRole("active");
          if (part === "control") {
            // Its heart hands over and ends by itself; a start meanwhile must cope with it.
            await pair.node(from).start();
          }
        });
      },
      TEST_MS,
    );

    test(
      `SIGSTOP of the ${part} process alone, and SIGCONT`,
      async () => {
        const from = pair.active;
        await scenario(other(from), 1, async () => {
          pair.node(from).signal("SIGSTOP", part);
          await pair.node(other(from)).untilRole("active");
          await Bun.sleep(500);
          await pair.judge(1);
          pair.node(from).signal("SIGCONT", part);
        });
      },
      TEST_MS,
    );
  }

  test(
    "SIGSTOP of all processes, and SIGCONT",
    async () => {
      const from = pair.active;
      await scenario(other(from), 1, async () => {
        pair.node(from).signal("SIGSTOP");
        await pair.node(other(from)).untilRole("active");
        await Bun.sleep(500);
        pair.node(from).signal("SIGCONT");
      });
    },
    TEST_MS,
  );

  test(
    "B5: an operator's switch",
    async () => {
      await scenario(pair.backup, 1, async () => {
        pair.node(pair.active).command(["cluster", "switch"]);
      });
    },
    TEST_MS,
  );

  test("a switch on the backup is refused in plain words", () => {
    expect(() => pair.node(pair.backup).command(["cluster", "switch"])).toThrow("This node is not active");
  });

  test(
    "B5: clean stop hands over first",
    async () => {
      const from = pair.active;
      await scenario(other(from), 1, async () => {
        await pair.node(from).stop();
        await pair.node(other(from)).untilRole("active");
        await pair.node(from).start();
      });
      expect(pair.node(from).log()).toContain("hands over");
    },
    TEST_MS,
  );

  test(
    "the backup dies and returns: nothing happens to traffic's owner",
    async () => {
      await scenario(pair.active, 0, async () => {
        pair.node(pair.backup).kill();
        await until("the loss is noticed", async () => (await pair.node(pair.active).status())?.operational === false);
        await pair.node(pair.backup).start();
      });
    },
    TEST_MS,
  );

  test(
    "both started at once: one becomes active",
    async () => {
      await pair.untilSteady(pair.active);
      pair.a.powerOff();
      pair.b.powerOff();
      pair.mark();
      await Promise.all([pair.a.start(), pair.b.start()]);
      await pair.findActive();
      await pair.untilSteady(pair.active);
      await pair.judge(0);
    },
    TEST_MS,
  );

  test(
    "only the backup comes back after both lost their power: it takes over; the other one returns as backup",
    async () => {
      await pair.untilSteady(pair.active);
      const [first, later] = [pair.backup, pair.active];
      pair.node(later).powerOff();
      pair.node(first).powerOff();
      pair.mark();
      await pair.node(first).start();
      await pair.node(first).untilRole("active");
      await pair.untilTraffic();
      await pair.node(later).start();
      pair.active = first;
      await pair.untilSteady(first);
      await pair.judge(0);
    },
    TEST_MS,
  );
});

describe("cables", () => {
  test(
    "S5a: the cluster cable is cut: one orderly hand-over, and none when it is mended",
    async () => {
      const from = pair.active;
      await pair.scenario(other(from), 1, async () => {
        pair.lab.cable(from, "clu0", false);
        await pair.node(other(from)).untilRole("active");
        await Bun.sleep(1000);
        pair.lab.cable(from, "clu0", true);
      });
    },
    TEST_MS,
  );

  test(
    "S5a: the cluster network falls silent without losing its carrier",
    async () => {
      const from = pair.active;
      await pair.scenario(other(from), 1, async () => {
        pair.lab.silence(from, "clu0", true);
        await pair.node(other(from)).untilRole("active");
        pair.lab.silence(from, "clu0", false);
      });
    },
    TEST_MS,
  );

  for (const cable of ["lan0", "wan0"] as const) {
    test(
      `B5: ${cable} of the active node is cut: the backup, which still has it, takes over`,
      async () => {
        const from = pair.active;
        await pair.scenario(other(from), 1, async () => {
          pair.lab.cable(from, cable, false);
          await pair.node(other(from)).untilRole("active");
          await pair.untilTraffic();
          pair.lab.cable(from, cable, true);
        });
      },
      TEST_MS,
    );

    test(
      `B4: ${cable} of the backup is cut: nothing happens`,
      async () => {
        await pair.scenario(pair.active, 0, async () => {
          pair.lab.cable(pair.backup, cable, false);
          await until(
            "it is noticed",
            async () => (await pair.node(pair.active).status())?.paths.some((path) => !path.heard) === true,
          );
          await Bun.sleep(300);
          pair.lab.cable(pair.backup, cable, true);
        });
      },
      TEST_MS,
    );
  }

  test(
    "both data cables of the active node are cut: the backup takes over",
    async () => {
      const from = pair.active;
      await pair.scenario(other(from), 1, async () => {
        for (const cable of ["lan0", "wan0"] as const) pair.lab.cable(from, cable, false);
        await pair.node(other(from)).untilRole("active");
        await pair.untilTraffic();
        for (const cable of ["lan0", "wan0"] as const) pair.lab.cable(from, cable, true);
      });
    },
    TEST_MS,
  );

  /**
   * Two islands, each with its active node, until `mend` lets them hear each other and the lower claim yields. As a
   * rule that is the node that was active before; one that did not run for a while on its island has claimed anew.
   */
  async function apart(mend: (cut: Side) => void, afterwards: (yielded: Side) => Promise<void> | void): Promise<void> {
    await pair.untilSettled();
    const cut = pair.active;
    pair.lab.isolate(cut);
    await until("both are active", async () => (await roles()).every((role) => role === "active"));
    pair.mark();
    await Bun.sleep(500);
    const claims = (await Promise.all([pair.a.status(), pair.b.status()])).map((status) => status?.term ?? 0);
    mend(cut);
    await pair.findActive();
    expect((await pair.node(pair.active).status())?.term).toBeGreaterThanOrEqual(Math.max(...claims));
    await afterwards(pair.backup);
    const winner = pair.active;
    pair.lab.join(cut);
    await pair.untilSteady(winner);
    // Everybody saw the node that was not cut off; where it is the one that yielded, the other comes after it.
    await pair.judge(winner === cut ? 1 : 0);
  }

  const roles = () => Promise.all([pair.a.role(), pair.b.role()]);

  test(
    "all cables between the nodes cut, the cluster network mended first: the lower claim yields before anybody sees two",
    () =>
      apart(
        (cut) => pair.lab.silence(cut, "clu0", false),
        () => {},
      ),
    TEST_MS,
  );

  test(
    "all cables between the nodes cut, the LAN mended first: the lower claim yields at what it hears there",
    () =>
      apart(
        (cut) => pair.lab.silence(cut, "lan0", false),
        async (yielded) => {
          // The honest limit: until the first heartbeat that it hears there are two owners.
          const mac = pair.lab.mac(yielded, "lan0");
          const spans_ms = (await pair.runs("LAN owners")).map((runs) => overlapOf(runs, mac).toFixed(1));
          console.log(`  two owners while the islands were joined: ${spans_ms.join(", ")} ms`);
          pair.mark();
        },
      ),
    TEST_MS,
  );
});

describe("attacks and accidents", () => {
  test(
    "heartbeats are blocked everywhere while the kernel answers: the backup stays backup and says so",
    async () => {
      await pair.scenario(pair.active, 0, async () => {
        pair.lab.isolate(pair.active, "ether type 0x88b5");
        const backup = pair.node(pair.backup);
        await until(
          "the alarm",
          async () => (await backup.status())?.alarms.some(({ code }) => code === "silent-peer") === true,
        );
        expect(await backup.role()).toBe("probing");
        pair.lab.join(pair.active);
      });
    },
    TEST_MS,
  );

  for (const which of ["active", "backup"] as const) {
    test(
      `somebody flushes the firewall of the ${which} node`,
      async () => {
        await pair.scenario(pair.active, 0, async () => {
          const side = which === "active" ? pair.active : pair.backup;
          pair.node(side).flushFirewall();
          await Bun.sleep(300);
          expect(sh(pair.lab.inside(side, ["nft", "list", "tables"]))).toContain("table netdev understudy");
        });
      },
      TEST_MS,
    );
  }

  test(
    "somebody flushes the firewall while the active node's heart is dead: its kernel holds nothing any more",
    async () => {
      await pair.scenario(pair.backup, 1, async () => {
        const from = pair.active;
        pair.node(from).signal("SIGKILL", "heart");
        const addresses = () => sh(["ip", "-n", pair.lab.namespace(from), "addr"]);
        await until("its control process has taken the addresses away", () => !addresses().includes(LAN_ADDRESS));
        // The gate that a dead heart leaves behind is nobody's, until the next heart adopts it.
        for (let i = 0; i < 6; i++) {
          await Bun.sleep(25);
          pair.node(from).flushFirewall();
        }
      });
    },
    TEST_MS,
  );

  test(
    "somebody flushes the firewall while the active node's heart is dead and nobody has noticed: its gate stays",
    async () => {
      await pair.scenario(pair.backup, 1, async () => {
        const from = pair.node(pair.active);
        from.signal("SIGSTOP", "control");
        from.signal("SIGKILL", "heart");
        for (let i = 0; i < 6; i++) {
          await Bun.sleep(50);
          from.flushFirewall();
        }
        from.signal("SIGCONT", "control");
      });
    },
    TEST_MS,
  );

  test(
    "somebody deletes the shared addresses of the active node by hand: they are put back",
    async () => {
      await pair.scenario(pair.active, 0, async () => {
        const namespace = pair.lab.namespace(pair.active);
        sh(["ip", "-n", namespace, "addr", "del", `${LAN_ADDRESS}/24`, "dev", "lan0"]);
        sh(["ip", "-n", namespace, "addr", "del", `${WAN_ADDRESS}/24`, "dev", "wan0"]);
      });
      expect(events(pair.active)).toContain("addresses-restored");
    },
    TEST_MS,
  );

  test(
    "somebody adds a shared address to the backup by hand: it is taken away, and nobody saw it",
    async () => {
      await pair.scenario(pair.active, 0, async () => {
        const namespace = pair.lab.namespace(pair.backup);
        sh(["ip", "-n", namespace, "addr", "add", `${LAN_ADDRESS}/24`, "dev", "lan0"]);
        await until("it is gone", () => !sh(["ip", "-n", namespace, "addr"]).includes(LAN_ADDRESS));
      });
    },
    TEST_MS,
  );

  test(
    "B6: a foreign host announces a shared address: defended, logged and shown",
    async () => {
      const { lab } = pair;
      await pair.scenario(pair.active, 0, async () => {
        lab.instrument("client", ["announce", "eth0", "10.1.0.1"]);
        await until(
          "the conflict is shown",
          async () =>
            (await pair.node(pair.active).status())?.alarms.some(({ code }) => code === "address-conflict") === true,
        );
      });
    },
    TEST_MS,
  );
});
