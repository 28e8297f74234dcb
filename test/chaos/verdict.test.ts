/** The judges of chaos are judged first: books, claims and faults made up, and what must be said of them. */
import { describe, expect, test } from "bun:test";
import type { Book } from "../lab/instrument.ts";
import { drawOutages } from "./picture.ts";
import { outages, table } from "./report.ts";
import { type Fault, KINDS, type Kind, makeSchedule, only } from "./schedule.ts";
import { type Happening, Truth } from "./truth.ts";
import { type Claim, judgeOwners, judgeService } from "./verdict.ts";

const MARK_MS = 100_000;
const SIDES = new Map([
  ["A", "a"],
  ["B", "b"],
] as const);
type Shown = [owners: string, from_ms: number, to_ms: number];

function book(...runs: Shown[]): Book {
  return {
    what: "10.1.0.1",
    asked: 10_000,
    full: false,
    runs: runs.map(([owners, from_ms, to_ms]) => ({
      macs: owners.split("+"),
      from_ms,
      to_ms,
      count: Math.max(1, to_ms - from_ms),
    })),
  };
}

function claim(side: "a" | "b", term: number, at_ms: number): Claim {
  return { side, term, at_ms: MARK_MS + at_ms };
}

function happening(kind: Kind, side: "a" | "b", from_ms: number, to_ms: number, more: Partial<Fault> = {}): Happening {
  const fault: Fault = {
    number: 1,
    kind,
    victim: "active",
    cable: "lan0",
    detail: "",
    start_ms: 0,
    duration_ms: 0,
    ...more,
  };
  return { fault, side, from_ms: MARK_MS + from_ms, to_ms: MARK_MS + to_ms };
}

function truthOf(...happenings: Happening[]): Truth {
  const truth = new Truth();
  for (const one of happenings) truth.add(one);
  return truth;
}

describe("owners", () => {
  const FIRST = claim("a", 1, -1000);
  const cases: [
    what: string,
    innocent: boolean,
    book: Book,
    claims: Claim[],
    truth?: Happening[],
    unreliable?: "a" | "b",
  ][] = [
    ["one owner", true, book(["A", 0, 900]), []],
    ["nobody at all", false, book(), []],
    ["a change that was claimed", true, book(["A", 0, 400], ["B", 420, 900]), [claim("b", 2, 418)]],
    ["a change that nobody claimed", false, book(["A", 0, 400], ["B", 420, 900]), []],
    [
      "there and back, both claimed",
      true,
      book(["A", 0, 400], ["B", 420, 600], ["A", 620, 900]),
      [claim("b", 2, 418), claim("a", 3, 618)],
    ],
    ["back without a claim", false, book(["A", 0, 400], ["B", 420, 600], ["A", 620, 900]), [claim("b", 2, 418)]],
    [
      "interleaved around one claim",
      false,
      book(["A", 0, 400], ["B", 401, 401], ["A", 402, 402], ["B", 403, 900]),
      [claim("b", 2, 401)],
    ],
    [
      "interleaved around one claim, while later ones are to come",
      false,
      book(["A", 0, 400], ["B", 401, 401], ["A", 402, 402], ["B", 403, 9000]),
      [claim("b", 2, 401), claim("a", 3, 6000), claim("b", 4, 8000)],
    ],
    [
      "one question with two owners",
      false,
      book(["A", 0, 400], ["A+B", 401, 401], ["B", 402, 900]),
      [claim("b", 2, 401)],
    ],
    ["a stranger", false, book(["A", 0, 400], ["X", 401, 401]), []],
    [
      "a claim that a killed node could not log",
      true,
      book(["A", 0, 400], ["B", 420, 600], ["A", 620, 900]),
      [claim("a", 3, 618)],
      [],
      "b",
    ],
    [
      "more changes than there were terms",
      false,
      book(["A", 0, 400], ["B", 420, 600], ["A", 620, 900], ["B", 901, 902]),
      [claim("a", 3, 618)],
      [],
      "b",
    ],
    [
      "islands, each with its owner",
      true,
      book(["A+B", 0, 400], ["A", 401, 409], ["B", 410, 900]),
      [claim("b", 2, 10)],
      [happening("all cables silent", "a", -500, 400)],
    ],
    [
      "islands that were joined longer ago than a heartbeat",
      false,
      book(["B", 0, 400], ["A+B", 401, 440], ["B", 441, 900]),
      [claim("b", 2, 0)],
      [happening("all cables silent", "a", -500, 400)],
    ],
    [
      "silent islands that were joined for everything but heartbeats",
      true,
      book(["A", 0, 300], ["A+B", 301, 800], ["B", 810, 900]),
      [claim("b", 2, 100)],
      [happening("all cables silent", "a", 20, 300), happening("heartbeats blocked everywhere", "b", -100, 800)],
    ],
    [
      "the same where a node saw its links go",
      false,
      book(["A", 0, 300], ["A+B", 301, 800], ["B", 810, 900]),
      [claim("b", 2, 100)],
      [happening("all cables cut", "a", 20, 300), happening("heartbeats blocked everywhere", "b", -100, 800)],
    ],
    [
      "blocked heartbeats make no islands",
      false,
      book(["A+B", 0, 400], ["B", 410, 900]),
      [claim("b", 2, 10)],
      [happening("heartbeats blocked everywhere", "a", -500, 400)],
    ],
    [
      "a loss one way is excused for one heartbeat",
      true,
      book(["A", 0, 400], ["A+B", 402, 406], ["B", 407, 900]),
      [claim("b", 2, 402)],
      ["lan0", "wan0", "clu0"].map((cable) =>
        happening("one-way loss", "a", 300, 900, { cable: cable as "lan0", detail: "ingress" }),
      ),
    ],
    [
      "and no longer",
      false,
      book(["A", 0, 400], ["A+B", 402, 450], ["B", 451, 900]),
      [claim("b", 2, 402)],
      ["lan0", "wan0", "clu0"].map((cable) =>
        happening("one-way loss", "a", 300, 900, { cable: cable as "lan0", detail: "ingress" }),
      ),
    ],
  ];
  for (const [what, innocent, given, claims, happenings = [], unreliable] of cases) {
    test(`${what}: ${innocent ? "innocent" : "caught"}`, () => {
      const verdict = judgeOwners(given, MARK_MS, {
        side_of: SIDES,
        first: FIRST,
        claims,
        last_term: Math.max(FIRST.term, ...claims.map(({ term }) => term)),
        unreliable: new Set(unreliable === undefined ? [] : [unreliable]),
        truth: truthOf(...happenings),
      });
      expect(verdict?.text ?? "innocent").toMatch(innocent ? /^innocent$/ : /10\.1\.0\.1/);
    });
  }
});

describe("service", () => {
  const cases: [what: string, innocent: boolean, gap_ms: [number, number], truth: Happening[]][] = [
    ["a short gap", true, [0, 30], [happening("freeze, long", "a", 0, 800)]],
    ["a long gap although the other node was ready", false, [0, 800], [happening("freeze, long", "a", 0, 800)]],
    ["a long gap without any fault", false, [0, 800], []],
    [
      "both nodes down",
      true,
      [0, 4000],
      [happening("SIGKILL all", "a", 0, 4000), happening("SIGKILL all", "b", 0, 4000)],
    ],
    [
      "both nodes returned a while ago",
      false,
      [0, 8000],
      [happening("SIGKILL all", "a", 0, 1000), happening("SIGKILL all", "b", 0, 1000)],
    ],
    [
      "a node that has just started may listen first",
      true,
      [0, 2800],
      [happening("SIGKILL all", "a", 0, 2800), happening("SIGKILL all", "b", -500, 200)],
    ],
    [
      "one cable of each node cut",
      true,
      [0, 2000],
      [happening("data cable cut", "a", 0, 2000), happening("data cable cut", "b", 0, 2000, { cable: "wan0" })],
    ],
    ["one cable of the active node cut", false, [0, 2000], [happening("data cable cut", "a", 0, 2000)]],
    [
      "one cable of the active node silent: nobody is told",
      true,
      [0, 900],
      [happening("data cable silent", "a", 0, 900)],
    ],
    [
      "cut, and alive but silent: the other one may not know",
      true,
      [0, 900],
      [happening("data cable cut", "a", 0, 900), happening("heartbeats blocked everywhere", "b", 0, 900)],
    ],
    [
      "frozen, and silent before",
      false,
      [0, 900],
      [happening("freeze, long", "a", 0, 900), happening("heartbeats blocked everywhere", "b", -100, 900)],
    ],
    ["wholly cut off", false, [0, 900], [happening("all cables silent", "a", 0, 900)]],
  ];
  for (const [what, innocent, [from_ms, to_ms], happenings] of cases) {
    test(`${what}: ${innocent ? "innocent" : "caught"}`, () => {
      const gap = { from_ms: MARK_MS + from_ms, to_ms: MARK_MS + to_ms };
      expect(judgeService([gap], truthOf(...happenings)).length).toBe(innocent ? 0 : 1);
    });
  }
});

test("a machine without a processor to spare is excused from being ready, not from serving", () => {
  const gap = (to_ms: number) => [{ from_ms: MARK_MS, to_ms: MARK_MS + to_ms }];
  const truth = truthOf(happening("freeze, long", "a", 0, 900));
  expect(truth.addSleep("a", MARK_MS + 900, 880)).toBe(false);
  expect(judgeService(gap(800), truth).length).toBe(1);
  expect(truth.addSleep("b", MARK_MS + 300, 60)).toBe(true);
  expect(judgeService(gap(800), truth)).toEqual([]);
  expect(judgeService(gap(3500), truth).length).toBe(1);
});

describe("the schedule", () => {
  test("is the same for the same seed, and another for another", () => {
    expect(makeSchedule(7, 100)).toEqual(makeSchedule(7, 100));
    expect(makeSchedule(7, 100)).not.toEqual(makeSchedule(8, 100));
  });

  test("has as many faults as asked for, and every kind among them", () => {
    const faults = makeSchedule(1, 60).flatMap((round) => round.faults);
    expect(faults.map(({ number }) => number).sort((one, other) => one - other)).toEqual(
      Array.from({ length: 60 }, (_, i) => i + 1),
    );
    expect(new Set(faults.map(({ kind }) => kind)).size).toBe(Object.keys(KINDS).length);
  });

  test("never takes hold of the processes of one node twice at a time", () => {
    for (const { faults } of makeSchedule(3, 1000)) {
      for (const victim of ["active", "backup"]) {
        const held = faults.filter((fault) => fault.victim === victim && KINDS[fault.kind].hold === "node");
        held.forEach((fault, i) => {
          const before = held[i - 1];
          if (before !== undefined) expect(fault.start_ms).toBeGreaterThan(before.start_ms + before.duration_ms);
        });
      }
    }
  });

  test("can be narrowed", () => {
    const some = only(makeSchedule(1, 60), [3, 17]);
    expect(some.flatMap((round) => round.faults.map(({ number }) => number))).toEqual([3, 17]);
  });
});

test("the table and the picture have a row for each kind", () => {
  const rounds = makeSchedule(1, 200).map((round, i) => ({
    round,
    active: "a" as const,
    outage_ms: i * 7.5,
    claims: 1,
    offences: [],
    evidence: "",
  }));
  const figures = outages({ rounds });
  expect(figures.reduce((sum, { count }) => sum + count, 0)).toBe(rounds.length);
  expect(table(figures).split("\n").length).toBe(figures.length + 2);
  const picture = drawOutages(figures, "made up & <drawn>");
  expect(picture.match(/<circle/g)?.length).toBe(rounds.length);
  expect(picture).toContain("made up &#38; &#60;drawn&#62;");
});
