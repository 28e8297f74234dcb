/** The plan of an update on this node's disk: made, changed, and taken from the peer where that one's is the later. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Failure, sentence } from "../errors.ts";
import { readSealed, writeSealed } from "../sealed.ts";
import { laterOf, type Plan, planSchema } from "../update/plan.ts";
import { UPDATES } from "../update/staging.ts";
import type { Events } from "./events.ts";

export const PLAN = "plan.json";

export class PlanKeeper {
  readonly #directory: string;
  readonly #events: Pick<Events, "add">;
  /** It is another one now, whoever changed it. */
  readonly #changed: (plan: Plan) => void;
  #plan: Plan | null;

  constructor(state_directory: string, events: Pick<Events, "add">, changed: (plan: Plan) => void) {
    this.#directory = join(state_directory, UPDATES);
    this.#events = events;
    this.#changed = changed;
    this.#plan = planSchema.safeParse(readSealed(join(this.#directory, PLAN))).data ?? null;
  }

  get current(): Plan | null {
    return this.#plan;
  }

  /** Throws Failure `state-unwritable`, as the others do. */
  make(plan: Omit<Plan, "id" | "revision" | "started_at">): void {
    this.#save({
      id: crypto.getRandomValues(new Uint8Array(8)).toHex(),
      revision: (this.#plan?.revision ?? 0) + 1,
      started_at: new Date().toISOString(),
      ...plan,
    });
  }

  change(change: Pick<Plan, "state" | "reason">): void {
    if (this.#plan !== null) this.#save({ ...this.#plan, ...change, revision: this.#plan.revision + 1 });
  }

  /** What the peer has; plans of other clusters count for nothing. */
  merge(theirs: Plan | null, cluster: string | null): void {
    const ofCluster = (plan: Plan | null): Plan | null => (plan?.cluster === cluster ? plan : null);
    const later = laterOf(ofCluster(this.#plan), ofCluster(theirs));
    if (later !== null && JSON.stringify(later) !== JSON.stringify(this.#plan)) this.#save(later);
  }

  #save(plan: Plan): void {
    const before = this.#plan;
    try {
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
      writeSealed(join(this.#directory, PLAN), plan);
    } catch (error) {
      throw new Failure("state-unwritable", `The plan of the update cannot be stored: ${sentence(error)}.`);
    }
    this.#plan = plan;
    if (before?.id !== plan.id || before.state !== plan.state) this.#say(plan, before?.id === plan.id);
    this.#changed(plan);
  }

  #say({ state, reason, target, order }: Plan, is_known: boolean): void {
    const name = `${target.version} build ${target.build}`;
    const because = reason === null ? "" : ` ${reason}`;
    switch (state) {
      case "running": {
        const how = is_known ? "goes on" : `begins (${order})`;
        return this.#events.add("update-started", "info", `The update to ${name} ${how}.`);
      }
      case "done":
        return this.#events.add("update-done", "info", `The update to ${name} is done.`);
      case "failed":
        return this.#events.add("update-failed", "error", `The update to ${name} has failed.${because}`);
      case "paused":
        return this.#events.add("update-paused", "warning", `The update to ${name} is paused.${because}`);
      case "aborting":
        return this.#events.add("update-aborting", "warning", `${name} is given up.${because}`);
      case "aborted":
        return this.#events.add("update-aborted", "warning", `${name} was given up.${because}`);
    }
  }
}
