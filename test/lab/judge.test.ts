/** The judge is judged first: one owner, an orderly change, two owners, and nobody, without any node of ours. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import type { Book, OwnerRun } from "./instrument.ts";
import { Judge, twoOwners } from "./judge.ts";
import { sh, until } from "./shell.ts";
import { LAN_ADDRESS, LAN_ADDRESS6, Lab, type Side } from "./topology.ts";

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
