/** What two nodes must have in common before they become a cluster (S13, S14), a sentence each. */
import { Failure } from "../../errors.ts";
import type { Introduction, Match, Slot } from "./messages.ts";

/** What needs no knowledge of the matches; throws the first Failure. */
export function demandFit(mine: Introduction, theirs: Introduction): void {
  if (mine.version !== theirs.version || mine.build !== theirs.build) {
    throw new Failure(
      "version-differs",
      `${mine.name} has version ${mine.version} build ${mine.build}, ${theirs.name} has ${theirs.version} build ${theirs.build}; bring both to the same one.`,
    );
  }
  if (mine.cards.length !== theirs.cards.length) {
    throw new Failure(
      "cards-differ",
      `${mine.name} has ${mine.cards.length} network cards and ${theirs.name} has ${theirs.cards.length}; both need the same number.`,
    );
  }
  if (mine.name === theirs.name)
    throw new Failure("same-name", `Both nodes are called ${mine.name}; give one of them another name.`);
  if (theirs.license !== null && theirs.license !== mine.license) {
    throw new Failure(
      "license-differs",
      `${theirs.name} has a license that ${mine.name} does not have, and its settings are deleted; install it on ${mine.name} first, or remove it there.`,
    );
  }
}

/** The slots of the matches; throws Failure where the cards cannot belong together. */
export function matchCards(mine: Introduction, theirs: Introduction, matches: Match[]): Slot[] {
  if (matches.length >= theirs.cards.length) {
    throw new Failure(
      "no-card-free",
      `${theirs.name} has no network card left for each of ${matches.length} interfaces beside the cluster network; add one to both nodes, or delete an interface.`,
    );
  }
  const used = new Set<string>();
  return matches.map(({ mine: my_nic, theirs: their_nic }, index) => {
    const creator = mine.cards.find((card) => card.nic === my_nic);
    const joiner = theirs.cards.find((card) => card.nic === their_nic);
    if (creator === undefined) throw new Failure("unknown-interface", `This node has no network card ${my_nic}.`);
    if (joiner === undefined)
      throw new Failure("unknown-interface", `${theirs.name} has no network card ${their_nic}.`);
    if (their_nic === theirs.cluster.nic)
      throw new Failure("interface-in-use", `${their_nic} of ${theirs.name} is reserved for the cluster network.`);
    if (used.has(their_nic)) throw new Failure("matched-twice", `${their_nic} of ${theirs.name} is matched twice.`);
    used.add(their_nic);
    return { slot: index + 1, creator, joiner };
  });
}
