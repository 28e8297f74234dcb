/** The item about versions: what runs, how an update goes, and the way back to the version before. */
import { type Context, carryOut } from "./context.ts";

interface Version {
  version: string;
  build: number;
}

interface Update {
  unavailable: string | null;
  running: Version;
  other: (Version & { state: string }) | null;
  plan: { state: string; reason: string | null; target: Version } | null;
  step: string | null;
}

const nameOf = ({ version, build }: Version): string => `${version} build ${build}`;

export async function showUpdate(context: Context): Promise<void> {
  const { dialogue, node, watch } = context;
  const { unavailable, running, other, plan, step } = await carryOut(context, () => node.ask<Update>("GET", "/update"));
  dialogue.print();
  dialogue.print(`This server runs ${nameOf(running)}.`);
  if (unavailable !== null) return dialogue.print(unavailable);
  if (plan !== null)
    dialogue.print(`Update to ${nameOf(plan.target)}: ${plan.state}. ${plan.reason ?? step ?? ""}`.trim());
  const is_idle = plan === null || ["done", "failed", "aborted"].includes(plan.state);
  if (other === null || !is_idle || !["blessed", "refused"].includes(other.state)) {
    return dialogue.print(
      other === null ? "There is no other version to go back to." : "There is nothing to restore at the moment.",
    );
  }
  const both = watch.situation === "active" ? " on both nodes, one after the other" : "";
  dialogue.print(
    `WARNING: ${nameOf(other)} will be started again${both}. Settings that were changed since the update may be lost.`,
  );
  await dialogue.demand("Restore the previous version?");
  await carryOut(context, () => node.ask("POST", "/update/restore", { confirm: true }));
  dialogue.print("The previous version is restored.");
  await watch.look();
}
