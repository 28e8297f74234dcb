/** Deliberate faults in the replication of settings. */
import type { Mutant } from "./mutant.ts";

const mutant = (name: string, file: string, search: string, replacement: string): Mutant => ({
  name,
  file: `src/replication/${file}`,
  search,
  replacement,
  catchers: ["replication"],
});

export const REPLICATION_MUTANTS: Mutant[] = [
  mutant(
    "the active node stores before the backup has it",
    "engine.ts",
    "if (this.#now_ms < pending.deadline_ms) return;",
    'if (peer !== null) return this.#confirm("both");',
  ),
  mutant(
    "the backup says stored without storing",
    "engine.ts",
    "const failure = this.#store(() => chain.append([revision]));",
    "const failure = this.#store(() => {});",
  ),
  mutant(
    "a node that is not active any more confirms",
    "engine.ts",
    'if (!this.#isActive()) return this.#refuse("not-active");\n    if (head',
    "if (head",
  ),
  mutant("the higher term does not count", "engine.ts", "&& this.#situation.term > this.#claimed_term", ""),
  mutant(
    "a change whose base has moved is confirmed all the same",
    "engine.ts",
    'return this.#refuse("settings-moved");\n    if (peer',
    'return this.#settle({ ok: true, revision: pending.revision, on: "alone" });\n    if (peer',
  ),
  mutant(
    "alone, though the peer is heard",
    "engine.ts",
    "if (!this.#situation.peer_heard || pending.alone) return",
    "return",
  ),
  mutant(
    "the active node gives way as well",
    "engine.ts",
    "return !this.#isActive() && this.#peer",
    "return this.#peer",
  ),
  mutant(
    "nobody gives way",
    "engine.ts",
    "return !this.#isActive() && this.#peer !== null",
    "return this.#peer === null",
  ),
  mutant(
    "what gives way is dropped instead of kept",
    "pull.ts",
    "this.#chain.replace(common, ready, name);",
    "this.#chain.reset([...this.#chain.since('0', 1e9).filter((r) => r.number <= (this.#chain.find(common)?.number ?? 0)), ...ready]);",
  ),
  mutant(
    "revisions are stored before their content is there",
    "pull.ts",
    'this.#waiting.findLastIndex(({ content }) => content !== "") + 1',
    "this.#waiting.length",
  ),
  mutant(
    "a refusal hides that the backup may have it",
    "engine.ts",
    "pending.may_be_there = true;",
    "pending.may_be_there = false;",
  ),
];
