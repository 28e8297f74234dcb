/**
 * A system on trial, and one that has failed: what must be known after the next start is on the disk before it. A trial's
 * time counts from the first start of this process in it, whatever is started again meanwhile.
 */
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { uptime } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { readSealed, writeSealed } from "../sealed.ts";
import { BootDirectory, selectedEntry } from "../update/boot-files.ts";
import { planSchema } from "../update/plan.ts";
import { isOnTrial, SlotStore } from "../update/slots.ts";
import { UPDATES } from "../update/staging.ts";
import { BUILD } from "../version.ts";
import { PLAN } from "./update-plan.ts";

const TRIAL = "trial.json";
const FAILURE = "failure.json";
const NEVER_UP = "it did not come up at all";

const trialSchema = z.object({ slot: z.string(), boot: z.string(), began_ms: z.number() });
const failureSchema = z.object({
  build: z.number(),
  reason: z.string(),
  plan: z.string().nullable(),
  /** It has been said, after the old version was back. */
  told: z.boolean(),
});
export type TrialFailure = z.infer<typeof failureSchema>;

/** Milliseconds since this machine was started; also after this process was. */
export function bootClock(): number {
  return uptime() * 1000;
}

export class TrialNotes {
  readonly #directory: string;

  constructor(state_directory: string) {
    this.#directory = join(state_directory, UPDATES);
  }

  /** When the trial of this slot began, on the clock that goes on meanwhile; now, if that was not written down. Its name counts the tries. */
  begin(slot: string, now_ms: number): number {
    const boot = bootId();
    const before = trialSchema.safeParse(readSealed(join(this.#directory, TRIAL))).data;
    if (before?.slot === slot && before.boot === boot && before.began_ms <= now_ms) return before.began_ms;
    this.#write(TRIAL, { slot, boot, began_ms: now_ms });
    return now_ms;
  }

  end(): void {
    rmSync(join(this.#directory, TRIAL), { force: true });
  }

  failure(): TrialFailure | null {
    return failureSchema.safeParse(readSealed(join(this.#directory, FAILURE))).data ?? null;
  }

  noteFailure(failure: TrialFailure): void {
    this.#write(FAILURE, failure);
  }

  /**
   * The build in the other slot has used up its tries: why, and whether that is news. What it did not write down itself is
   * that it never came so far.
   */
  concludeFailure(build: number, plan: string | null): { failure: TrialFailure; is_news: boolean } {
    const noted = this.failure();
    const failure = noted?.build === build ? noted : { build, reason: NEVER_UP, plan, told: false };
    if (!failure.told) this.#write(FAILURE, { ...failure, told: true });
    return { failure, is_news: !failure.told };
  }

  forgetFailure(): void {
    rmSync(join(this.#directory, FAILURE), { force: true });
  }

  #write(name: string, value: unknown): void {
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    writeSealed(join(this.#directory, name), value);
  }
}

/** True where what runs is on trial: why it has failed is noted, and it may be restarted. */
export async function failTrial(state_directory: string, boot: string, reason: string): Promise<boolean> {
  try {
    const store = new SlotStore(new BootDirectory(boot), { build: BUILD, selected: selectedEntry() });
    if (!isOnTrial((await store.look()).running)) return false;
    const plan = planSchema.safeParse(readSealed(join(state_directory, UPDATES, PLAN))).data ?? null;
    const why = reason.replace(/\.$/, "");
    new TrialNotes(state_directory).noteFailure({ build: BUILD, reason: why, plan: plan?.id ?? null, told: false });
    return true;
  } catch {
    return false;
  }
}

function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "";
  }
}
