/** Which of two nodes should be active: who is willing, who has more data links, who was it last. */
import type { Heartbeat } from "../wire/heartbeat.ts";
import { countBits } from "./links.ts";
import { ownerOf } from "./terms.ts";

/** A node as it shows itself in its heartbeats. */
export type Fitness = Pick<Heartbeat, "node" | "role" | "term" | "links" | "unwilling">;

/** Of two nodes that are both ready, is it `mine`? Both come to the same answer, each from its own side. */
export function isPreferred(mine: Fitness, theirs: Fitness): boolean {
  if (mine.unwilling !== theirs.unwilling) return theirs.unwilling;
  // One that still listens is not ready, whatever its links and terms: traffic does not wait for it.
  if ((mine.role === "listening") !== (theirs.role === "listening")) return theirs.role === "listening";
  const [my_links, their_links] = [countBits(mine.links), countBits(theirs.links)];
  if (my_links !== their_links) return my_links > their_links;
  const newest = Math.max(mine.term, theirs.term);
  return newest === 0 ? mine.node === 1 : ownerOf(newest) === mine.node;
}

/** `theirs` has a data link that `mine` lost, and more of them in all. */
export function isBetterLinked(theirs: number, mine: number): boolean {
  return (theirs & ~mine) !== 0 && countBits(theirs) > countBits(mine);
}
