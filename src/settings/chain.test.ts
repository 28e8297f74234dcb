/** What every chain of revisions must do: the one in memory, and the database. */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CHAIN_LIMITS, type Chain, type ChainLimits, FRESH, makeRevision, type Revision } from "./chain.ts";
import { SettingsDatabase } from "./database.ts";
import { MemoryChain } from "./memory-chain.ts";

const root = mkdtempSync(join(tmpdir(), "understudy-chain-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** `count` children, grandchildren and so on. */
function line(parent: Revision, count: number, author = "test"): Revision[] {
  const revisions: Revision[] = [];
  let before = parent;
  for (let i = 0; i < count; i++) {
    const content = JSON.stringify({ author, of: before.number });
    before = makeRevision(before, {
      at: `2026-11-24T10:00:${String(i % 60).padStart(2, "0")}.000Z`,
      author,
      term: 3,
      content,
    });
    revisions.push(before);
  }
  return revisions;
}

const ids = (revisions: Revision[]) => revisions.map(({ id }) => id);
const FEW: ChainLimits = { contents: 3, content_bytes: 1000, lines: 6, kept: 2 };

const KINDS: [string, (limits: ChainLimits) => Chain][] = [
  ["in memory", (limits) => new MemoryChain(limits)],
  ["on a disk", (limits) => new SettingsDatabase(mkdtempSync(join(root, "chain-")), limits)],
];

for (const [kind, open] of KINDS)
  describe(`a chain ${kind}`, () => {
    test("begins with the fresh install, which is the same everywhere", () => {
      const chain = open(CHAIN_LIMITS);
      expect(chain.head()).toEqual(FRESH);
      expect([chain.find("0"), chain.find("1"), chain.since("1", 9)]).toEqual([FRESH, null, []]);
    });

    test("grows, and tells what came after any point", () => {
      const chain = open(CHAIN_LIMITS);
      const revisions = line(FRESH, 5);
      chain.append(revisions.slice(0, 2));
      chain.append(revisions.slice(2));
      chain.append([]);
      expect(chain.head()).toEqual(revisions[4] as Revision);
      expect(chain.since("0", 3)).toEqual(revisions.slice(0, 3));
      expect(chain.since(revisions[2]?.id ?? "", 9)).toEqual(revisions.slice(3));
      expect(chain.since(chain.head().id, 9)).toEqual([]);
    });

    const [one, two, three] = line(FRESH, 3) as [Revision, Revision, Revision];
    const strays: [string, Revision[], RegExp][] = [
      ["one that skips its parent", [two], /Revision 2 does not follow revision 0/],
      ["one with a gap", [one, three], /Revision 3 does not follow revision 1/],
      ["changed content", [{ ...one, content: "{}" }], /Revision 1 is damaged/],
      ["another author", [{ ...one, author: "somebody" }], /Revision 1 is damaged/],
      ["a newest one without content", [one, { ...two, content: "" }], /without its content/],
      ["a second fresh install", [FRESH], /Revision 0 does not follow revision 0/],
    ];
    for (const [what, revisions, sentence] of strays)
      test(`refuses ${what}, and stays as it was`, () => {
        const chain = open(CHAIN_LIMITS);
        expect(() => chain.append(revisions)).toThrow(sentence);
        expect(chain.head()).toEqual(FRESH);
        expect(chain.since("0", 9)).toEqual([]);
      });

    test("takes history without content, but never a newest revision without", () => {
      const chain = open(CHAIN_LIMITS);
      chain.append([{ ...one, content: "" }, two]);
      expect(chain.find(one.id)?.content).toBe("");
      expect(() => chain.replace(one.id, [], "mine")).toThrow(/no content/);
    });

    test("gives way to another line, and keeps its own under a name", () => {
      const chain = open(CHAIN_LIMITS);
      const ours = line(one, 2, "ours");
      const theirs = line(one, 3, "theirs");
      chain.append([one, ...ours]);
      chain.replace(one.id, theirs, "unshared-1");
      expect(ids(chain.since("0", 9))).toEqual(ids([one, ...theirs]));
      expect(chain.kept()).toEqual([{ name: "unshared-1", at: ours[1]?.at ?? "", revisions: ours }]);
      expect(chain.find(ours[0]?.id ?? "")).toBeNull();
      expect(() => chain.replace("nowhere", theirs, "x")).toThrow(/no revision nowhere/);
    });

    test("is set to another history from any point, and back to a fresh install", () => {
      const chain = open(CHAIN_LIMITS);
      chain.append(line(FRESH, 2, "ours"));
      chain.replace("0", [one], "mine");
      chain.reset([three]);
      expect([chain.head(), chain.find("0"), chain.kept()]).toEqual([three, null, []]);
      chain.append(line(three, 1));
      expect(chain.head().number).toBe(4);
      chain.reset([]);
      expect(chain.head()).toEqual(FRESH);
    });

    test("keeps the newest contents, a longer line of history, and a few replaced ones", () => {
      const chain = open(FEW);
      const revisions = line(FRESH, 10);
      for (const revision of revisions) chain.append([revision]);
      const held = chain.since(revisions[3]?.id ?? "", 99);
      expect(chain.find(revisions[3]?.id ?? "")).toBeNull();
      expect(chain.find(revisions[4]?.id ?? "")?.content).toBe("");
      expect(held).toEqual([]);
      const rest = chain.since(revisions[4]?.id ?? "", 99);
      expect(rest.map(({ number, content }) => [number, content !== ""])).toEqual([
        [6, false],
        [7, false],
        [8, true],
        [9, true],
        [10, true],
      ]);
      for (const name of ["a", "b", "c"]) {
        chain.append(line(chain.head(), 1, name));
        chain.replace(chain.head().parent, line(chain.find(chain.head().parent) ?? FRESH, 1), name);
      }
      expect(chain.kept().map(({ name }) => name)).toEqual(["b", "c"]);
    });

    test("keeps the newest content however large it is", () => {
      const chain = open({ ...FEW, content_bytes: 10 });
      const revisions = line(FRESH, 2);
      chain.append(revisions);
      expect([chain.head().content !== "", chain.find(revisions[0]?.id ?? "")?.content]).toEqual([true, ""]);
    });
  });
