/** One seed, from beginning to end; a failure says its seed and how to see it again. */
import { type Coverage, ReplicationWorld } from "./world.ts";

const LINES_SHOWN = 80;

export function simulateReplication(seed: number): Coverage {
  const world = new ReplicationWorld(seed);
  try {
    return world.run();
  } catch (error) {
    const replay = `bun test/sim/replication/run.ts 1 ${seed}`;
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`seed ${seed}: replication: ${message}\n${world.lines.slice(-LINES_SHOWN).join("\n")}\n${replay}`, {
      cause: error,
    });
  }
}
