/** `understudy cards name`: run at boot, before anything uses a network card, it gives the cards their names. */
import { readFileSync, realpathSync } from "node:fs";
import { Failure, sentence } from "../errors.ts";
import { type Link, listLinks, renameLink, setLinkUp } from "../kernel/links.ts";
import type { Shim } from "../shim.ts";
import { identityText, isSame, type KnownCard, nameCards, type PresentCard } from "./card-names.ts";
import { readCardNames, writeCardNames } from "./card-names-file.ts";

/** The kernel's addr_assign_type for an address of the card's own. */
const PERMANENT = "0";

export interface Naming {
  names: KnownCard[];
  /** Known, and not there. */
  missing: KnownCard[];
  /** What went wrong or was found damaged, as sentences. */
  troubles: string[];
}

export interface NamedLink extends PresentCard {
  link: Link;
}

/** Hardware only: what is virtual has no device. */
export function presentCards(shim: Shim): NamedLink[] {
  const cards = listLinks(shim)
    .filter(({ ethernet, kind }) => ethernet && kind === "")
    .flatMap((link) => {
      const place = placeOf(link.name);
      return place === null ? [] : [{ nic: link.name, link, mac: permanentAddress(link), place }];
    });
  // Two ends of one address (a virtual function behind its master) are told apart by their places.
  const count = (wanted: string): number => cards.filter(({ mac }) => mac === wanted).length;
  return cards.map((card) => (count(card.mac) > 1 ? { ...card, mac: "" } : card));
}

/** Names the cards of this machine. What cannot be written or renamed is said, and the rest is done. */
export function nameAll(shim: Shim, directory: string, cards = presentCards(shim)): Naming {
  const read = readCardNames(directory);
  const troubles = read.warning === null ? [] : [read.warning];
  const names = nameCards(read.names ?? [], cards);
  try {
    if (JSON.stringify(names) !== JSON.stringify(read.names) || read.warning !== null) writeCardNames(directory, names);
  } catch (error) {
    troubles.push(sentence(error));
  }
  const wanted = cards.flatMap(({ link, ...identity }) => {
    const name = names.find((entry) => isSame(entry, identity))?.name;
    return name === undefined || name === link.name ? [] : [{ link, name }];
  });
  troubles.push(...renameAll(shim, wanted));
  const missing = names.filter((entry) => !cards.some((card) => isSame(card, entry)));
  return { names, missing, troubles };
}

/**
 * By way of names that nobody has, because one card's new name may be another's old one. The kernel wants a link to be
 * down for that; one that was up is up again afterwards. Returns what failed, as sentences.
 */
export function renameAll(shim: Shim, wanted: { link: Link; name: string }[]): string[] {
  const troubles: string[] = [];
  const attempt = (what: string, work: () => void): boolean => {
    try {
      work();
      return true;
    } catch (error) {
      troubles.push(`${what}: ${sentence(error)}.`);
      return false;
    }
  };
  const passing = wanted.filter(({ link, name }, index) =>
    attempt(`${link.name} cannot be renamed to ${name}`, () => {
      if (link.up) setLinkUp(shim, link, false);
      renameLink(shim, link, `naming${index}`);
    }),
  );
  for (const { link, name } of passing) {
    const was = link.name;
    if (!attempt(`${was} cannot be renamed to ${name}`, () => renameLink(shim, link, name)))
      attempt(`${was} cannot have its name back`, () => renameLink(shim, link, was));
  }
  for (const { link, name } of wanted)
    if (link.up) attempt(`${name} cannot be set up again`, () => setLinkUp(shim, link, true));
  return troubles;
}

export function demandNamingRights(missing: string[]): void {
  if (missing.length === 0) return;
  throw new Failure(
    "not-permitted",
    "understudy cards name needs the rights of root over the network; run it as root.",
  );
}

/** What `cards name` says, a line a card. */
export function namingText({ names, missing }: Naming): string[] {
  return names.map((entry) => {
    const state = missing.includes(entry) ? "is missing" : entry.is_new ? "is new" : "";
    return `${entry.name.padEnd(8)} ${identityText(entry)} ${state}`.trimEnd();
  });
}

function permanentAddress({ name, mac, permanent_mac }: Link): string {
  if (permanent_mac !== "") return permanent_mac;
  return attribute(name, "addr_assign_type") === PERMANENT ? mac : "";
}

/** Null where there is no device. Cards with several ports on one function number them. */
function placeOf(nic: string): string | null {
  try {
    const device = realpathSync(`/sys/class/net/${nic}/device`);
    // The number of a virtio device is the order in which the kernel found them, not a place.
    const path = device.replace(/^\/sys\/devices\//, "").replace(/\/virtio\d+$/, "");
    const port = Number(attribute(nic, "dev_port")) || 0;
    return port === 0 ? path : `${path} port ${port}`;
  } catch {
    return null;
  }
}

function attribute(nic: string, name: string): string {
  try {
    return readFileSync(`/sys/class/net/${nic}/${name}`, "utf8").trim();
  } catch {
    return "";
  }
}
