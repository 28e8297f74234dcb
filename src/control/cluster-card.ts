/** The card that a cluster reserves for its own network (S3): which ones will do, and why others will not. */
import { Failure } from "../errors.ts";
import { isPhysical, type Link, listCards, listLinks } from "../kernel/links.ts";
import { openShim } from "../shim.ts";

/** Why `nic` cannot be reserved; null where it can. `used` are the configured data interfaces. */
export function cardRefusal(
  nic: string,
  link: Link | undefined,
  { used, wireless }: { used: string[]; wireless: boolean },
): Failure | null {
  if (link === undefined)
    return new Failure("unknown-interface", `There is no interface ${nic}; choose one that \`ip link\` lists.`);
  if (used.includes(nic))
    return new Failure("interface-in-use", `${nic} is configured as a data interface; choose a free network card.`);
  if (wireless) return new Failure("wireless", `${nic} is wireless; the cluster network needs a cable.`);
  if (!isPhysical(link))
    return new Failure("not-physical", `${nic} is not a physical network card; choose one that is.`);
  if (link.master !== 0)
    return new Failure("interface-in-use", `${nic} is part of a bridge or bond; choose a free network card.`);
  return null;
}

/** Throws where the card cannot be reserved. */
export function demandCard(nic: string, used: string[]): void {
  const shim = openShim();
  const cards = listCards(shim);
  if (used.includes(nic) && cards.every(({ name }) => used.includes(name))) {
    throw new Failure(
      "no-card-free",
      "Every network card of this node is configured as a data interface; delete one or add a card, for the cluster network needs one of its own.",
    );
  }
  const link = listLinks(shim).find(({ name }) => name === nic);
  const wireless = cards.find(({ name }) => name === nic)?.wireless ?? false;
  const refusal = cardRefusal(nic, link, { used, wireless });
  if (refusal !== null) throw refusal;
}

/** The cable says that there is somebody at its other end. */
export function hasLink(nic: string): boolean {
  return listLinks(openShim()).some(({ name, carrier }) => name === nic && carrier);
}
