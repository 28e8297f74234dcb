/** The network cards of this node as an administrator knows them: what they are, their link, and their use. */
import { readFileSync } from "node:fs";
import { listCards } from "../kernel/links.ts";
import { openShim } from "../shim.ts";
import { isSame, type KnownCard, type PresentCard } from "./card-names.ts";
import { presentCards } from "./card-naming.ts";

export interface CardReport {
  nic: string;
  mac: string;
  driver: string;
  /** PCI or USB number of the model, as `lspci -n` shows it; empty where there is none. */
  model: string;
  up: boolean;
  link: boolean;
  /** Null without a link, and where the driver does not say. */
  speed_mbps: number | null;
  used_as: "internal" | "external" | "cluster" | "bridge port" | "wireless" | "free" | "missing";
  /** Where the names of the cards are kept (card-names.ts): the card with this name is not there, or came lately; else null. */
  state: "missing" | "new" | null;
  /** The name that it has from the next start on, where that is another one; null where it stays, or is not known yet. */
  next_nic: string | null;
}

export interface CardUse {
  interfaces: { nic: string; role: "internal" | "external" }[];
  /** The reserved card; null outside a cluster. */
  cluster_nic: string | null;
  /** Null where this machine names its cards in its own way. */
  names: KnownCard[] | null;
}

/** Those that are there, and then those that are missing. */
export function reportCards({ interfaces, cluster_nic, names }: CardUse): CardReport[] {
  const present = names === null ? [] : presentCards(openShim());
  const roleOf = (nic: string) =>
    nic === cluster_nic ? "cluster" : interfaces.find((entry) => entry.nic === nic)?.role;
  const cards = listCards(openShim()).map(({ name, mac, driver, up, carrier, master, wireless }) => {
    const idle = wireless ? "wireless" : master !== 0 ? "bridge port" : "free";
    return {
      nic: name,
      mac,
      driver,
      model: modelOf(name),
      up,
      link: carrier,
      speed_mbps: carrier ? speedOf(name) : null,
      used_as: roleOf(name) ?? idle,
      ...naming(
        names,
        present.find(({ nic }) => nic === name),
      ),
    } as const;
  });
  return [...cards, ...missingCards(names ?? [], present, roleOf)];
}

/** How a card that is there stands to the names that are kept. */
export function naming(
  names: KnownCard[] | null,
  card: PresentCard | undefined,
): Pick<CardReport, "state" | "next_nic"> {
  if (names === null || card === undefined) return { state: null, next_nic: null };
  const known = names.find((entry) => isSame(entry, card));
  if (known === undefined) return { state: "new", next_nic: null };
  return { state: known.is_new ? "new" : null, next_nic: known.name === card.nic ? null : known.name };
}

export function missingCards(
  names: KnownCard[],
  present: PresentCard[],
  roleOf: (nic: string) => CardReport["used_as"] | undefined,
): CardReport[] {
  return names
    .filter((entry) => !present.some((card) => isSame(card, entry)))
    .map(({ name, mac }) => ({
      nic: name,
      mac,
      driver: "",
      model: "",
      up: false,
      link: false,
      speed_mbps: null,
      used_as: roleOf(name) ?? "missing",
      state: "missing",
      next_nic: null,
    }));
}

/** A card that is in use and missing: nobody else says so where the interface is simply not there. */
export function cardAlarms(cards: CardReport[]): { code: string; message: string }[] {
  return cards
    .filter(({ state, used_as }) => state === "missing" && used_as !== "missing")
    .map(({ nic, mac, used_as }) => ({
      code: "card-missing",
      message: `The network card ${nic}${mac === "" ? "" : ` (${mac})`}, ${used_as === "cluster" ? "for the cluster network" : used_as}, is missing.`,
    }));
}

function speedOf(nic: string): number | null {
  const speed = Number(attribute(nic, "speed"));
  return Number.isInteger(speed) && speed > 0 ? speed : null;
}

function modelOf(nic: string): string {
  return /^(?:PCI_ID|PRODUCT)=(.*)$/m.exec(attribute(nic, "device/uevent"))?.[1] ?? "";
}

/** Empty where the driver has none, or refuses to say it without a link. */
function attribute(nic: string, name: string): string {
  try {
    return readFileSync(`/sys/class/net/${nic}/${name}`, "utf8").trim();
  } catch {
    return "";
  }
}
