/** What every item of the menu works with. */
import { Failure } from "../errors.ts";
import type { Dialogue } from "./dialogue.ts";
import type { NodeDoor } from "./node.ts";
import type { Watch } from "./watch.ts";

export interface Context {
  dialogue: Dialogue;
  node: NodeDoor;
  watch: Watch;
  /** What `Console` runs; null where there is no such item. */
  console_command: string | null;
}

/**
 * Does what was decided, and keeps what was typed where the node is away for a moment or the backup cannot store it.
 * Throws Failure as the node refuses for good, and Cancelled.
 */
export async function carryOut<T>({ dialogue }: Context, work: (how: { alone: boolean }) => Promise<T>): Promise<T> {
  let alone = false;
  for (;;) {
    try {
      return await work({ alone });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (error.code === "no-node") {
        dialogue.print(error.message);
        await dialogue.demand("Try again? What you typed is kept.");
      } else if (error.code === "not-replicated" && !alone) {
        dialogue.print(error.message);
        await dialogue.demand("Store it on this server alone? The other one gets it when it can.");
        alone = true;
      } else throw error;
    }
  }
}
