/**
 * Programs of whoever builds an appliance, told what becomes of this node (`understudy node --hooks DIR`): every executable
 * file of the directory, one at a time in the order of their names, with the event as its argument. They are the control
 * process's; the heart knows nothing of them, and no switch waits for one. What is overtaken while one runs is left out:
 * of roles and of settings only the latest is told.
 */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { scrubbedEnvironment } from "../environment.ts";
import { sentence } from "../errors.ts";
import type { Role } from "../heart/messages.ts";
import { fileTrouble } from "../trouble.ts";
import type { Report } from "./interface-watch.ts";
import { runProgram } from "./program.ts";

export type HookRole = "active" | "backup" | "standalone";
export type HookEvent = "started" | `became-${HookRole}` | "settings-changed" | "stopping";

export interface HookFacts {
  term: number;
  settings_revision: number;
  run: string;
}

const RUN_MS_MAX = 30_000;
/** All that a node that ends waits for its hooks; the peer has taken over by then. */
const STOP_MS_MAX = 30_000;
const FILES_MAX = 64;
const OTHERS_MAY_WRITE = 0o022;
const EXECUTABLE = 0o111;

export class Hooks {
  readonly #directory: string | null;
  readonly #facts: () => HookFacts;
  readonly #report: Report;
  readonly #run_ms_max: number;
  /** What is still to be told, by its kind: the latest of each. */
  readonly #pending = new Map<string, HookEvent>();
  #working: Promise<void> | null = null;
  #role: HookRole | null = null;
  #stopping = false;
  /** Refusals that were told. */
  #refused = new Set<string>();

  constructor(directory: string | null, facts: () => HookFacts, report: Report, run_ms_max = RUN_MS_MAX) {
    this.#directory = directory;
    this.#facts = facts;
    this.#report = report;
    this.#run_ms_max = run_ms_max;
  }

  started(): void {
    this.#tell("started", "started");
  }

  settingsChanged(): void {
    this.#tell("settings", "settings-changed");
  }

  /** At every snapshot; a role on the way to another one is none of theirs. */
  role(role: Role): void {
    const settled = settledRole(role);
    if (settled === null || settled === this.#role) return;
    this.#role = settled;
    this.#tell("role", `became-${settled}`);
  }

  /** Nothing is told after it. Resolves when the hooks have ended, or the time for them is over. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#pending.clear();
    this.#tell("stopping", "stopping");
    this.#stopping = true;
    await Promise.race([this.#working, Bun.sleep(STOP_MS_MAX)]);
  }

  #tell(kind: string, event: HookEvent): void {
    if (this.#directory === null || this.#stopping) return;
    // Anew at the end: what came before it is told before it.
    this.#pending.delete(kind);
    this.#pending.set(kind, event);
    this.#working ??= this.#work(this.#directory);
  }

  async #work(directory: string): Promise<void> {
    // What is told within one turn of the loop is one matter.
    await Promise.resolve();
    try {
      for (let next = this.#take(); next !== null; next = this.#take())
        for (const path of this.#programs(directory)) await this.#run(path, next);
    } finally {
      // In the same turn in which nothing was left, so that nothing told after it is left lying.
      this.#working = null;
    }
  }

  #take(): HookEvent | null {
    const [first] = this.#pending;
    if (first === undefined) return null;
    this.#pending.delete(first[0]);
    return first[1];
  }

  async #run(path: string, event: HookEvent): Promise<void> {
    const { term, settings_revision, run } = this.#facts();
    const environment = {
      ...scrubbedEnvironment(),
      UNDERSTUDY_EVENT: event,
      UNDERSTUDY_ROLE: this.#role ?? "starting",
      UNDERSTUDY_TERM: String(term),
      UNDERSTUDY_RUN: run,
      UNDERSTUDY_SETTINGS_REVISION: String(settings_revision),
    };
    const failure = await runProgram([path, event], environment, this.#run_ms_max);
    if (failure !== null) this.#report("hook-failed", "warning", `The hook ${path} ${event} ${failure}`);
  }

  /** Those that may be run, looked up each time. */
  #programs(directory: string): string[] {
    try {
      this.#demandOwned(directory);
      const paths = readdirSync(directory)
        .sort()
        .map((name) => join(directory, name))
        .filter((path) => this.#isProgram(path));
      if (paths.length > FILES_MAX) this.#refuse(`Of the hooks in ${directory} only the first ${FILES_MAX} are run.`);
      return paths.slice(0, FILES_MAX);
    } catch (error) {
      this.#refuse(sentence(error));
      return [];
    }
  }

  #isProgram(path: string): boolean {
    try {
      const about = statSync(path, { throwIfNoEntry: false });
      if (about === undefined || !about.isFile() || (about.mode & EXECUTABLE) === 0) return false;
      this.#demandOwned(path);
      return true;
    } catch (error) {
      this.#refuse(sentence(error));
      return false;
    }
  }

  /** It is run as root, so nobody else may have written it. */
  #demandOwned(path: string): void {
    let about: { uid: number; mode: number };
    try {
      about = statSync(path);
    } catch (error) {
      throw new Error(`The hooks in ${path} cannot be run: ${fileTrouble(error)}.`);
    }
    if (about.uid === 0 && (about.mode & OTHERS_MAY_WRITE) === 0) return;
    throw new Error(`${path} can be written by others than root and is not run; give it to root, with mode 755.`);
  }

  /** Once, until another one is to be told. */
  #refuse(message: string): void {
    if (this.#refused.has(message)) return;
    if (this.#refused.size >= FILES_MAX) this.#refused.clear();
    this.#refused.add(message);
    this.#report("hook-refused", "warning", message);
  }
}

/** Null for a role that is left again by itself. */
export function settledRole(role: Role): HookRole | null {
  switch (role) {
    case "active":
    case "backup":
    case "standalone":
      return role;
    case "departed":
      return "standalone";
    case "probing":
    case "erased":
      return "backup";
    case "listening":
    case "resuming":
      return null;
  }
}
