/** The items of a cluster that exists: the other node takes over, or there is no cluster any more (S20). */
import { type Context, carryOut } from "./context.ts";

export async function switchOver(context: Context): Promise<void> {
  const { dialogue, node, watch } = context;
  await dialogue.demand("The other node becomes active, and this one its backup. Switch over?");
  await carryOut(context, () => node.ask("POST", "/cluster/switch"));
  dialogue.print("The other node is active now.");
  await watch.look();
}

export async function destroyCluster(context: Context): Promise<void> {
  const { dialogue, node, watch } = context;
  const peer = watch.status?.peer?.name ?? "the other node";
  dialogue.print();
  dialogue.print(
    `WARNING: the cluster will be destroyed. This server goes on alone with its settings and addresses; ${peer} ` +
      "loses all its settings and is reset to a fresh install, now or when it returns.",
  );
  await dialogue.demand("Destroy the cluster?");
  await carryOut(context, () => node.ask("POST", "/cluster/destroy"));
  dialogue.print("The cluster was destroyed; this server goes on alone.");
  await watch.look();
}
