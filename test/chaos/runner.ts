/** Runs a schedule on a live pair: round after round, each judged by who answered and what the client missed. */
import { copyFileSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { ProbeReport } from "../lab/instrument.ts";
import { Pair } from "../lab/pair.ts";
import { until } from "../lab/shell.ts";
import type { Side } from "../lab/topology.ts";
import { strike } from "./faults.ts";
import { Histories, memory_mb, processCounts } from "./nodes.ts";
import { type Fault, faultText, holds, type Round } from "./schedule.ts";
import { otherSide, Truth } from "./truth.ts";
import { type Claim, judgeOwners, judgeService } from "./verdict.ts";

/** After everything is mended: one honest limit for a steady pair. Hearts that died often restart after 5 s, then listen. */
const STEADY_MS_MAX = 20_000;
const SETTLE_MS = 2100;
/** Calm before the first fault of a round, so that every observer has seen who is the owner. */
const LEAD_MS = 30;
const FLOWING_MS = 50;
/** What a node shows may be 200 ms old: what is shown must stay as it is for longer than that. */
const STABLE_MS = 250;
const MEMORY_MB_MAX = 160;
/** Claims in one round, for each fault in it: more is flapping. A fault may move the role when it begins and when it ends. */
const CLAIMS_PER_FAULT_MAX = 3;

export interface RoundResult {
  round: Round;
  active: Side;
  outage_ms: number;
  claims: number;
  offences: string[];
  /** Where captures and logs are, and what the nodes logged; empty where there was no offence. */
  evidence: string;
}

export interface RunResult {
  rounds: RoundResult[];
  offences: number;
  /** Of both nodes together, in MB. */
  memory: { start_mb: number; end_mb: number; most_mb: number };
  /** How often an active node found that it had not run although no fault kept it: the machine was too busy. */
  starved: number;
  /** How often each kind of event was logged, warnings and errors only. */
  events: Record<string, number>;
  duration_s: number;
}

export interface RunOptions {
  rounds: Round[];
  /** Where captures and logs of offences are kept. */
  evidence: string;
  tell: (line: string) => void;
  /** Before each round's faults; tests use it to break what must not break. */
  sabotage?: (pair: Pair, active: Side) => Promise<void> | void;
}

export async function runChaos(options: RunOptions): Promise<RunResult> {
  const pair = await Pair.make();
  try {
    return await new Runner(pair, options).run();
  } finally {
    pair.remove();
  }
}

class Runner {
  readonly #pair: Pair;
  readonly #options: RunOptions;
  readonly #truth = new Truth();
  readonly #histories: Histories;
  readonly #side_of = new Map<string, Side>();
  /** What to add to performance.now() for the machine's monotonic clock, and what to add to that for the wall's. */
  #clock_ms = 0;
  #starved = 0;

  constructor(pair: Pair, options: RunOptions) {
    this.#pair = pair;
    this.#options = options;
    this.#histories = new Histories(pair);
    for (const side of ["a", "b"] as const) {
      for (const nic of ["lan0", "wan0"]) this.#side_of.set(pair.lab.mac(side, nic), side);
    }
  }

  async run(): Promise<RunResult> {
    const started_ms = performance.now();
    await this.#readClock();
    const start_mb = memory_mb(this.#pair);
    let most_mb = start_mb;
    const rounds: RoundResult[] = [];
    for (const round of this.#options.rounds) {
      const result = await this.#round(round);
      rounds.push(result);
      this.#tellRound(result);
      most_mb = Math.max(most_mb, memory_mb(this.#pair));
      if (result.offences.some((text) => text.startsWith("not steady"))) break;
    }
    return {
      rounds,
      offences: rounds.reduce((sum, { offences }) => sum + offences.length, 0),
      memory: { start_mb, end_mb: memory_mb(this.#pair), most_mb },
      starved: this.#starved,
      events: this.#histories.counts(),
      duration_s: (performance.now() - started_ms) / 1000,
    };
  }

  #now_ms(): number {
    return performance.now() + this.#clock_ms;
  }

  /** The probe tells the machine's clock; the quickest of a few answers is the truest. */
  async #readClock(): Promise<void> {
    let quickest_ms = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 20; i++) {
      const asked_ms = performance.now();
      const { now_ms } = await this.#pair.probe.report<ProbeReport>();
      const answered_ms = performance.now();
      if (answered_ms - asked_ms >= quickest_ms) continue;
      quickest_ms = answered_ms - asked_ms;
      this.#clock_ms = now_ms - (asked_ms + answered_ms) / 2;
    }
  }

  async #round(round: Round): Promise<RoundResult> {
    const pair = this.#pair;
    if (round.settled) await Bun.sleep(SETTLE_MS);
    const first = { ...(await this.#untilReady(round.impatient)), at_ms: this.#now_ms() };
    const active = first.side;
    this.#histories.begin();
    pair.mark();
    const begun_ms = this.#now_ms();
    await Bun.sleep(LEAD_MS);
    await this.#options.sabotage?.(pair, active);
    const offences: string[] = [];
    const free = new Map<string, Promise<void>>();
    await Promise.all(
      round.faults.map((fault) => {
        // Mending may take longer than planned, and what one fault holds no other may touch meanwhile.
        const earlier = holds(fault).map((what) => free.get(what));
        const struck = Promise.all(earlier)
          .then(() => this.#strike(fault, active, begun_ms + LEAD_MS))
          .catch(
            (error: unknown) => void offences.push(`not steady, fault ${fault.number} cannot be mended: ${error}`),
          );
        for (const what of holds(fault)) free.set(what, struck);
        return struck;
      }),
    );
    try {
      await this.#untilReady(false);
    } catch (error) {
      offences.push(`not steady after everything was mended: ${error instanceof Error ? error.message : error}`);
    }
    const { claims, texts, gap_ms } = await this.#judge(round, first);
    offences.push(...texts);
    this.#truth.forget(begun_ms);
    const evidence = offences.length > 0 ? await this.#keepEvidence(round, offences) : "";
    return { round, active, outage_ms: gap_ms, claims, offences, evidence };
  }

  async #strike(fault: Fault, active: Side, base_ms: number): Promise<void> {
    await Bun.sleep(Math.max(0, base_ms + fault.start_ms - this.#now_ms()));
    const side = fault.victim === "active" ? active : otherSide(active);
    const happening = { fault, side, from_ms: this.#now_ms(), to_ms: Number.POSITIVE_INFINITY };
    this.#truth.add(happening);
    this.#histories.suffers(fault, side);
    await strike({ pair: this.#pair, fault, side, node: this.#pair.node(side) });
    happening.to_ms = this.#now_ms();
  }

  async #judge(round: Round, first: Claim): Promise<{ claims: number; texts: string[]; gap_ms: number }> {
    const pair = this.#pair;
    const probe = await pair.probe.report<ProbeReport>();
    const since_ms = probe.now_ms - probe.window_ms;
    const gaps = probe.gaps.map(({ from_ms, to_ms }) => ({ from_ms: since_ms + from_ms, to_ms: since_ms + to_ms }));
    const statuses = await Promise.all([pair.a.status(), pair.b.status()]);
    const claims = this.#histories.claims(this.#clock_ms).filter(({ term }) => term > first.term);
    const owners = {
      side_of: this.#side_of,
      first,
      claims,
      last_term: Math.max(...statuses.map((status) => status?.term ?? 0)),
      unreliable: this.#histories.unreliable,
      truth: this.#truth,
    };
    const texts = await pair.observers.offencesBy((book, mark_ms) => judgeOwners(book, mark_ms, owners));
    const starved = this.#histories
      .sleeps(this.#clock_ms)
      .filter(({ side, at_ms, slept_ms }) => this.#truth.addSleep(side, at_ms, slept_ms)).length;
    this.#starved += starved;
    texts.push(...judgeService(gaps, this.#truth), ...this.#histories.crashes());
    if (claims.length > CLAIMS_PER_FAULT_MAX * round.faults.length + starved)
      texts.push(`flapping: ${claims.length} claims after ${round.faults.length} faults`);
    const megabytes = memory_mb(pair);
    if (megabytes > 2 * MEMORY_MB_MAX)
      texts.push(`memory: both nodes use ${megabytes} MB, at most ${2 * MEMORY_MB_MAX} are expected`);
    return { claims: claims.length, texts, gap_ms: probe.gap_ms };
  }

  /**
   * One node active and traffic flowing; and unless `impatient`, the other its backup, both hearing each
   * other on every path, and no process more or less than there should be.
   */
  async #untilReady(impatient: boolean): Promise<{ side: Side; term: number }> {
    const pair = this.#pair;
    let shown = { side: "a" as Side, term: 0 };
    let since_ms = Number.POSITIVE_INFINITY;
    let why = "";
    const ready = async (): Promise<string> => {
      const [a, b] = await Promise.all([pair.a.status(), pair.b.status()]);
      const roles = `a ${a?.role ?? "away"}, b ${b?.role ?? "away"}`;
      if ((a?.role === "active") === (b?.role === "active")) return roles;
      const side: Side = a?.role === "active" ? "a" : "b";
      const term = (side === "a" ? a : b)?.term ?? 0;
      if (side !== shown.side || term !== shown.term) since_ms = performance.now();
      shown = { side, term };
      const { since_answer_ms } = await pair.probe.report<ProbeReport>();
      if (since_answer_ms >= FLOWING_MS) return `${roles}, and no traffic for ${since_answer_ms.toFixed(0)} ms`;
      if (impatient) return "";
      if ((side === "a" ? b : a)?.role !== "backup") return roles;
      for (const status of [a, b]) {
        if (status?.operational !== true) return `${roles}; ${status?.name}: ${status?.reason}`;
        const silent = status.paths.find(({ heard }) => !heard);
        if (silent !== undefined) return `${roles}; ${status.name} hears nothing on ${silent.nic}`;
      }
      const counts = processCounts(pair);
      return counts.a === 2 && counts.b === 2 ? "" : `${roles}; ${counts.a} and ${counts.b} processes`;
    };
    const isReady = async (): Promise<boolean> => {
      why = await ready();
      if (why !== "") since_ms = Number.POSITIVE_INFINITY;
      else if (since_ms === Number.POSITIVE_INFINITY) since_ms = performance.now();
      return performance.now() - since_ms >= STABLE_MS;
    };
    await until("the pair is ready", isReady, STEADY_MS_MAX).catch((error: unknown) => {
      throw new Error(`${error instanceof Error ? error.message : error} (${why})`);
    });
    return shown;
  }

  async #keepEvidence(round: Round, offences: string[]): Promise<string> {
    const { lab } = this.#pair;
    const directory = join(this.#options.evidence, `round-${round.number}`);
    mkdirSync(directory, { recursive: true });
    for (const name of readdirSync(lab.directory)) {
      if (/\.(pcap|log)$/.test(name)) copyFileSync(join(lab.directory, name), join(directory, name));
    }
    for (const side of ["a", "b"] as const) {
      copyFileSync(join(this.#pair.node(side).state, "events.jsonl"), join(directory, `${side}-events.jsonl`));
    }
    const happened = this.#histories.told(this.#clock_ms);
    await Bun.write(join(directory, "offences.txt"), `${offences.join("\n")}\n\n${happened}\n`);
    return `Evidence is in ${directory}; what the nodes logged:\n${happened}`;
  }

  #tellRound({ round, active, outage_ms, claims, offences, evidence }: RoundResult): void {
    const { tell } = this.#options;
    tell(
      `round ${round.number}: node ${active} active, ${claims} claims, longest gap ${outage_ms.toFixed(1)} ms${round.settled ? ", settled" : ""}${round.impatient ? ", impatient" : ""}`,
    );
    for (const fault of round.faults) tell(`  ${faultText(fault)}`);
    for (const offence of offences) tell(`VIOLATION ${offence}`);
    if (evidence !== "") tell(evidence);
  }
}
