/**
 * The services of a node at work: the supervisor's decisions carried out, and the node's role, peer and settings brought to
 * it. In the control process; no switch waits for any of it.
 */
import { join } from "node:path";
import type { Snapshot } from "../heart/messages.ts";
import { Connections, type ConnectionsHost } from "./connections.ts";
import { Hands } from "./hands.ts";
import { type Fact, type ServiceReport, type Situation, Supervisor } from "./supervisor.ts";
import { SERVICES, type ServiceName, type ServiceRole } from "./table.ts";
import { Unfitness } from "./unfitness.ts";
import type { Work } from "./work.ts";

const TICK_MS = 250;
/** A program that was missing may have been installed. */
const PLAN_MS = 10_000;
const STOP_MS_MAX = 5000;
const STOP_LOOK_MS = 20;

export interface ServicesHost extends ConnectionsHost {
  run: string;
  /** Those for whose sake the node hands over. */
  handOverFor(): readonly ServiceName[];
  report(code: string, severity: "info" | "warning" | "error", message: string): void;
  /** Why this node should not be the active one, as part of a sentence; null where nothing is wrong. */
  unfit(reason: string | null): void;
  switchOver(): Promise<void>;
}

export class Services {
  readonly #host: ServicesHost;
  readonly #supervisor = new Supervisor(SERVICES);
  readonly #unfitness = new Unfitness();
  readonly #hands: Hands;
  readonly #works: Record<ServiceName, Work>;
  #marks: Situation["marks"] = {};
  #planned_ms = Number.NEGATIVE_INFINITY;
  #role: Situation["role"] = null;
  #peer: Snapshot["peer"] = null;
  #ticking: Timer | undefined;

  constructor(host: ServicesHost) {
    this.#host = host;
    const directory = join(host.run, "services");
    this.#works = { connections: new Connections(host, directory) };
    this.#hands = new Hands(directory, (fact) => this.#step([fact]));
  }

  start(): void {
    this.#ticking = setInterval(() => this.#step([]), TICK_MS);
  }

  /** The settings or the cluster may be others. */
  changed(): void {
    this.#planned_ms = Number.NEGATIVE_INFINITY;
  }

  /** At every snapshot of the heart; `role` is null on the way to another one. */
  situation(role: ServiceRole | null, peer: Snapshot["peer"]): void {
    this.#peer = peer;
    if (this.#role === "none" || role === null || role === this.#role) return;
    this.#role = role;
    this.#step([]);
  }

  /** All of them, in order; resolves when they have ended, or the time for it is over. */
  async stop(): Promise<void> {
    this.#role = "none";
    this.#step([]);
    const deadline_ms = performance.now() + STOP_MS_MAX;
    while (!this.#supervisor.all_ended && performance.now() < deadline_ms) await Bun.sleep(STOP_LOOK_MS);
    clearInterval(this.#ticking);
  }

  reports(): ServiceReport[] {
    return this.#supervisor.reports();
  }

  /** Those that should run and do not. */
  alarms(): { code: string; message: string }[] {
    return this.reports().flatMap(({ wanted, state, failing, trouble }) => {
      if (trouble === null || !wanted) return [];
      if (state === "missing") return [{ code: "service-missing", message: trouble }];
      return failing ? [{ code: "service-failed", message: trouble }] : [];
    });
  }

  #step(facts: Fact[]): void {
    const now_ms = performance.now();
    if (now_ms - this.#planned_ms >= PLAN_MS) this.#plan(now_ms);
    const { actions, notices } = this.#supervisor.step(now_ms, { role: this.#role, marks: this.#marks }, facts);
    for (const { code, severity, message } of notices) this.#host.report(code, severity, message);
    for (const { type, name } of actions) {
      if (type === "start") this.#hands.start(name, this.#works[name].launch());
      else this.#hands[type](name);
    }
    this.#judge();
    for (const { name, state } of this.reports()) this.#attend(now_ms, name, state === "running");
  }

  #plan(now_ms: number): void {
    this.#planned_ms = now_ms;
    this.#marks = {};
    for (const { name } of SERVICES) {
      const plan = this.#works[name].plan();
      if (plan !== null) this.#marks[name] = plan;
    }
  }

  #judge(): void {
    const unfit = this.#supervisor.unfit(this.#host.handOverFor());
    this.#host.unfit(unfit);
    const { heard = false, unwilling = false } = this.#peer ?? {};
    const standing = { unfit, is_active: this.#role === "active", peer_heard: heard, peer_unwilling: unwilling };
    // Refused where the peer is not fit: then this node stays what it is, as its alarm says.
    if (this.#unfitness.step(standing)) void this.#host.switchOver().catch(() => {});
  }

  #attend(now_ms: number, name: ServiceName, running: boolean): void {
    const standing = { running, is_active: this.#role === "active", peer_heard: this.#peer?.heard ?? false };
    this.#works[name].attend(now_ms, standing, (why) => this.#step([{ type: "sick", name, why }]));
  }
}
