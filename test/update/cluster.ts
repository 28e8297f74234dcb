/**
 * Two nodes that are updated, in a world of ticks: what each decides comes from nextAction alone, and everything else
 * here is simpler than the real thing: slots with tries, a peer that is heard or not, bundles, and power that goes at any tick.
 */
import {
  type Action,
  type Facts,
  laterOf,
  nextAction,
  type Order,
  type Plan,
  type Report,
} from "../../src/update/plan.ts";
import type { Random } from "../random.ts";

export const OLD = 10;
export const NEW = 11;
const IMAGE = "a".repeat(64);
const BOOT_TICKS = 4;
const WELL_TICKS = 3;
const UNWELL_TICKS = 6;
const FETCH_TICKS = 4;
const WRITE_TICKS = 3;
const LONG_AWAY_TICKS = 3 * BOOT_TICKS;

interface Entry {
  build: number;
  tries: { left: number; done: number } | null;
}

class SimNode {
  readonly number: 1 | 2;
  running: Entry = { build: OLD, tries: null };
  other: Entry | null = null;
  /** On disk. */
  plan: Plan | null = null;
  staged = false;
  failure: Report["failure"] = null;
  /** Ticks until it is up; 0 while it is. */
  down = 0;
  planned_reboot = false;
  active = false;
  maintenance = false;
  up_ticks = 0;
  /** Of what it does now; lost when power goes. */
  progress = 0;
  step = "";
  /** Since it last heard its peer. */
  unheard_ticks = 0;
  /** What the peer said last on this connection. */
  heard_report: Report | null = null;
  /** The new version is never well here. */
  bad = false;

  constructor(number: 1 | 2) {
    this.number = number;
  }

  get is_up(): boolean {
    return this.down === 0;
  }

  get otherNext(): boolean {
    if (this.other === null) return false;
    const is_bad = ({ tries }: Entry): boolean => tries?.left === 0;
    if (is_bad(this.running) !== is_bad(this.other)) return is_bad(this.running);
    return this.other.build > this.running.build;
  }

  report(): Report {
    return {
      version: "0.1.0",
      build: this.running.build,
      blessed: this.running.tries === null || this.running.tries.left + this.running.tries.done === 0,
      staged: this.staged ? IMAGE : null,
      other_build: this.other?.build ?? null,
      other_next: this.otherNext,
      failure: this.failure,
      step: this.step,
      switches: [],
    };
  }

  /** The power comes back: the loader chooses. */
  boot(): void {
    if (this.otherNext && this.other !== null) [this.running, this.other] = [this.other, this.running];
    const { tries } = this.running;
    if (tries !== null) this.running.tries = { left: Math.max(0, tries.left - 1), done: tries.done + 1 };
    this.up_ticks = 0;
    this.progress = 0;
    this.unheard_ticks = 0;
    this.planned_reboot = false;
    if (this.other?.tries?.left === 0 && this.other.tries.done > 0)
      this.failure = { build: this.other.build, reason: this.failure?.reason ?? "it did not come up" };
  }
}

export class SimCluster {
  readonly nodes = [new SimNode(1), new SimNode(2)] as const;
  connected = true;
  heard = true;
  /** Every planned reboot and every breach of a rule, for the reader of a failed run. */
  readonly log: string[] = [];
  readonly breaches: string[] = [];
  tick_count = 0;

  constructor() {
    this.nodes[0].active = true;
  }

  start(order: Order, alone = false): void {
    this.nodes[0].staged = true;
    this.nodes[0].plan = {
      id: "0123456789abcdef",
      revision: 1,
      cluster: "c",
      started_at: "",
      target: { version: "0.1.0", build: NEW, sha256: IMAGE },
      order,
      first: order === "active-first" ? 1 : 2,
      alone,
      state: "running",
      reason: null,
    };
  }

  order(index: number, state: Plan["state"], reason: string | null): void {
    const node = this.nodes[index];
    if (node === undefined || !node.is_up || node.plan === null) return;
    const may =
      state === "aborting" ? ["running", "paused", "failed", "done"] : state === "paused" ? ["running"] : ["paused"];
    if (!may.includes(node.plan.state)) return;
    this.#say(node, `told: ${state}`);
    node.plan = { ...node.plan, state, reason, revision: node.plan.revision + 1 };
  }

  cutPower(index: number, ticks: number): void {
    const node = this.nodes[index];
    if (node === undefined) return;
    this.#say(node, "power cut");
    this.#goDown(node, ticks);
  }

  tick(random: Random): void {
    this.tick_count += 1;
    for (const node of this.nodes) this.#live(node);
    for (const node of this.nodes)
      node.unheard_ticks = this.heard && this.#peerOf(node).is_up ? 0 : node.unheard_ticks + 1;
    this.#serve();
    this.#talk();
    for (const node of random.below(2) === 0 ? this.nodes : this.nodes.toReversed()) if (node.is_up) this.#act(node);
  }

  #live(node: SimNode): void {
    if (node.down > 0) {
      node.down -= 1;
      if (node.down > 0) return;
      node.boot();
      this.#say(node, `up with build ${node.running.build}`);
    }
    node.up_ticks += 1;
    const { tries } = node.running;
    if (tries === null || tries.left + tries.done === 0) return;
    const well = !(node.bad && node.running.build === NEW);
    if (well && node.up_ticks >= WELL_TICKS) node.running.tries = null;
    else if (!well && node.up_ticks >= UNWELL_TICKS) {
      node.failure = { build: node.running.build, reason: "its web interface did not answer" };
      this.#goDown(node, BOOT_TICKS);
    }
  }

  /** Whoever is up and hears no active peer serves. */
  #serve(): void {
    const [one, two] = this.nodes;
    for (const node of this.nodes) if (!node.is_up) node.active = false;
    if (one.active && two.active && this.heard) two.active = false;
    for (const node of this.nodes) {
      const peer = this.#peerOf(node);
      if (node.is_up && !node.active && !peer.is_up && !node.maintenance) node.active = true;
    }
    if (one.is_up && two.is_up && !one.active && !two.active) (one.maintenance ? two : one).active = true;
  }

  #talk(): void {
    const [one, two] = this.nodes;
    if (!this.connected || !one.is_up || !two.is_up) {
      one.heard_report = null;
      two.heard_report = null;
      return;
    }
    const [ours, theirs] = [one.report(), two.report()];
    const later = laterOf(one.plan, two.plan);
    one.heard_report = theirs;
    two.heard_report = ours;
    one.plan = later;
    two.plan = later;
  }

  #act(node: SimNode): void {
    const peer = this.#peerOf(node);
    const action = nextAction(this.#facts(node, peer));
    const step = action.kind === "wait" ? action.reason : action.kind;
    if (step !== node.step) {
      node.progress = 0;
      this.#say(node, step);
    }
    node.step = step;
    this.#carryOut(node, peer, action);
  }

  #facts(node: SimNode, peer: SimNode): Facts {
    return {
      node: node.number,
      plan: node.plan,
      me: node.report(),
      role: node.active ? "active" : "backup",
      cluster: "c",
      in_sync: this.connected && peer.is_up && peer.running.build === node.running.build,
      maintenance: node.maintenance,
      peer: {
        name: `node ${peer.number}`,
        heard: this.heard && peer.is_up,
        long_away: node.unheard_ticks > LONG_AWAY_TICKS,
        active: this.heard && peer.active,
        unwilling: peer.maintenance,
        build: peer.running.build,
        report: node.heard_report,
      },
    };
  }

  #carryOut(node: SimNode, peer: SimNode, action: Action): void {
    switch (action.kind) {
      case "fetch":
        if (++node.progress >= FETCH_TICKS) node.staged = true;
        return;
      case "write":
        // From its first byte on the slot holds nothing that could be started.
        node.other = null;
        if (++node.progress >= WRITE_TICKS) node.other = { build: NEW, tries: { left: 3, done: 0 } };
        return;
      case "hand-over":
        if (!peer.is_up || !this.heard || peer.maintenance) return;
        node.active = false;
        peer.active = true;
        return;
      case "refuse-other":
        if (node.other !== null) node.other.tries = { left: 0, done: 0 };
        return;
      case "reboot":
        if (action.prepare === "other" && node.other !== null) {
          if (node.other.tries?.left === 0) node.other.tries = { left: 3, done: 0 };
          if (node.running.build > node.other.build) node.running.tries = { left: 0, done: 0 };
        }
        return this.#rebootByPlan(node, peer);
      case "finish":
        if (node.plan !== null)
          node.plan = { ...node.plan, state: action.state, reason: action.reason, revision: node.plan.revision + 1 };
    }
  }

  #rebootByPlan(node: SimNode, peer: SimNode): void {
    if (peer.planned_reboot) this.breaches.push(`both reboot at tick ${this.tick_count}`);
    if (node.active || !peer.active) {
      if (!node.plan?.alone) this.breaches.push(`node ${node.number} leaves its service at tick ${this.tick_count}`);
    }
    this.#goDown(node, BOOT_TICKS);
    node.planned_reboot = true;
  }

  #goDown(node: SimNode, ticks: number): void {
    node.down = Math.max(node.down, ticks);
    node.active = false;
    node.planned_reboot = false;
  }

  #peerOf(node: SimNode): SimNode {
    return node === this.nodes[0] ? this.nodes[1] : this.nodes[0];
  }

  #say(node: SimNode, text: string): void {
    this.log.push(`${String(this.tick_count).padStart(4)} node ${node.number}: ${text}`);
  }
}
