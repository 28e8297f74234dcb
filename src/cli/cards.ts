/** `understudy cards`: what is there, and which card has which name. */

import { demandNamingRights, nameAll, namingText } from "../control/card-naming.ts";
import type { CardReport } from "../control/cards.ts";
import { Events } from "../control/events.ts";
import { Failure } from "../errors.ts";
import { openShim } from "../shim.ts";
import { ask } from "./client.ts";
import { type Common, said } from "./commands.ts";

const NEXT_START = "It counts from the next start of this server on.";

/** The exit status: 1 where a card has not got its name. */
export async function cardsCommand(common: Common, words: string[], state: string): Promise<number> {
  const [verb, first, second, ...rest] = words;
  const count = words.length;
  if (verb === undefined) await showCards(common);
  else if (verb === "name" && count === 1) return await name(common, state);
  else if (verb === "assign" && first !== undefined && second !== undefined && rest.length === 0) {
    await ask(common.run, "POST", "/cards/assign", { name: first, card: second });
    said(common, `${second} is ${first}. ${NEXT_START}`);
  } else if (verb === "forget" && first !== undefined && count === 2) {
    await ask(common.run, "POST", "/cards/forget", { name: first });
    said(common, `${first} is forgotten; the next new card may get that name.`);
  } else
    throw new Failure(
      "usage",
      "These are the commands for cards: cards | cards name --state DIR | cards assign NAME MAC | cards forget NAME.",
    );
  return 0;
}

async function name(common: Common, state: string): Promise<number> {
  const { missingRights } = await import("../control/rights.ts");
  demandNamingRights(missingRights(await Bun.file("/proc/self/status").text()));
  const naming = nameAll(openShim(), state);
  if (common.json) console.log(JSON.stringify(naming, null, 2));
  else for (const line of namingText(naming)) console.log(line);
  // The node that starts later shows them; they are said here too.
  const events = new Events(state);
  for (const trouble of naming.troubles) events.add("cards-trouble", "warning", trouble);
  return naming.troubles.length === 0 ? 0 : 1;
}

async function showCards(common: Common): Promise<void> {
  const cards = await ask<CardReport[]>(common.run, "GET", "/cards");
  if (common.json) return console.log(JSON.stringify(cards, null, 2));
  for (const card of cards) console.log(cardLine(card));
}

export function cardLine({ nic, mac, driver, model, link, speed_mbps, used_as, state, next_nic }: CardReport): string {
  const speed = speed_mbps === null ? "" : `${speed_mbps} Mbit/s`;
  const kind = [driver, model].filter((text) => text !== "").join(" ");
  const cable = state === "missing" ? "missing" : link ? "link" : "no link";
  const use = used_as === "missing" ? "" : used_as;
  const notes = [kind, state === "new" ? "new" : "", next_nic === null ? "" : `${next_nic} from the next start on`];
  const columns = [nic.padEnd(15), mac.padEnd(17), cable.padEnd(8), speed.padEnd(12), use.padEnd(16)];
  return [...columns, notes.filter((text) => text !== "").join(", ")].join(" ").trimEnd();
}
