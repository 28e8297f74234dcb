/** What the doctor finds about network cards: whether one is free, whether those in use are there, and which are missing or new. */
import type { CardReport } from "./cards.ts";
import type { Facts } from "./doctor-facts.ts";
import { bad, type Finding, good, warning } from "./finding.ts";

const SPEED_MBPS_LEAST = 1000;

export function diagnoseCards(facts: Facts): Finding[] {
  const { cards, interfaces, in_cluster } = facts;
  const has_free = cards.some(({ used_as }) => used_as === "free" || used_as === "cluster");
  const findings = [
    has_free
      ? good("cards", `This node has ${cards.length} network cards.`)
      : bad(
          "cards",
          `None of the ${cards.length} network cards of this node is free for the cluster network.`,
          "Add a card, or delete an interface.",
        ),
  ];
  if (interfaces.length === 0 && !in_cluster)
    findings.push(
      warning(
        "interfaces",
        "No interface is configured.",
        "Import settings before this node creates a cluster; one that joins needs none.",
      ),
    );
  return [...findings, ...interfaces.flatMap((entry) => used(entry, facts)), ...named(facts)];
}

function used({ nic, enabled }: Facts["interfaces"][number], { cards, links, missing_cards }: Facts): Finding[] {
  const card = cards.find((entry) => entry.nic === nic);
  // A bond or a VLAN is no card, and there all the same.
  const link = links.find((entry) => entry.nic === nic);
  if (card === undefined && link === undefined) {
    // Said below, with its address.
    if (missing_cards.some((entry) => entry.nic === nic)) return [];
    return [bad("card-missing", `${nic} is configured and not there.`, "Put the card back, or correct the settings.")];
  }
  if (!enabled) return [];
  if ((card ?? link)?.link === false)
    return [bad("card-link", `${nic} has no link.`, "Connect its cable, and look at the switch.")];
  const speed_mbps = card?.speed_mbps ?? null;
  if (speed_mbps !== null && speed_mbps < SPEED_MBPS_LEAST)
    return [warning("card-speed", `${nic} runs at ${speed_mbps} Mbit/s.`, "Look at its cable and the switch's port.")];
  return [good("card-link", `${nic} has its link.`)];
}

/** Where the names of the cards are kept: what is not as it was. */
function named({ cards, missing_cards }: Facts): Finding[] {
  return [
    ...missing_cards.map(missing),
    ...cards
      .filter(({ state }) => state === "new")
      .map(({ nic, mac }) =>
        warning(
          "card-new",
          `${nic} (${mac}) is new.`,
          "Use it as it is, or give it the name of a missing card with `understudy cards assign NAME MAC`.",
        ),
      ),
    ...cards
      .filter(({ next_nic }) => next_nic !== null)
      .map(({ nic, mac, next_nic }) =>
        warning("card-renamed", `${nic} (${mac}) is ${next_nic} from the next start on.`, "Reboot this server."),
      ),
  ];
}

function missing({ nic, mac, used_as }: CardReport): Finding {
  const what = `${nic}${mac === "" ? "" : ` (${mac})`} is missing.`;
  const replace = `give its name to another card with \`understudy cards assign ${nic} MAC\``;
  if (used_as !== "missing") return bad("card-missing", what, `Put the card back, or ${replace} and reboot.`);
  return warning("card-missing", what, `Put the card back, ${replace}, or \`understudy cards forget ${nic}\`.`);
}
