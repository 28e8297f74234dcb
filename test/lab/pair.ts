/** A lab with a pair in it: node a active, node b its backup, traffic running, observers watching. */
import type { Instrument, OwnerRun, ProbeReport } from "./instrument.ts";
import { Judge } from "./judge.ts";
import type { LabNode, Talk } from "./node.ts";
import { until } from "./shell.ts";
import {
  ECHO_PORT,
  HOST_ADDRESS,
  LAN_ADDRESS,
  LAN_ADDRESS6,
  Lab,
  type Place,
  type Population,
  type Side,
  WAN_ADDRESS,
  WAN_ADDRESS6,
} from "./topology.ts";

/** Links count as mended, and the cluster network as trusted, after two seconds (core/links.ts, core/election.ts). */
const SETTLE_MS = 2500;
const SETTLE_MS_MAX = 20_000;
/** Time for the observers to see who owns the addresses before anything happens. */
const BEFORE_MS = 50;
/** Traffic flows when a probe sent this recently came back. */
const FLOWING_MS = 50;
const EVENTS_SHOWN = 12;

export const SETTINGS = {
  server: { name: "node-a" },
  interfaces: [
    { nic: "lan0", role: "internal", addresses: [`${LAN_ADDRESS}/24`, `${LAN_ADDRESS6}/64`] },
    { nic: "wan0", role: "external", addresses: [`${WAN_ADDRESS}/24`, `${WAN_ADDRESS6}/64`], gateway: HOST_ADDRESS },
  ],
};

export const JOIN = ["cluster", "join", "--interface", "clu0", "--skip-code"];
export const MATCHES = ["--match", "lan0=lan0", "--match", "wan0=wan0"];
export const CREATE = ["cluster", "create", "--interface", "clu0", ...MATCHES, "--skip-code"];

/** Starts two nodes and makes them a cluster, the first one active. */
export async function pairUp(first: LabNode, second: LabNode, settings: unknown, by_code = false): Promise<void> {
  await Promise.all([first.start(), second.start()]);
  await (by_code ? formClusterByCode : formCluster)(first, second, settings);
}

/** Makes two running nodes a cluster. */
export async function formCluster(first: LabNode, second: LabNode, settings: unknown): Promise<void> {
  first.command(["settings", "import", "-"], JSON.stringify(settings));
  const joining = second.commandLater([...JOIN, "--name", `node-${second.side}`]);
  await until(`node ${second.side} joins`, async () => (await second.role()) === "joining");
  await first.commandLater(CREATE);
  await joining;
}

/** As `formCluster`, with the code: read on the console of the second, and typed on the first. */
export async function formClusterByCode(first: LabNode, second: LabNode, settings: unknown): Promise<void> {
  first.command(["settings", "import", "-"], JSON.stringify(settings));
  const joining = second.talk(["cluster", "join", "--interface", "clu0", "--name", `node-${second.side}`]);
  await until(`node ${second.side} joins`, async () => (await second.role()) === "joining");
  const creating = first.talk(["cluster", "create", "--interface", "clu0", ...MATCHES]);
  creating.type(await codeOf(joining));
  for (const { ended } of [creating, joining]) {
    const { status, said } = await ended;
    if (status !== 0) throw new Error(said);
  }
}

/** The code that `cluster join` shows, once it does; a newer one than `before`. */
export async function codeOf(joining: Talk, before = ""): Promise<string> {
  let code = "";
  await until("the joiner's console shows a code", () => {
    code = [...joining.said().matchAll(/Type the code (\d{6}) on /g)].at(-1)?.[1] ?? "";
    return code !== "" && code !== before;
  });
  return code;
}

export interface PairOptions {
  /** True: paired as an administrator does it, with the code. */
  by_code?: boolean;
  /** Other settings than SETTINGS. */
  settings?: unknown;
  /** False: no observers, where only time is measured. */
  observed?: boolean;
  population?: Population;
  /** More words for `understudy node`, on both nodes. */
  options?: string[];
  /** True: neither started nor paired yet. */
  unpaired?: boolean;
}

export class Pair {
  readonly lab: Lab;
  readonly a: LabNode;
  readonly b: LabNode;
  readonly probe: Instrument;
  readonly observers: Judge;
  /** Which node is active, as far as the tests have brought it. */
  active: Side = "a";

  private constructor({ observed = true, population, options = [] }: PairOptions) {
    this.lab = new Lab(population);
    this.a = this.lab.node("a");
    this.b = this.lab.node("b");
    for (const node of [this.a, this.b]) node.options = options;
    this.observers = new Judge(this.lab.directory);
    this.lab.instrument("host", ["echo", String(ECHO_PORT)]);
    this.probe = this.lab.instrument("client", ["probe", HOST_ADDRESS, String(ECHO_PORT)]);
    if (!observed) return;
    const watch = (where: string, place: Place, words: string[]) =>
      this.observers.watch(where, this.lab.instrument(place, words));
    watch("LAN owners", "lan", ["observe", "watch0", LAN_ADDRESS, LAN_ADDRESS6]);
    watch("WAN owners", "wan", ["observe", "watch0", WAN_ADDRESS, WAN_ADDRESS6]);
    watch("from LAN to WAN", "host", ["watch", "eth0", String(ECHO_PORT)]);
    watch("from WAN to LAN", "client", ["watch", "eth0", String(ECHO_PORT)]);
  }

  static async make(options: PairOptions = {}): Promise<Pair> {
    const pair = new Pair(options);
    try {
      if (options.unpaired) return pair;
      await pairUp(pair.a, pair.b, options.settings ?? SETTINGS, options.by_code);
      await pair.untilSteady("a");
    } catch (error) {
      const explanation = await pair.explain();
      pair.remove();
      throw new Error(`${error instanceof Error ? error.message : error}\n${explanation}`);
    }
    return pair;
  }

  node(side: Side): LabNode {
    return this.lab.node(side);
  }

  get backup(): Side {
    return this.active === "a" ? "b" : "a";
  }

  /** Waits until just one node is active, whichever: a test that failed half-way must not take the next one with it. */
  async findActive(): Promise<void> {
    await until("just one node is active", async () => {
      const [a, b] = await Promise.all([this.a.role(), this.b.role()]);
      if (a === "active") this.active = "a";
      if (b === "active") this.active = "b";
      return (a === "active") !== (b === "active");
    });
  }

  /** One node active, the other its backup, both agreeing on every path, traffic flowing. */
  async untilSteady(active: Side): Promise<void> {
    const backup = active === "a" ? "b" : "a";
    await this.node(active).untilRole("active");
    await this.node(backup).untilRole("backup");
    await until("both hear each other on every path", () => this.#hearEachOther());
    await this.untilTraffic();
  }

  async #hearEachOther(): Promise<boolean> {
    const all = await Promise.all([this.a.status(), this.b.status()]);
    return all.every(
      (status) => status?.operational === true && status.paths.every(({ heard, heartbeat }) => heard || !heartbeat),
    );
  }

  /** Steady for so long without a break that every link and the cluster network are trusted again. */
  async untilSettled(): Promise<void> {
    await this.untilSteady(this.active);
    let since_ms = performance.now();
    await until(
      "the pair stays steady",
      async () => {
        if (!(await this.#hearEachOther())) since_ms = performance.now();
        return performance.now() - since_ms >= SETTLE_MS;
      },
      SETTLE_MS_MAX,
    );
  }

  /**
   * Runs `work` on the pair, then demands `after` as the active node and no second owner. Settled first, unless it
   * does not matter how long the links have been up.
   */
  async scenario(after: Side, changes: number, work: () => void | Promise<void>, first = "settled"): Promise<void> {
    if (first === "settled") await this.untilSettled();
    else await this.untilSteady(this.active);
    this.mark();
    await Bun.sleep(BEFORE_MS);
    await work();
    await this.untilSteady(after);
    await this.judge(changes);
    this.active = after;
  }

  /** Something that must not matter to the pair, and needs no trust in its links: no switch, and no second owner. */
  async undisturbed(work: () => void | Promise<void>): Promise<void> {
    await this.untilSteady(this.active);
    const terms = await this.#terms();
    this.mark();
    await Bun.sleep(BEFORE_MS);
    await work();
    await this.untilSteady(this.active);
    await this.judge(0);
    if ((await this.#terms()) !== terms) throw new Error(`The term has changed.\n${await this.explain()}`);
  }

  async #terms(): Promise<string> {
    return (await Promise.all([this.a.status(), this.b.status()])).map((status) => status?.term).join();
  }

  async untilTraffic(): Promise<void> {
    await until("traffic flows", async () => (await this.probe.report<ProbeReport>()).since_answer_ms < FLOWING_MS);
  }

  mark(): void {
    this.probe.mark();
    this.observers.mark();
  }

  async outage_ms(): Promise<number> {
    return (await this.probe.report<ProbeReport>()).gap_ms;
  }

  /** Throws where the observers saw more owners than the changes that were due. */
  async judge(changes: number): Promise<void> {
    const offences = await this.observers.offences(changes);
    if (offences.length > 0) throw new Error(`Two owners.\n${offences.join("\n")}\n${await this.explain()}`);
  }

  /** What one observer has seen since the mark, a list for each address. */
  async runs(where: string): Promise<OwnerRun[][]> {
    return (await this.observers.books()).filter((entry) => entry.where === where).map(({ book }) => book.runs);
  }

  /** What each node says of itself, for a failure's text. */
  async explain(): Promise<string> {
    const parts = [this.a, this.b].map(async (node) => {
      const status = await node.status();
      const events = (await node.events()).slice(-EVENTS_SHOWN).map(({ code, message }) => `  ${code}: ${message}`);
      const paths = status?.paths.map(
        ({ nic, carrier, heard }) => `${nic} ${carrier ? "" : "no carrier "}${heard ? "heard" : "silent"}`,
      );
      const head = `node ${node.side}: ${status?.role ?? "away"}, term ${status?.term ?? "unknown"}, ${paths?.join(", ") ?? ""}`;
      return [head, ...events, node.log().trim()].filter((line) => line !== "").join("\n");
    });
    return (await Promise.all(parts)).join("\n");
  }

  remove(): void {
    this.lab.remove();
  }
}
