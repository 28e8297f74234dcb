/** Cards keep their names, whatever is put in, taken out or moved. */
import { describe, expect, test } from "bun:test";
import { assignName, forgetName, nameCards, type PresentCard } from "./card-names.ts";
import { cardAlarms, missingCards, naming } from "./cards.ts";

const card = (number: number, place = `pci0000:00/0000:00:0${number}.0`) => ({
  mac: `02:00:00:00:00:0${number}`,
  place,
});
const [first, second, third, fourth] = [card(1), card(2), card(3), card(4)] as const;
const as = (nic: string, identity = first): PresentCard => ({ nic, ...identity });
const texts = (cards: { name: string; mac: string; is_new: boolean }[]) =>
  cards.map(({ name, mac, is_new }) => `${name} ${mac.slice(-1)}${is_new ? " new" : ""}`);

const known = nameCards([], [third, first, second]);

describe("at a start", () => {
  test("the first one: in the order of their places, and nothing is new", () => {
    expect(texts(known)).toEqual(["eth0 1", "eth1 2", "eth2 3"]);
  });
  test("the next one: as before, wherever they are plugged in now", () => {
    const moved = [{ ...first, place: third.place }, { ...third, place: first.place }, second];
    const next = nameCards(known, moved);
    expect(texts(next)).toEqual(["eth0 1", "eth1 2", "eth2 3"]);
    expect(next[0]?.place).toBe(third.place);
  });
  test("a card that is missing keeps its name, and a new one gets none that is known", () => {
    expect(texts(nameCards(known, [fourth, first, third]))).toEqual(["eth0 1", "eth1 2", "eth2 3", "eth3 4 new"]);
  });
  test("a new one is new as long as another one is missing", () => {
    const swapped = nameCards(known, [fourth, first, third]);
    expect(texts(nameCards(swapped, [fourth, first, third])).at(-1)).toBe("eth3 4 new");
    expect(texts(nameCards(swapped, [fourth, first, second, third])).at(-1)).toBe("eth3 4");
  });
  test("a name that was forgotten is free", () => {
    const forgotten = forgetName(known, [as("eth0"), as("eth2", third)], "eth1");
    expect(texts(nameCards(forgotten, [first, third, fourth]))).toEqual(["eth0 1", "eth1 4 new", "eth2 3"]);
  });
  test("cards without an address of their own are known by their place", () => {
    const [left, right] = [
      { mac: "", place: "a" },
      { mac: "", place: "b" },
    ];
    const names = nameCards([], [right, left]);
    expect(names.map(({ name, place }) => `${name} ${place}`)).toEqual(["eth0 a", "eth1 b"]);
    expect(nameCards(names, [right]).map(({ name, place }) => `${name} ${place}`)).toEqual(["eth0 a", "eth1 b"]);
  });
});

describe("the administrator", () => {
  const swapped = nameCards(known, [first, third, fourth]);
  const present = [as("eth0"), as("eth2", third), as("eth3", fourth)];

  for (const said of [fourth.mac, fourth.mac.toUpperCase(), "eth3", fourth.place])
    test(`gives a new card, called ${said}, the name of a missing one`, () => {
      const names = assignName(swapped, present, "eth1", said);
      expect(texts(names)).toEqual(["eth0 1", "eth1 4", "eth2 3"]);
      expect(texts(nameCards(names, [first, third, fourth]))).toEqual(["eth0 1", "eth1 4", "eth2 3"]);
    });
  test("exchanges the names of two cards that are there", () => {
    expect(texts(assignName(swapped, present, "eth0", third.mac))).toEqual([
      "eth0 3",
      "eth1 2",
      "eth2 1",
      "eth3 4 new",
    ]);
  });
  test("is told what cannot be", () => {
    const refusals: [() => unknown, string][] = [
      [() => assignName(swapped, present, "eth7", fourth.mac), "unknown-name"],
      [() => assignName(swapped, present, "eth1", "02:00:00:00:00:09"), "unknown-card"],
      [() => assignName(swapped, present, "eth0", second.mac), "unknown-card"],
      [() => assignName(swapped, present, "eth0", "eth0"), "unknown-card"],
      [() => forgetName(swapped, present, "eth0"), "card-present"],
      [() => forgetName(swapped, present, "eth7"), "unknown-name"],
    ];
    for (const [work, code] of refusals) expect(work).toThrow(expect.objectContaining({ code }));
  });
});

describe("is shown", () => {
  const swapped = nameCards(known, [first, third, fourth]);
  test("which card is missing, with its address and its use", () => {
    const present = [as("eth0"), as("eth2", third), as("eth3", fourth)];
    const missing = missingCards(swapped, present, (nic) => (nic === "eth1" ? "external" : undefined));
    expect(missing).toMatchObject([
      { nic: "eth1", mac: second.mac, state: "missing", used_as: "external", link: false },
    ]);
    expect(cardAlarms(missing)).toEqual([
      { code: "card-missing", message: "The network card eth1 (02:00:00:00:00:02), external, is missing." },
    ]);
    const unused = missingCards(swapped, present, () => undefined);
    expect(unused).toMatchObject([{ used_as: "missing" }]);
    expect(cardAlarms(unused)).toEqual([]);
  });
  test("which is new, and which has another name from the next start on", () => {
    expect(naming(swapped, as("eth3", fourth))).toEqual({ state: "new", next_nic: null });
    expect(naming(swapped, as("eth1", card(9)))).toEqual({ state: "new", next_nic: null });
    expect(naming(swapped, as("eth0"))).toEqual({ state: null, next_nic: null });
    expect(naming(swapped, as("eth2"))).toEqual({ state: null, next_nic: "eth0" });
  });
  test("nothing where this machine names its cards in its own way", () => {
    expect(naming(null, as("eth3", fourth))).toEqual({ state: null, next_nic: null });
  });
});
