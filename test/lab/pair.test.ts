/**
 * The rows of the spec on a live pair: real processes, real frames, observers that ask for the
 * shared addresses every millisecond. Times are measured elsewhere (npm run bench failover).
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { Pair } from "./pair.ts";
import { sh, until } from "./shell.ts";
import { LAN_ADDRESS, type Side, WAN_ADDRESS } from "./topology.ts";

/** Links count as mended, and the cluster network as trusted, after two seconds. */
const SETTLE_MS = 2500;
const TEST_MS = 60_000;

let pair: Pair;
let active: Side;

beforeAll(async () => {
  pair = await Pair.make();
  active = "a";
}, TEST_MS);

/** A test that failed half-way must not take the others with it. */
beforeEach(async () => {
  await until("one node is active", async () => {
    const [a, b] = await Promise.all([pair.a.role(), pair.b.role()]);
    if (a === "active" && b !== "active") active = "a";
    if (b === "active" && a !== "active") active = "b";
    return (a === "active") !== (b === "active");
  });
}, TEST_MS);

afterAll(() => pair?.remove());

function other(side: Side): Side {
  return side === "a" ? "b" : "a";
}

/** Runs `work` on a steady pair, then demands `after` as the active node and no second owner. */
async function scenario(after: Side, changes: number, work: () => Promise<void>): Promise<void> {
  await pair.untilSteady(active);
  await Bun.sleep(SETTLE_MS);
  pair.mark();
  await Bun.sleep(50);
  await work();
  await pair.untilSteady(after);
  await pair.judge(changes);
  active = after;
}

const events = (side: Side): string[] =>
  (JSON.parse(pair.node(side).command(["events", "--json"])) as { code: string }[]).map(({ code }) => code);

describe("one active node", () => {
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
      const from = active;
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
      await scenario(active, 0, async () => {
        pair.node(other(active)).freeze();
        await Bun.sleep(300);
        pair.node(other(active)).thaw();
      });
    },
    TEST_MS,
  );

  test(
    "S5, B5b: SIGKILL of all processes; the node returns as backup",
    async () => {
      const from = active;
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
      const from = active;
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
        const from = active;
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
        const from = active;
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
      const from = active;
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
      await scenario(other(active), 1, async () => {
        pair.node(active).command(["cluster", "switch"]);
      });
    },
    TEST_MS,
  );

  test("a switch on the backup is refused in plain words", () => {
    expect(() => pair.node(other(active)).command(["cluster", "switch"])).toThrow("This node is not active");
  });

  test(
    "B5: clean stop hands over first",
    async () => {
      const from = active;
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
      await scenario(active, 0, async () => {
        pair.node(other(active)).kill();
        await until("the loss is noticed", async () => (await pair.node(active).status())?.operational === false);
        await pair.node(other(active)).start();
      });
    },
    TEST_MS,
  );

  test(
    "both started at once: one becomes active",
    async () => {
      await pair.untilSteady(active);
      pair.a.powerOff();
      pair.b.powerOff();
      await Promise.all([pair.a.start(), pair.b.start()]);
      pair.mark();
      await until(
        "one is active",
        async () => (await pair.a.role()) === "active" || (await pair.b.role()) === "active",
      );
      active = (await pair.a.role()) === "active" ? "a" : "b";
      await pair.untilSteady(active);
      await pair.judge(0);
    },
    TEST_MS,
  );
});

describe("cables", () => {
  test(
    "S5a: the cluster cable is cut: one orderly hand-over, and none when it is mended",
    async () => {
      const from = active;
      await scenario(other(from), 1, async () => {
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
      const from = active;
      await scenario(other(from), 1, async () => {
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
        const from = active;
        await scenario(other(from), 1, async () => {
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
        await scenario(active, 0, async () => {
          pair.lab.cable(other(active), cable, false);
          await until(
            "it is noticed",
            async () => (await pair.node(active).status())?.paths.some((path) => !path.heard) === true,
          );
          await Bun.sleep(300);
          pair.lab.cable(other(active), cable, true);
        });
      },
      TEST_MS,
    );
  }

  test(
    "all cables between the nodes cut and mended: the lower claim yields",
    async () => {
      await pair.untilSteady(active);
      await Bun.sleep(SETTLE_MS);
      const side = active;
      for (const cable of ["clu0", "lan0", "wan0"] as const) pair.lab.silence(side, cable, true);
      await pair.node(other(side)).untilRole("active");
      pair.mark();
      await Bun.sleep(500);
      for (const cable of ["clu0", "lan0", "wan0"] as const) pair.lab.silence(side, cable, false);
      await pair.untilSteady(other(side));
      // Both served their islands until they were joined; from then on one interleaved answer is the bound.
      await pair.judge(2);
      active = other(side);
    },
    TEST_MS,
  );
});

describe("attacks and accidents", () => {
  test(
    "heartbeats are blocked everywhere while the kernel answers: the backup stays backup and says so",
    async () => {
      await scenario(active, 0, async () => {
        for (const cable of ["clu0", "lan0", "wan0"] as const)
          pair.lab.silence(active, cable, true, "ether type 0x88b5");
        const backup = pair.node(other(active));
        await until(
          "the alarm",
          async () => (await backup.status())?.alarms.some(({ code }) => code === "silent-peer") === true,
        );
        expect(await backup.role()).toBe("probing");
        for (const cable of ["clu0", "lan0", "wan0"] as const) pair.lab.silence(active, cable, false);
      });
    },
    TEST_MS,
  );

  for (const which of ["active", "backup"] as const) {
    test(
      `somebody flushes the firewall of the ${which} node`,
      async () => {
        await scenario(active, 0, async () => {
          const side = which === "active" ? active : other(active);
          pair.node(side).flushFirewall();
          await Bun.sleep(300);
          expect(sh(pair.lab.inside(side, ["nft", "list", "tables"]))).toContain("table netdev understudy");
        });
      },
      TEST_MS,
    );
  }

  test(
    "somebody deletes the shared addresses of the active node by hand: they are put back",
    async () => {
      await scenario(active, 0, async () => {
        const namespace = pair.lab.namespace(active);
        sh(["ip", "-n", namespace, "addr", "del", `${LAN_ADDRESS}/24`, "dev", "lan0"]);
        sh(["ip", "-n", namespace, "addr", "del", `${WAN_ADDRESS}/24`, "dev", "wan0"]);
      });
      expect(events(active)).toContain("addresses-restored");
    },
    TEST_MS,
  );

  test(
    "somebody adds a shared address to the backup by hand: it is taken away, and nobody saw it",
    async () => {
      await scenario(active, 0, async () => {
        const namespace = pair.lab.namespace(other(active));
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
      await scenario(active, 0, async () => {
        lab.instrument("client", ["announce", "eth0", "10.1.0.1"]);
        await until(
          "the conflict is shown",
          async () =>
            (await pair.node(active).status())?.alarms.some(({ code }) => code === "address-conflict") === true,
        );
      });
    },
    TEST_MS,
  );
});

describe("bad input", () => {
  const cases: [string, string[], string][] = [
    ["an unknown interface", ["cluster", "join", "--interface", "nope", "--skip-code"], "already"],
    ["settings with an unknown key", ["settings", "import", "-"], "Unknown key"],
    ["an unknown command", ["frobnicate"], "There is no command"],
  ];
  for (const [what, words, sentence] of cases) {
    test(`${what} gets one clear sentence`, () => {
      expect(() => pair.a.command(words, '{"colour":"blue"}')).toThrow(sentence);
    });
  }

  test("a second node process on the same state", () => {
    expect(() => pair.a.command(["node", "--state", pair.a.state])).toThrow("uses the state directory");
  });
});
