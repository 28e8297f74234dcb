/** `understudy doctor` and `understudy cards`: what a cluster needs, and what is there. */
import type { CardReport } from "../control/cards.ts";
import type { Finding } from "../control/doctor.ts";
import { ask } from "./client.ts";
import type { Common } from "./commands.ts";

const MARKS = { good: "good   ", warning: "WARNING", bad: "BAD    " } as const;

/** The exit status: 0 where nothing is bad. */
export async function runDoctor(common: Common): Promise<number> {
  const findings = await ask<Finding[]>(common.run, "GET", "/doctor");
  if (common.json) console.log(JSON.stringify(findings, null, 2));
  else for (const finding of findings) console.log(textOf(finding));
  return findings.some(({ state }) => state === "bad") ? 1 : 0;
}

function textOf({ state, what, advice }: Finding): string {
  return `${MARKS[state]}  ${what}${advice === null ? "" : `\n         ${advice}`}`;
}

export async function showCards(common: Common): Promise<void> {
  const cards = await ask<CardReport[]>(common.run, "GET", "/cards");
  if (common.json) return console.log(JSON.stringify(cards, null, 2));
  for (const { nic, mac, driver, model, link, speed_mbps, used_as } of cards) {
    const speed = speed_mbps === null ? "" : `${speed_mbps} Mbit/s`;
    const kind = [driver, model].filter((text) => text !== "").join(" ");
    console.log(
      [nic.padEnd(15), mac, (link ? "link" : "no link").padEnd(8), speed.padEnd(12), used_as.padEnd(16), kind].join(
        " ",
      ),
    );
  }
}
