/** Which network card? */
import { Failure } from "../errors.ts";
import type { Context } from "./context.ts";
import type { NodeCard } from "./node.ts";

/** One that is not in use. Throws Failure `no-free-card`. */
export async function chooseCard({ dialogue, node }: Context, question: string): Promise<string> {
  const free = (await node.cards()).filter(({ used_as }) => used_as === "free");
  if (free.length === 0)
    throw new Failure(
      "no-free-card",
      "Every network card of this server is in use; a cluster needs one for itself, so remove an interface first.",
    );
  return await dialogue.choose(
    question,
    free.map((card) => ({ label: cardText(card), value: card.nic })),
  );
}

export function cardText(card: NodeCard): string {
  const speed = card.speed_mbps ? `, ${card.speed_mbps} Mbit/s` : "";
  const plugged =
    card.state === "missing" ? "missing" : card.link === undefined ? "" : card.link ? `link${speed}` : "no link";
  return `${card.nic.padEnd(15)} ${card.mac}  ${plugged.padEnd(18)} ${card.driver ?? ""}${card.state === "new" ? " (new)" : ""}`.trimEnd();
}
