/** This server becomes the active node of a new cluster, as in the web interface: search, code, match, apply (S18). */
import { Failure } from "../errors.ts";
import { cardText, chooseCard } from "./cards.ts";
import { type Context, carryOut } from "./context.ts";
import type { NodeCard } from "./node.ts";
import { cancelPairing, waitFor } from "./wait.ts";

const WAIT_S = 3600;

interface Peer {
  name: string;
  version: string;
  build: number;
  cards: (NodeCard & { reserved: boolean })[];
}

interface Match {
  mine: string;
  theirs: string;
}

export async function createCluster(context: Context): Promise<void> {
  const { dialogue, node, watch } = context;
  const { interfaces } = await node.settings();
  dialogue.print();
  dialogue.print("This server keeps its settings, and its addresses become the cluster's.");
  dialogue.print("First choose Create cluster in the local menu of the future backup; the web interface");
  dialogue.print("of this server (Server management, High availability) does the same as this item.");
  const nic = await chooseCard(context, "Select the network card for the cluster network:");
  try {
    const peer = await meet(context, nic);
    const matches = await match(
      context,
      interfaces.map((entry) => entry.nic),
      peer.cards.filter(({ reserved }) => !reserved),
    );
    await dialogue.demand(
      `All settings of ${peer.name} will be deleted, and it becomes the backup. Create the cluster?`,
    );
    await carryOut(context, () => node.ask("POST", "/cluster/apply", { matches }));
  } catch (error) {
    await cancelPairing(context);
    throw error;
  }
  dialogue.print("Communication with the server has been established; this node is active.");
  await watch.look();
}

/** Finds the node that waits, and proves with its code that it is the right one. A wrong code begins anew. */
async function meet(context: Context, nic: string): Promise<Peer> {
  const { dialogue, node } = context;
  for (;;) {
    dialogue.print();
    dialogue.print("Looking for the backup node.");
    const { peer } = await carryOut(context, () =>
      waitFor(context, (signal) =>
        node.ask<{ peer: Peer }>("POST", "/cluster/search", { interface: nic, timeout_s: WAIT_S }, signal),
      ),
    );
    const code = await dialogue.text({
      question: `Found ${peer.name}, version ${peer.version} build ${peer.build}. Enter the code that its console shows:`,
      check: (text) => (/^\d{3} ?\d{3}$/.test(text) ? null : "The code has six digits; type them, or c to cancel."),
    });
    try {
      await node.ask("POST", "/cluster/code", { code: code.replace(" ", "") });
      return peer;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      dialogue.print(error.message);
      await dialogue.demand("Try again? The backup node shows a new code then.");
      await cancelPairing(context);
    }
  }
}

/** One card of the other node for each interface of this one, each tried with a frame in both directions (S14). */
async function match(context: Context, mine: string[], cards: NodeCard[]): Promise<Match[]> {
  const { dialogue } = context;
  const matches: Match[] = [];
  for (const own of mine) {
    for (;;) {
      const free = cards.filter(({ nic }) => !matches.some(({ theirs }) => theirs === nic));
      const theirs = await dialogue.choose(
        `Which card of the other node is connected to the same network as ${own}?`,
        free.map((card) => ({ label: cardText(card), value: card.nic })),
      );
      const trouble = await segmentTrouble(context, { mine: own, theirs });
      if (trouble === null) {
        matches.push({ mine: own, theirs });
        break;
      }
      dialogue.print(trouble);
    }
  }
  return matches;
}

async function segmentTrouble(context: Context, pair: Match): Promise<string | null> {
  try {
    const tested = await carryOut(context, () =>
      context.node.ask<{ matches: { advice: string | null }[] }>("POST", "/cluster/test", pair),
    );
    return tested.matches.find(({ advice }) => advice !== null)?.advice ?? null;
  } catch (error) {
    if (error instanceof Failure) return error.message;
    throw error;
  }
}
