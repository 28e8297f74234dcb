/** What the nodes tell of themselves: their logs on disk, their processes, their memory. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { LoggedEvent } from "../../src/control/events.ts";
import type { Pair } from "../lab/pair.ts";
import { sh } from "../lab/shell.ts";
import type { Side } from "../lab/topology.ts";
import type { Fault, Kind } from "./schedule.ts";
import type { Claim } from "./verdict.ts";

const SIDES = ["a", "b"] as const;
const KILLS_HEART: readonly Kind[] = ["SIGKILL all", "SIGKILL heart", "SIGKILL control", "power off"];
/** The log may lack, or have late, what happened meanwhile. */
const DISTURBS_LOG: readonly Kind[] = [
  "SIGKILL all",
  "SIGKILL heart",
  "SIGKILL control",
  "SIGSTOP all",
  "SIGSTOP heart",
  "SIGSTOP control",
  "power off",
  "freeze, shorter than the lease",
  "freeze, middle",
  "freeze, long",
];

/** The logs of both nodes, read from their state directories; they outlive every process. */
export class Histories {
  readonly #pair: Pair;
  readonly #read: Record<Side, number> = { a: 0, b: 0, c: 0, d: 0, e: 0 };
  readonly #counts = new Map<string, number>();
  #kills = 0;
  unreliable = new Set<Side>();

  constructor(pair: Pair) {
    this.#pair = pair;
  }

  /** A round begins: only what is logged from now on belongs to it. */
  begin(): void {
    for (const side of SIDES) {
      const events = this.#events(side);
      for (const { code, severity } of events.slice(this.#read[side])) {
        if (severity !== "info") this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1);
      }
      this.#read[side] = events.length;
    }
    this.#kills = 0;
    this.unreliable = new Set();
  }

  suffers({ kind }: Fault, side: Side): void {
    if (KILLS_HEART.includes(kind)) this.#kills++;
    if (DISTURBS_LOG.includes(kind)) this.unreliable.add(side);
  }

  claims(clock_ms: number): Claim[] {
    const wall_ms = Date.now() - performance.now() - clock_ms;
    return this.#new().flatMap(({ side, event }) => {
      const term = /^This node is active \(term (\d+)\)/.exec(event.message)?.[1];
      if (event.code !== "became-active" || term === undefined) return [];
      return [{ side, term: Number(term), at_ms: Date.parse(event.at) - wall_ms }];
    });
  }

  /** Active nodes that found that they had not run for a while. */
  sleeps(clock_ms: number): { side: Side; at_ms: number; slept_ms: number }[] {
    const wall_ms = Date.now() - performance.now() - clock_ms;
    return this.#new().flatMap(({ side, event }) => {
      const slept_ms = /did not run for (\d+) ms/.exec(event.message)?.[1];
      if (event.code !== "slept" || slept_ms === undefined) return [];
      return [{ side, at_ms: Date.parse(event.at) - wall_ms, slept_ms: Number(slept_ms) }];
    });
  }

  /** Hearts that ended and were not killed by us. */
  crashes(): string[] {
    const died = this.#new().filter(({ event }) => event.code === "heart-died");
    const strange = died.filter(({ event }) => !event.message.includes("(SIGKILL)"));
    const texts = strange.map(({ side, event }) => `crash on node ${side}: ${event.message}`);
    if (died.length - strange.length > this.#kills)
      texts.push(`crash: ${died.length} hearts died, ${this.#kills} were killed`);
    return texts;
  }

  counts(): Record<string, number> {
    this.begin();
    return Object.fromEntries([...this.#counts].sort());
  }

  /** What both logged in this round, in order. */
  told(clock_ms: number): string {
    const wall_ms = Date.now() - performance.now() - clock_ms;
    return this.#new()
      .sort((one, other) => Date.parse(one.event.at) - Date.parse(other.event.at))
      .map(
        ({ side, event }) =>
          `  ${(Date.parse(event.at) - wall_ms).toFixed(0)} ms ${side} ${event.code}: ${event.message}`,
      )
      .join("\n");
  }

  #new(): { side: Side; event: LoggedEvent }[] {
    return SIDES.flatMap((side) =>
      this.#events(side)
        .slice(this.#read[side])
        .map((event) => ({ side, event })),
    );
  }

  /** The file is moved away once, when it is full, and the node goes on with a new one. */
  #events(side: Side): LoggedEvent[] {
    const path = join(this.#pair.node(side).state, "events.jsonl");
    const text = [`${path}.1`, path].map((each) => (existsSync(each) ? readFileSync(each, "utf8") : "")).join("");
    return text.split("\n").flatMap((line) => {
      try {
        return line === "" ? [] : [JSON.parse(line) as LoggedEvent];
      } catch {
        // Cut off by a kill: that event is lost.
        return [];
      }
    });
  }
}

/** Every process of ours in a node's namespace, whoever started it: its control process and its heart, and nobody else. */
export function processCounts(pair: Pair): Record<"a" | "b", number> {
  const count = (side: Side) =>
    sh(["ip", "netns", "pids", pair.lab.namespace(side)], { allow_failure: true })
      .split("\n")
      .filter((pid) => pid !== "" && isOurs(pid)).length;
  return { a: count("a"), b: count("b") };
}

/** Of the executable, and no service that it runs. */
function isOurs(pid: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")[0]?.includes("understudy") ?? false;
  } catch {
    return false; // it has just ended
  }
}

/** Proportional set size of both nodes together. */
export function memory_mb(pair: Pair): number {
  let kilobytes = 0;
  for (const side of SIDES) {
    for (const { pid } of pair.node(side).processes()) {
      const path = `/proc/${pid}/smaps_rollup`;
      if (existsSync(path)) kilobytes += Number(/^Pss:\s+(\d+)/m.exec(readFileSync(path, "utf8"))?.[1] ?? 0);
    }
  }
  return Math.round(kilobytes / 1024);
}
