/**
 * Decides which services are started, ended and killed, and which of them will not run. No I/O and no clock: facts and
 * the time come in, actions and notices go out.
 *
 *            wanted, those before it are settled            it is healthy
 *     off ───────────────────────────────▶ starting ──────────────────────▶ running
 *      ▲ ▲                                   │  ▲ wait is over                │
 *      │ └── ended ── stopping ◀─ unwanted ──┤  │                             │ ended, or sick
 *      │                                     ▼  │                             │
 *      └──────────────── unwanted ────────── waiting ◀────────────────────────┘
 */
import type { ServiceDefinition, ServiceName, ServiceRole } from "./table.ts";

export type Phase = "off" | "starting" | "running" | "stopping" | "waiting";

export type Fact =
  | { type: "healthy"; name: ServiceName }
  /** Its process ended, or could not be started; `why` ends a sentence. */
  | { type: "ended"; name: ServiceName; why: string }
  /** Its process is there and does not do its work. */
  | { type: "sick"; name: ServiceName; why: string };

export interface Situation {
  /** Null: on the way to another one, and everything stays as it is. `none`: the node ends. */
  role: ServiceRole | "none" | null;
  /**
   * What a service is to be started with, as a mark that is another one when it has to be started anew; or why it cannot
   * be, a whole sentence. Absent: there is nothing for it to do.
   */
  marks: Partial<Record<ServiceName, { mark: string } | { missing: string }>>;
}

export interface Output {
  actions: { type: "start" | "terminate" | "kill"; name: ServiceName }[];
  notices: { code: string; severity: "info" | "warning" | "error"; message: string }[];
}

export interface ServiceReport {
  name: ServiceName;
  title: string;
  wanted: boolean;
  state: Phase | "missing";
  /** It will not run: it failed again and again, and is still tried. */
  failing: boolean;
  /** Since this process was started. */
  restarts: number;
  /** Why it does not run or last failed, one sentence; null where all is well. */
  trouble: string | null;
}

/** A service that would not run, and is not wanted any more, is believed able to run again after so long. */
export const GRUDGE_MS = 600_000;

interface Entry {
  readonly definition: ServiceDefinition;
  wanted: boolean;
  phase: Phase;
  since_ms: number;
  next_ms: number;
  /** What its process was started with. */
  started_with: string | null;
  mark: string | null;
  missing: string | null;
  failures_ms: number[];
  failing: boolean;
  failed_ms: number;
  restarts: number;
  trouble: string | null;
}

export class Supervisor {
  readonly #entries: Entry[];
  #output: Output = { actions: [], notices: [] };

  constructor(definitions: readonly ServiceDefinition[]) {
    this.#entries = definitions
      .toSorted((one, two) => one.place - two.place)
      .map((definition) => ({
        definition,
        wanted: false,
        phase: "off",
        since_ms: 0,
        next_ms: Number.NEGATIVE_INFINITY,
        started_with: null,
        mark: null,
        missing: null,
        failures_ms: [],
        failing: false,
        failed_ms: Number.NEGATIVE_INFINITY,
        restarts: 0,
        trouble: null,
      }));
  }

  step(now_ms: number, situation: Situation, facts: Fact[]): Output {
    this.#output = { actions: [], notices: [] };
    for (const fact of facts) this.#take(now_ms, fact);
    for (const entry of this.#entries) this.#plan(now_ms, entry, situation);
    for (const entry of this.#entries) this.#watch(now_ms, entry);
    for (const entry of this.#entries.toReversed()) this.#stop(now_ms, entry);
    for (const entry of this.#entries) this.#start(now_ms, entry);
    return this.#output;
  }

  reports(): ServiceReport[] {
    return this.#entries.map(({ definition, wanted, phase, missing, failing, restarts, trouble }) => ({
      name: definition.name,
      title: definition.title,
      wanted,
      state: wanted && missing !== null && !isAlive(phase) ? "missing" : phase,
      failing,
      restarts,
      trouble: wanted ? (missing ?? trouble) : failing ? trouble : null,
    }));
  }

  /** The first of the named services that will not run, in words; null where all do. */
  unfit(names: readonly ServiceName[]): string | null {
    const entry = this.#entries.find(({ definition, failing }) => failing && names.includes(definition.name));
    return entry === undefined ? null : `the service "${entry.definition.title}" will not run`;
  }

  get all_ended(): boolean {
    return this.#entries.every(({ phase }) => !isAlive(phase));
  }

  #take(now_ms: number, fact: Fact): void {
    const entry = this.#entries.find(({ definition }) => definition.name === fact.name);
    if (entry === undefined) return;
    if (fact.type === "healthy") {
      if (entry.phase === "starting") become(entry, "running", now_ms);
    } else if (fact.type === "sick") {
      if (entry.phase === "running") this.#giveUp(now_ms, entry, fact.why);
    } else if (entry.phase === "stopping") {
      // Told to end, or given up before: what comes next is decided already.
      become(entry, entry.wanted ? "waiting" : "off", now_ms);
    } else if (isAlive(entry.phase)) {
      this.#fail(now_ms, entry, fact.why);
      become(entry, "waiting", now_ms);
    }
  }

  /** What is wanted of it now. */
  #plan(now_ms: number, entry: Entry, { role, marks }: Situation): void {
    const { name, runs } = entry.definition;
    const mark = marks[name];
    if (role !== null) entry.wanted = role !== "none" && runs.includes(role) && mark !== undefined;
    entry.missing = mark !== undefined && "missing" in mark ? mark.missing : null;
    const next = mark !== undefined && "mark" in mark ? mark.mark : null;
    // Made otherwise, it may run where it did not before.
    if (next !== entry.mark && next !== null) this.#forgive(entry, now_ms);
    entry.mark = next ?? entry.mark;
    if (entry.phase === "waiting" && !entry.wanted) become(entry, "off", now_ms);
  }

  #forgive(entry: Entry, now_ms: number): void {
    entry.failures_ms = [];
    entry.failing = false;
    entry.trouble = null;
    entry.next_ms = now_ms;
  }

  /** Times that are up. */
  #watch(now_ms: number, entry: Entry): void {
    const { start_ms_max, stop_ms_max, stable_ms, title, name } = entry.definition;
    const for_ms = now_ms - entry.since_ms;
    if (entry.phase === "starting" && for_ms >= start_ms_max)
      this.#giveUp(now_ms, entry, `did not get ready within ${start_ms_max / 1000} s`);
    else if (entry.phase === "stopping" && for_ms >= stop_ms_max) {
      entry.since_ms = now_ms;
      this.#output.actions.push({ type: "kill", name });
    } else if (entry.phase === "running" && for_ms >= stable_ms && entry.failures_ms.length > 0) {
      if (entry.failing) this.#notice("service-recovered", "info", `${title} runs again.`);
      this.#forgive(entry, now_ms);
    } else if (!entry.wanted && entry.failing && now_ms - entry.failed_ms >= GRUDGE_MS) this.#forgive(entry, now_ms);
  }

  /** Its process is there and of no use. */
  #giveUp(now_ms: number, entry: Entry, why: string): void {
    this.#fail(now_ms, entry, why);
    this.#terminate(now_ms, entry);
  }

  #fail(now_ms: number, entry: Entry, why: string): void {
    const { title, window_ms, failures_max, restart_ms_min, restart_ms_max } = entry.definition;
    entry.failures_ms = [...entry.failures_ms.filter((at_ms) => now_ms - at_ms < window_ms), now_ms].slice(
      -failures_max,
    );
    const doublings = entry.failures_ms.length - 1;
    const wait_ms = entry.failing ? restart_ms_max : Math.min(restart_ms_max, restart_ms_min * 2 ** doublings);
    entry.next_ms = now_ms + wait_ms;
    entry.failed_ms = now_ms;
    entry.restarts++;
    const is_new = !entry.failing;
    entry.failing ||= entry.failures_ms.length >= failures_max;
    entry.trouble = `${title} ${why}.`;
    if (entry.failing && is_new)
      this.#notice("service-failed", "error", `${title} will not run: it ${why}; it is still tried now and then.`);
    else if (is_new) this.#notice("service-ended", "warning", `${title} ${why}; it is started again.`);
  }

  #stop(now_ms: number, entry: Entry): void {
    if (entry.phase !== "starting" && entry.phase !== "running") return;
    const is_outdated = entry.started_with !== entry.mark;
    if (entry.wanted && !is_outdated) return;
    const later = this.#entries.filter(({ definition }) => definition.place > entry.definition.place);
    if (!entry.wanted && later.some(({ wanted, phase }) => !wanted && isAlive(phase))) return;
    if (entry.wanted) entry.next_ms = now_ms;
    this.#terminate(now_ms, entry);
  }

  #terminate(now_ms: number, entry: Entry): void {
    become(entry, "stopping", now_ms);
    this.#output.actions.push({ type: "terminate", name: entry.definition.name });
  }

  #start(now_ms: number, entry: Entry): void {
    const { place, name } = entry.definition;
    if (!entry.wanted || entry.missing !== null || isAlive(entry.phase) || now_ms < entry.next_ms) return;
    const before = this.#entries.filter(({ definition, wanted }) => wanted && definition.place < place);
    // One that fails or is missing keeps nobody waiting.
    if (
      before.some(
        ({ phase, missing, failures_ms }) => phase !== "running" && missing === null && failures_ms.length === 0,
      )
    )
      return;
    become(entry, "starting", now_ms);
    entry.started_with = entry.mark;
    this.#output.actions.push({ type: "start", name });
  }

  #notice(code: string, severity: Output["notices"][number]["severity"], message: string): void {
    this.#output.notices.push({ code, severity, message });
  }
}

function become(entry: Entry, phase: Phase, now_ms: number): void {
  entry.phase = phase;
  entry.since_ms = now_ms;
}

/** There is a process of it. */
function isAlive(phase: Phase): boolean {
  return phase === "starting" || phase === "running" || phase === "stopping";
}
