/** The judge is judged first: one owner, an orderly change, two owners, nobody; without any node of ours, and on a pair that was broken on purpose. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import type { Book, OwnerRun } from "./instrument.ts";
import { Judge, twoOwners } from "./judge.ts";
import { Pair } from "./pair.ts";
import { sh, until } from "./shell.ts";
import {
  ECHO_PORT,
  HOST_ADDRESS,
  LAN_ADDRESS,
  LAN_ADDRESS6,
  Lab,
  type Side,
  WAN_ADDRESS,
  WAN_ADDRESS6,
} from "./topology.ts";

const TEST_MS = 60_000;

function book(...owners: string[]): Book {
  const runs: OwnerRun[] = owners.map((text, i) => ({
    macs: text.split("+"),
    from_ms: 10 * i,
    to_ms: 10 * i + 9,
    count: 9,
  }));
  return { what: "10.1.0.1", asked: 100, full: false, runs };
}

describe("the verdict", () => {
  const cases: [string, Book, number, boolean][] = [
    ["one owner", book("A"), 0, true],
    ["an owner too many", book("A", "B"), 0, false],
    ["an orderly change", book("A", "B"), 1, true],
    ["back to the first", book("A", "B", "A"), 1, false],
    ["back again in order", book("A", "B", "A"), 2, true],
    ["two owners of one question", book("A", "A+B", "B"), 5, false],
    ["no answer at all", book(), 1, false],
    ["a window too long", { ...book("A"), full: true }, 0, false],
  ];
  for (const [what, given, changes, innocent] of cases) {
    test(what, () => expect(twoOwners(given, changes) === null).toBe(innocent));
  }
});

describe("the observers", () => {
  const PREFIXED = [`${LAN_ADDRESS}/24`, `${LAN_ADDRESS6}/64`];
  let lab: Lab;
  let judge: Judge;

  const address = (side: Side, verb: "add" | "del") => {
    for (const text of PREFIXED) {
      const nodad = text.includes(":") && verb === "add" ? ["nodad"] : [];
      sh(["ip", "-n", lab.namespace(side), "addr", verb, text, "dev", "lan0", ...nodad]);
    }
  };
  /** Waits until a hundred more questions about each address were asked. */
  const someMore = async () => {
    const asked = async () => Math.min(...(await judge.books()).map(({ book }) => book.asked));
    const before = await asked();
    await until("more was asked", async () => (await asked()) >= before + 100);
  };

  beforeAll(async () => {
    lab = new Lab();
    judge = new Judge(lab.directory);
    judge.watch("LAN owners", lab.instrument("lan", ["observe", "watch0", LAN_ADDRESS, LAN_ADDRESS6]));
    address("a", "add");
    await until("both addresses are answered for", async () =>
      (await judge.books()).every(({ book }) => book.runs.length > 0),
    );
  });

  afterAll(() => lab?.remove());

  test("see one owner, and a change of owner", async () => {
    judge.mark();
    await someMore();
    expect(await judge.offences(0)).toEqual([]);
    address("a", "del");
    address("b", "add");
    await someMore();
    expect(await judge.offences(1)).toEqual([]);
    expect((await judge.books()).map(({ book }) => book.runs.map(({ macs }) => macs))).toEqual([
      [[lab.mac("a", "lan0")], [lab.mac("b", "lan0")]],
      [[lab.mac("a", "lan0")], [lab.mac("b", "lan0")]],
    ]);
  });

  test("see two owners of both addresses, and print the frames", async () => {
    judge.mark();
    address("a", "add");
    await someMore();
    const offences = await judge.offences(1);
    expect(offences.map((text) => text.split(":")[0])).toEqual(["LAN owners", "LAN owners"]);
    expect(offences[0]).toContain(`ARP ${LAN_ADDRESS} is at ${lab.mac("a", "lan0")}`);
    expect(offences[0]).toContain(`ARP ${LAN_ADDRESS} is at ${lab.mac("b", "lan0")}`);
    expect(offences[1]).toContain("ICMPv6 neighbour advertisement fd00:1::1");
    expect(existsSync(/\((\/\S+\.pcap) has more/.exec(offences[0] ?? "")?.[1] ?? "")).toBe(true);
  });
});

describe("the observers of traffic", () => {
  let lab: Lab;
  let judge: Judge;

  const inside = (place: Side | "client" | "host", words: string) => sh(lab.inside(place, words.split(" ")));
  /** The client's way out, and the host's way back. */
  const through = (there: Side, back: Side) => {
    inside("client", `ip neigh replace ${LAN_ADDRESS} lladdr ${lab.mac(there, "lan0")} dev eth0 nud permanent`);
    inside("host", `ip neigh replace ${WAN_ADDRESS} lladdr ${lab.mac(back, "wan0")} dev eth0 nud permanent`);
  };
  const books = () => judge.books();
  /** Waits until each observer has seen a hundred packets more. */
  const someMore = async () => {
    const before = (await books()).map(({ book }) => book.asked);
    await until("more was carried", async () =>
      (await books()).every(({ book }, i) => book.asked >= (before[i] ?? 0) + 100),
    );
  };

  beforeAll(async () => {
    lab = new Lab();
    judge = new Judge(lab.directory);
    for (const side of ["a", "b"] as const) {
      // Not the shared addresses, which nobody need ask for here: each its own, and both forward.
      const digit = side === "a" ? 3 : 4;
      inside(side, `ip addr add 10.1.0.${digit}/24 dev lan0`);
      inside(side, `ip addr add 10.2.0.${digit}/24 dev wan0`);
      inside(side, "sysctl -qw net.ipv4.ip_forward=1");
    }
    through("a", "a");
    lab.instrument("host", ["echo", String(ECHO_PORT)]);
    lab.instrument("client", ["probe", HOST_ADDRESS, String(ECHO_PORT)]);
    judge.watch("from LAN to WAN", lab.instrument("host", ["watch", "eth0", String(ECHO_PORT)]));
    judge.watch("from WAN to LAN", lab.instrument("client", ["watch", "eth0", String(ECHO_PORT)]));
    await until("traffic flows", async () => (await books()).every(({ book }) => book.runs.length > 0));
  });

  afterAll(() => lab?.remove());

  const offenders = async (changes: number) => (await judge.offences(changes)).map((text) => text.split(":")[0]);

  test("see one carrier, and a change of carrier", async () => {
    judge.mark();
    await someMore();
    expect(await offenders(0)).toEqual([]);
    through("b", "b");
    await someMore();
    expect(await offenders(1)).toEqual([]);
    expect(await offenders(0)).toEqual(["from LAN to WAN", "from WAN to LAN"]);
  });

  for (const [way, there, back] of [
    ["from LAN to WAN", "a", "b"],
    ["from WAN to LAN", "b", "a"],
  ] as const)
    test(`see two carriers ${way}`, async () => {
      through("b", "b");
      await someMore();
      judge.mark();
      await someMore();
      through(there, back);
      await someMore();
      through("b", "b");
      await someMore();
      expect(await offenders(1)).toEqual([way]);
    });
});

describe("a live pair whose backup lost its gate and took the addresses", () => {
  let pair: Pair;

  beforeAll(async () => {
    pair = await Pair.make();
  }, TEST_MS);

  afterAll(() => pair?.remove());

  const addresses: [string, string, string][] = [
    ["LAN owners: 10.1.0.1", `${LAN_ADDRESS}/24`, "lan0"],
    ["LAN owners: fd00:1::1", `${LAN_ADDRESS6}/64`, "lan0"],
    ["WAN owners: 10.2.0.1", `${WAN_ADDRESS}/24`, "wan0"],
    ["WAN owners: fd00:2::1", `${WAN_ADDRESS6}/64`, "wan0"],
  ];

  test(
    "each address taken is an offence; behind its gate it is none",
    async () => {
      const address = (verb: string, text: string, nic: string) =>
        sh(pair.lab.inside("b", ["ip", "addr", verb, text, "dev", nic, ...(text.includes(":") ? ["nodad"] : [])]));
      // Without its processes nobody puts the gate or the addresses right again.
      pair.b.signal("SIGSTOP");
      for (const has_gate of [true, false]) {
        if (!has_gate) {
          pair.b.kill();
          // The gate is its owner's alone until that is quite gone.
          await until("the gate is gone", () => {
            pair.b.flushFirewall();
            return sh(pair.lab.inside("b", ["nft", "list", "tables"])) === "";
          });
        }
        for (const [offence, text, nic] of addresses) {
          pair.mark();
          address("add", text, nic);
          if (has_gate) await Bun.sleep(200);
          else await until(`${offence} is seen`, async () => (await pair.observers.offences(0)).length > 0);
          const offences = (await pair.observers.offences(0)).map((found) => found.split(": ").slice(0, 2).join(": "));
          address("del", text, nic);
          expect(offences).toEqual(has_gate ? [] : [offence]);
        }
      }
    },
    TEST_MS,
  );
});
