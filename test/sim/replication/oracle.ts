/** What may never happen, whatever did. Knows disks and verdicts, and nothing of engines. */
import type { Proposal, Verdict } from "../../../src/replication/types.ts";
import type { SimNode } from "./node.ts";

export class Oracle {
  readonly #nodes: [SimNode, SimNode];
  readonly #confirmed: { id: string; on: "both" | "alone" }[] = [];
  /** Ids of changes that were refused without a doubt. */
  readonly #refused: string[] = [];
  /** The term in which the other one said to each that it is active; -1 where it is none, or where that one claimed since. */
  readonly #claims = [-1, -1];
  readonly #waiting: (Proposal | null)[] = [null, null];
  both = 0;
  alone = 0;
  refused = 0;
  readonly codes = new Set<string>();

  constructor(nodes: [SimNode, SimNode]) {
    this.#nodes = nodes;
  }

  proposed(node: number, proposal: Proposal): void {
    this.#waiting[node] ??= proposal;
  }

  /** This node was told that the other one is active in that term; -1: that it is not, or that it is itself since. */
  claimed(node: number, term: number): void {
    this.#claims[node] = term;
  }

  crashed(node: number): void {
    this.#claims[node] = -1;
    this.#waiting[node] = null;
  }

  givesWay(number: number): void {
    const { active, term } = this.#nodes[number as 0 | 1].told;
    demand(!active || term < (this.#claims[number] ?? -1), "the active node gave way");
    demand((this.#claims[number] ?? -1) >= 0, "a node gave way to one that is not active");
  }

  isBusy(node: number): boolean {
    return this.#waiting[node] !== null;
  }

  verdict(number: number, verdict: Verdict): void {
    if (!verdict.ok && verdict.code === "busy") return;
    const node = this.#nodes[number as 0 | 1];
    const proposal = this.#waiting[number];
    this.#waiting[number] = null;
    demand(proposal !== null && proposal !== undefined, "a verdict that nobody waits for");
    if (!verdict.ok) {
      this.refused++;
      this.codes.add(verdict.code);
      if (!verdict.message.includes("may have it")) this.#refused.push(proposal.revision.id);
      return;
    }
    const { revision, on } = verdict;
    demand(revision.id === proposal.revision.id, "the verdict is of another change");
    demand(node.told.active, "a node that is not active confirmed");
    demand(node.told.term > (this.#claims[number] ?? -1), "a node that knew of a higher claim confirmed");
    demand(node.disk.find(revision.id) !== null, "confirmed, and not on this disk");
    if (on === "both") {
      this.both++;
      for (const { disk } of this.#nodes)
        demand(disk.find(revision.id) !== null, "confirmed by both, not on both disks");
    } else {
      this.alone++;
      demand(proposal.alone || !node.told.peer_heard, "confirmed alone while the peer is heard");
    }
    this.#confirmed.push({ id: revision.id, on });
  }

  end(): void {
    const [a, b] = this.#nodes.map(({ disk }) => disk) as [SimNode["disk"], SimNode["disk"]];
    demand(
      a.head().id === b.head().id,
      `the two end with different settings (${this.#nodes.map(({ state }) => state)})`,
    );
    for (const { state } of this.#nodes) demand(state === "in-sync", `the two end equal, but ${state}`);
    for (const { closes } of this.#nodes) demand(closes === 0, "a healthy peer was hung up on");
    demand(this.#confirmed.at(-1)?.id === a.head().id, "two healthy nodes did not take a change");
    for (const disk of [a, b]) demand(disk.head().content !== "", "the newest settings have no content");
    const kept = new Set(
      [a, b].flatMap((disk) => disk.kept().flatMap(({ revisions }) => revisions.map(({ id }) => id))),
    );
    for (const { id, on } of this.#confirmed) {
      const final = a.find(id) !== null && b.find(id) !== null;
      demand(final || (on === "alone" && kept.has(id)), `confirmed ${on}, and lost: ${id.slice(0, 6)}`);
    }
    for (const id of this.#refused) demand(a.find(id) === null, "refused without a doubt, and in force");
  }
}

function demand(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}
