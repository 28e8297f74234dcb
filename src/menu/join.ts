/** This server becomes the second node of a cluster: the question at a fresh install (S16), and the item (S17). */

import { chooseCard } from "./cards.ts";
import type { Context } from "./context.ts";
import { carryOut } from "./context.ts";
import { checkName } from "./server.ts";
import { thousands } from "./text.ts";
import { waitFor } from "./wait.ts";

const WAIT_S = 3600;

export async function joinCluster(context: Context): Promise<void> {
  const { dialogue, node, watch } = context;
  const nic = await chooseCard(context, "Select the network card for the cluster network:");
  await dialogue.demand(
    `All settings of this server will be deleted, and it becomes the backup node. Create the cluster on ${nic}?`,
  );
  const name = await offerName(context);
  await carryOut(context, async () => {
    dialogue.print();
    dialogue.print("The creation of the cluster has started.");
    dialogue.print(
      "Go to the web interface of the active node (Server management, High availability), to its local menu, or run " +
        `\`understudy cluster create\` there. ${thousands(WAIT_S)} seconds are allowed.`,
    );
    const body = { interface: nic, timeout_s: WAIT_S, ...(name === null ? {} : { name }) };
    await waitFor(context, (signal) => node.ask("POST", "/cluster/join", body, signal));
  });
  dialogue.print("This server is the backup node of the cluster now; where that needs a restart, it restarts.");
  await watch.look();
}

/** A pairing that a command began, or that this menu began before it was closed. */
export async function watchPairing(context: Context): Promise<void> {
  const { watch } = context;
  await waitFor(
    context,
    (signal) =>
      new Promise<void>((resolve) => {
        const { signal: changed, done } = watch.changeFrom("joining");
        for (const end of [changed, signal]) {
          const finish = (): void => {
            done();
            resolve();
          };
          if (end.aborted) finish();
          else end.addEventListener("abort", finish);
        }
      }),
  );
}

async function offerName({ dialogue, watch }: Context): Promise<string | null> {
  const present = watch.status?.name ?? "";
  if (!(await dialogue.confirm(`The name of this server is ${present}. Change server name?`))) return null;
  return await dialogue.text({ question: "Enter the new server name (2 to 42 characters):", check: checkName });
}
