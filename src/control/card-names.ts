/**
 * Which network card has which name (eth0, eth1, …), for good: a card keeps its name wherever it is plugged in, the name
 * of a card that is missing stays its own, and a new card gets one that nobody has. Values only; card-naming.ts acts.
 */
import { Failure } from "../errors.ts";

/** What a card is known by. */
export interface CardIdentity {
  /** The burnt-in address; empty where it has none of its own, or another card has the same: then its place tells it. */
  mac: string;
  /** Its place in the machine: the path of its device. */
  place: string;
}

export interface KnownCard extends CardIdentity {
  name: string;
  /** It came after the first start, and the administrator has not said what it is for. */
  is_new: boolean;
}

export interface PresentCard extends CardIdentity {
  nic: string;
}

const PREFIX = "eth";

export function isSame(a: CardIdentity, b: CardIdentity): boolean {
  return a.mac === b.mac && (a.mac !== "" || a.place === b.place);
}

/** As an administrator would say which card that is. */
export function identityText({ mac, place }: CardIdentity): string {
  return mac === "" ? place : mac;
}

/** At a start: everybody who is known, those who are there now among them, in the order of their names. */
export function nameCards(known: KnownCard[], present: CardIdentity[]): KnownCard[] {
  const is_first = known.length === 0;
  const is_missing = (card: KnownCard): boolean => !present.some((entry) => isSame(entry, card));
  // Somebody who looks for a card that is missing wants to see which one is new, also after the next start.
  const some_missing = known.some(is_missing);
  const named = known.map((card) => ({
    ...card,
    place: present.find((entry) => isSame(entry, card))?.place ?? card.place,
    is_new: card.is_new && some_missing,
  }));
  const unknown = present.filter((entry) => !known.some((card) => isSame(entry, card)));
  for (const { mac, place } of unknown.toSorted(byPlace))
    named.push({ name: freeName(named), mac, place, is_new: !is_first });
  return named.sort((a, b) => numberOf(a.name) - numberOf(b.name));
}

function byPlace(a: CardIdentity, b: CardIdentity): number {
  const [first, second] = [`${a.place} ${a.mac}`, `${b.place} ${b.mac}`];
  return first < second ? -1 : first > second ? 1 : 0;
}

function freeName(named: KnownCard[]): string {
  const taken = new Set(named.map(({ name }) => name));
  let number = 0;
  while (taken.has(`${PREFIX}${number}`)) number += 1;
  return `${PREFIX}${number}`;
}

function numberOf(name: string): number {
  return Number(name.slice(PREFIX.length));
}

/**
 * The card (its MAC address, place or present name) gets the name. If that is the name of a card that is there, the two
 * exchange theirs; one that is missing is forgotten. Throws Failure `unknown-card`, `unknown-name`.
 */
export function assignName(known: KnownCard[], present: PresentCard[], name: string, card: string): KnownCard[] {
  const owner = known.find((entry) => entry.name === name);
  if (owner === undefined) throw noSuchName(name);
  const wanted = known.find((entry) => entry.name === card || entry.mac === card.toLowerCase() || entry.place === card);
  if (wanted === undefined || !present.some((entry) => isSame(entry, wanted)))
    throw new Failure(
      "unknown-card",
      `There is no card ${card} that has been named; \`understudy cards\` lists them, and a card that was just put in is named at the next start.`,
    );
  if (wanted === owner) throw new Failure("unknown-card", `${card} is ${name} already.`);
  const stays = present.some((entry) => isSame(entry, owner));
  return known
    .filter((entry) => entry !== owner || stays)
    .map((entry) => {
      if (entry === wanted) return { ...entry, name, is_new: false };
      return entry === owner ? { ...entry, name: wanted.name } : entry;
    })
    .sort((a, b) => numberOf(a.name) - numberOf(b.name));
}

/** Throws Failure `unknown-name`, or `card-present` where the card is there. */
export function forgetName(known: KnownCard[], present: PresentCard[], name: string): KnownCard[] {
  const owner = known.find((entry) => entry.name === name);
  if (owner === undefined) throw noSuchName(name);
  if (present.some((entry) => isSame(entry, owner)))
    throw new Failure("card-present", `${name} (${identityText(owner)}) is there; take the card out first.`);
  return known.filter((entry) => entry !== owner);
}

function noSuchName(name: string): Failure {
  return new Failure("unknown-name", `No card is known as ${name}; \`understudy cards\` lists the names.`);
}
