/** The dialogue of pairing: through any channel, interrupted anywhere, both nodes end paired or as they were. */
import { describe, expect, test } from "bun:test";
import { introduction, MATCHES, seededCryptography } from "../../../test/pairing.ts";
import { Random } from "../../../test/random.ts";
import { PAIRING_BYTES_MAX } from "../../wire/pairing.ts";
import { Creator } from "./creator.ts";
import { Joiner } from "./joiner.ts";
import type { Agreement, Introduction, Message } from "./messages.ts";
import { judgeSegments } from "./segments.ts";

const GIVEN = { settings: { some: "thing" }, settings_revision: 3 };
const TURNS_MAX = 3000;

interface Channel {
  loss_percent: number;
  twice_percent: number;
  delay_turns: number;
}

/** What one node's disk holds. */
interface Disk {
  prepared: Agreement | null;
  stored: Agreement | null;
}

/** Both nodes, their disks, and frames under way: what the control process does around the dialogue, in turns. */
class World {
  readonly #random: Random;
  readonly #channel: Channel;
  readonly #code: boolean;
  joiner: Joiner | null;
  creator: Creator | null;
  readonly disks: { joiner: Disk; creator: Disk } = {
    joiner: { prepared: null, stored: null },
    creator: { prepared: null, stored: null },
  };
  #under_way: { to: "joiner" | "creator"; at: number; message: Message }[] = [];
  #turn = 0;
  /** Messages that have arrived. */
  arrived = 0;

  constructor(seed: number, channel: Channel, { code = true, joiner = introduction("two", 4) } = {}) {
    this.#random = new Random(seed);
    this.#channel = channel;
    this.#code = code;
    this.joiner = new Joiner(seededCryptography(this.#random), joiner, { code });
    this.creator = new Creator(seededCryptography(this.#random), introduction("one", 1), { code });
  }

  get paired(): { joiner: boolean; creator: boolean } {
    return { joiner: this.disks.joiner.stored !== null, creator: this.disks.creator.stored !== null };
  }

  turn(): void {
    this.#turn++;
    this.#workCreator();
    this.#workJoiner();
    for (const message of this.joiner?.say() ?? []) this.#send("creator", message);
    for (const message of this.creator?.say() ?? []) this.#send("joiner", message);
    const due = this.#under_way.filter(({ at }) => at <= this.#turn);
    this.#under_way = this.#under_way.filter(({ at }) => at > this.#turn);
    for (const { to, message } of due) this.#deliver(to, message);
  }

  #deliver(to: "joiner" | "creator", message: Message): void {
    this.arrived++;
    this[to]?.hear(structuredClone(message));
    if (to === "creator") this.#workCreator();
    else this.#workJoiner();
  }

  /** The administrator takes the next step as soon as it can be taken. */
  #workCreator(): void {
    const { creator } = this;
    if (creator === null) return;
    if (creator.found) creator.type(this.joiner?.code ?? "");
    if (creator.confirmed && creator.agreement === null) {
      if (creator.report === null && !this.#testing) {
        this.#testing = true;
        creator.test(MATCHES);
      } else if (creator.report !== null) creator.apply(MATCHES, GIVEN);
    }
    if (creator.ready && this.disks.creator.stored === null) {
      // The creator is never first to commit to what the joiner does not have.
      expect(this.disks.joiner.prepared).not.toBeNull();
      this.disks.creator.stored = creator.agreement;
      creator.stored();
    }
  }

  #testing = false;

  #workJoiner(): void {
    const { joiner } = this;
    if (joiner === null) return;
    if (joiner.test !== null) joiner.report({ arrivals: [{ match: 0, nic: "lan0" }], unlinked: [] });
    // The disk takes its time; until then nothing may be said that depends on it.
    if (joiner.agreement !== null && !joiner.prepared && this.#random.below(4) === 0) {
      this.disks.joiner.prepared = joiner.agreement;
      joiner.prepared = true;
    }
    if (joiner.committed && this.disks.joiner.stored === null) {
      // Nor does the joiner store what the creator has not.
      expect(this.disks.creator.stored).not.toBeNull();
      this.disks.joiner.stored = joiner.agreement;
    }
  }

  /** Once one side has gone: the creator's heartbeats tell a joiner that is prepared that its cluster exists. */
  aftermath(): void {
    const { joiner, creator } = this.disks;
    if (creator.stored !== null && joiner.prepared?.key === creator.stored.key) joiner.stored = joiner.prepared;
  }

  #send(to: "joiner" | "creator", message: Message): void {
    const { loss_percent, twice_percent, delay_turns } = this.#channel;
    const copies = this.#random.below(100) < twice_percent ? 2 : 1;
    for (let i = 0; i < copies; i++)
      if (this.#random.below(100) >= loss_percent)
        this.#under_way.push({ to, at: this.#turn + this.#random.below(delay_turns + 1), message });
  }
}

function expectBothAlike({ disks, paired }: World, seed: number): void {
  expect({ seed, ...paired }).toEqual({ seed, joiner: paired.creator, creator: paired.creator });
  expect(disks.joiner.stored?.key).toBe(disks.creator.stored?.key as string);
  expect(disks.joiner.stored?.id).toBe(disks.creator.stored?.id as string);
  expect(disks.joiner.stored?.bequest).toEqual(disks.creator.stored?.bequest as never);
}

test("with loss, duplicates and any order both end with the same keys", () => {
  for (let seed = 1; seed <= 400; seed++) {
    const channel = { loss_percent: seed % 80, twice_percent: (seed * 7) % 60, delay_turns: seed % 12 };
    const world = new World(seed, channel, { code: seed % 5 > 0 });
    for (let i = 0; i < TURNS_MAX && world.creator?.done !== true; i++) world.turn();
    expect({ seed, done: world.creator?.done }).toEqual({ seed, done: true });
    expectBothAlike(world, seed);
    expect(world.disks.joiner.stored?.peer.certificate).toBe("one");
    expect(world.disks.creator.stored?.peer.certificate).toBe("two");
  }
});

for (const victim of ["joiner", "creator"] as const)
  test(`whenever the ${victim} dies, both are paired or as they were`, () => {
    let paired = 0;
    let alone = 0;
    for (let seed = 1; seed <= 300; seed++) {
      const channel = { loss_percent: seed % 40, twice_percent: seed % 30, delay_turns: seed % 6 };
      const world = new World(seed, channel);
      // So many messages arrive before it dies.
      const last = 1 + (seed % 60);
      for (let i = 0; i < TURNS_MAX && world.arrived < last; i++) world.turn();
      world[victim] = null;
      for (let i = 0; i < 100; i++) world.turn();
      world.aftermath();
      expectBothAlike(world, seed);
      if (world.paired.creator) paired++;
      else alone++;
    }
    // Both outcomes must have been seen, or the deaths were all on one side of the decision.
    expect(Math.min(paired, alone)).toBeGreaterThan(10);
  });

describe("refusals", () => {
  const pair = (more: Partial<Introduction> = {}, options = { code: true }) => {
    const random = new Random(1);
    return {
      joiner: new Joiner(seededCryptography(random), introduction("two", 4, more), { code: true }),
      third: new Joiner(seededCryptography(random), introduction("three", 7), { code: true }),
      creator: new Creator(seededCryptography(random), introduction("one", 1, { license: "a" }), options),
    };
  };
  const offerOf = (joiner: Joiner) => joiner.say()[0] as Message;
  const tell = (creator: Creator, joiner: Joiner) => creator.say().map((message) => joiner.hear(message));

  const misfits: [string, Partial<Introduction>, RegExp][] = [
    ["another build", { build: 2 }, /^one has version 0.1.0 build 1, two has 0.1.0 build 2; bring both/],
    ["another version", { version: "0.2.0" }, /two has 0.2.0 build 1/],
    ["fewer cards", { cards: [] }, /^one has 3 network cards and two has 0; both need the same number/],
    ["the same name", { name: "one" }, /^Both nodes are called one/],
    ["a license of its own", { license: "b" }, /^two has a license that one does not have/],
  ];
  for (const [what, more, sentence] of misfits)
    test(`${what}: both are told`, () => {
      const { joiner, creator } = pair(more);
      expect(() => creator.hear(offerOf(joiner))).toThrow(sentence);
      expect(() => tell(creator, joiner)).toThrow(sentence);
    });

  test("one license for both, and none on the joiner, are fine", () => {
    for (const license of ["a", null]) {
      const { joiner, creator } = pair({ license });
      creator.hear(offerOf(joiner));
    }
  });

  test("the code waived on one side only: both are told", () => {
    const { joiner, creator } = pair({}, { code: false });
    const sentence = /^one was told --skip-code and two was not; say it on both nodes or on neither/;
    expect(() => creator.hear(offerOf(joiner))).toThrow(sentence);
    expect(() => tell(creator, joiner)).toThrow(sentence);
  });

  test("a wrong code: both are told, nothing is confirmed, and what was typed is not said", () => {
    const { joiner, creator } = pair();
    creator.hear(offerOf(joiner));
    tell(creator, joiner);
    for (const message of joiner.say()) creator.hear(message);
    const wrong = joiner.code === "000000" ? "000001" : "000000";
    creator.type(wrong);
    tell(creator, joiner);
    expect(joiner.opened).toBe(true);
    expect(() => creator.hear(offerOf(joiner))).toThrow(/^That is not the code that two shows/);
    expect(() => tell(creator, joiner)).toThrow(/^That is not the code/);
    expect([joiner.confirmed, creator.confirmed]).toEqual([false, false]);
    expect(creator.say().some(({ kind }) => kind === "confirm")).toBe(false);
    expect(() => creator.apply(MATCHES, GIVEN)).toThrow(/has not been confirmed/);
  });

  test("a third node: it and the one whose place it may have taken are told", () => {
    const { joiner, third, creator } = pair();
    creator.hear(offerOf(joiner));
    expect(() => creator.hear(offerOf(third))).toThrow(/^More than two nodes .*two and three/);
    for (const node of [joiner, third]) expect(() => tell(creator, node)).toThrow(/two and three/);
  });

  test("a joiner that begins anew is no third node", () => {
    const { joiner, creator } = pair();
    creator.hear(offerOf(joiner));
    const again = new Joiner(seededCryptography(new Random(9)), introduction("two", 4), { code: true });
    expect(() => creator.hear(offerOf(again))).toThrow(/^two has begun to wait anew/);
    // It is not told to give up.
    tell(creator, again);
  });

  test("a second creator on the cable ends it", () => {
    const { joiner, creator } = pair();
    const other = new Creator(seededCryptography(new Random(9)), introduction("four", 1), { code: true });
    creator.hear(offerOf(joiner));
    other.hear(offerOf(joiner));
    expect(() => creator.hear(other.say()[0] as Message)).toThrow(/^Another node, four, is creating a cluster/);
  });

  test("words that nobody has proved change nothing", () => {
    const { joiner, creator } = pair();
    creator.hear(offerOf(joiner));
    tell(creator, joiner);
    const to = (offerOf(joiner) as { public_key?: string }).public_key ?? "";
    joiner.hear({ kind: "confirm", to, nonce: "0" });
    joiner.hear({ kind: "grant", to, sealed: "0|{}" });
    joiner.hear({ kind: "commit", proof: "0" });
    for (const kind of ["seen", "confirmed", "ready", "done"] as const) creator.hear({ kind, proof: "0" });
    expect([joiner.confirmed, joiner.agreement, joiner.committed]).toEqual([false, null, false]);
    expect([creator.found, creator.confirmed, creator.ready, creator.done]).toEqual([false, false, false, false]);
  });

  const unfit: [string, string, RegExp][] = [
    ["x", "lan0", /no network card x/],
    ["lan0", "x", /two has no network card x/],
    ["lan0", "clu0", /^clu0 of two is reserved/],
    ["lan0", "wan0", /^wan0 of two is matched twice/],
  ];
  for (const [mine, theirs, sentence] of unfit)
    test(`${mine} cannot match ${theirs}`, () => {
      const world = new World(1, { loss_percent: 0, twice_percent: 0, delay_turns: 0 });
      while (world.creator?.confirmed !== true) world.turn();
      const matches = [
        { mine: "wan0", theirs: "wan0" },
        { mine, theirs },
      ];
      expect(() => world.creator?.test(matches)).toThrow(sentence);
      expect(() => world.creator?.apply(matches, GIVEN)).toThrow(sentence);
    });
});

describe("segments", () => {
  const judge = (mine: { match: number; nic: string }[], theirs: typeof mine, unlinked: string[] = []) =>
    judgeSegments(
      MATCHES,
      { name: "one", report: { arrivals: mine, unlinked: [] } },
      { name: "two", report: { arrivals: theirs, unlinked } },
    ).map(({ there, back, advice }) => ({ ways: [there.good, back.good], advice }));
  const lan = { match: 0, nic: "lan0" };
  const wan = { match: 1, nic: "wan0" };

  test("all arrived", () =>
    expect(judge([lan, wan], [lan, wan])).toEqual([
      { ways: [true, true], advice: null },
      { ways: [true, true], advice: null },
    ]));

  test("one way only: the sentence says which", () => {
    const [first, second] = judge([lan, wan], [wan]);
    const advice = "What lan0 of one sends does not arrive at lan0 of two; put both into one LAN segment.";
    expect(first).toEqual({ ways: [false, true], advice });
    expect(second?.advice).toBeNull();
    expect(judge([wan], [lan, wan])[0]?.advice).toMatch(/^What lan0 of two sends does not arrive at lan0 of one;/);
  });

  test("cables exchanged: the card that did receive it is named", () => {
    const crossed = [
      { match: 0, nic: "wan0" },
      { match: 1, nic: "lan0" },
    ];
    expect(judge(crossed, crossed).map(({ advice }) => advice)).toEqual([
      "What lan0 of one sends does not arrive at lan0 of two but at its wan0; exchange the cables, or match the cards as they are connected.",
      "What wan0 of one sends does not arrive at wan0 of two but at its lan0; exchange the cables, or match the cards as they are connected.",
    ]);
  });

  test("no link", () =>
    expect(judge([lan], [lan], ["wan0"])[1]?.advice).toBe(
      "wan0 of one does not reach wan0 of two: wan0 of two has no link; connect its cable.",
    ));
});

test("a refusal, which anybody on the cable can forge, ends nothing once the creator may have stored the cluster", () => {
  const world = new World(1, { loss_percent: 0, twice_percent: 0, delay_turns: 1 });
  const { joiner } = world;
  for (let turn = 0; turn < TURNS_MAX && joiner?.prepared !== true; turn++) world.turn();
  expect(joiner?.prepared).toBe(true);
  // The world's own generator makes the joiner's key first.
  const to = seededCryptography(new Random(1)).public_key;
  expect(joiner?.isMeant({ kind: "refuse", to, code: "", message: "" })).toBe(true);
  expect(() => joiner?.hear({ kind: "refuse", to, code: "third-node", message: "Forged." })).not.toThrow();
  for (let turn = 0; turn < TURNS_MAX && !world.paired.joiner; turn++) world.turn();
  expect(world.paired).toEqual({ joiner: true, creator: true });
});

test("settings that no message can hold are refused by name, and the exchange goes on", () => {
  const world = new World(1, { loss_percent: 0, twice_percent: 0, delay_turns: 1 });
  const { creator } = world;
  for (let turn = 0; turn < TURNS_MAX && creator?.confirmed !== true; turn++) world.turn();
  const large = { ...GIVEN, settings: { some: "x".repeat(190_000) } };
  expect(() => creator?.apply(MATCHES, large)).toThrow(/too large to be handed over at pairing/);
  expect(creator?.agreement).toBeNull();
  for (const message of creator?.say() ?? []) expect(JSON.stringify(message).length).toBeLessThan(PAIRING_BYTES_MAX);
  const fits = { ...GIVEN, settings: { some: "x".repeat(130_000) } };
  creator?.apply(MATCHES, fits);
  for (const message of creator?.say() ?? []) expect(JSON.stringify(message).length).toBeLessThan(PAIRING_BYTES_MAX);
});
