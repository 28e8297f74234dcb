/** One simulation: two nodes, three networks, two hosts, a list of faults, and a judge; from a plan to a verdict. */

import { HOSTS, nodeMac } from "./addresses.ts";
import { Attacker } from "./attacker.ts";
import { cheapAuthenticator } from "./authenticator.ts";
import type { Context, Transition } from "./context.ts";
import type { Coverage } from "./coverage.ts";
import { Faults } from "./faults.ts";
import { Host } from "./hosts.ts";
import { Judge, Violation } from "./judge.ts";
import { Machine } from "./machine.ts";
import { hasCarrier, isConnected, macKey, type Port, Segment } from "./network.ts";
import type { Plan } from "./plan.ts";
import { Random } from "./random.ts";
import { Service } from "./service.ts";
import { Timeline } from "./timeline.ts";

/** More than any plan takes: something runs in circles. */
const EVENTS_MAX = 2_000_000;
const HOST_LATENCY_US = 50;
const ATTACKS = new Set(["replay", "reflect", "mangle", "move", "forge-arp", "steal-mac"]);

export interface Options {
  onTransition?: (transition: Transition) => void;
  /** Collects a log of everything that matters. */
  log?: string[];
}

export interface Verdict {
  violation: { code: string; message: string; at_us: number } | null;
  coverage: Coverage;
}

export function simulate(plan: Plan, options: Options = {}): Verdict {
  const world = new World(plan, options);
  return world.run();
}

export class World implements Context {
  readonly plan: Plan;
  readonly timeline = new Timeline();
  readonly random: Random;
  readonly authenticate;
  readonly judge: Judge;
  readonly onTransition: Context["onTransition"];
  readonly log: Context["log"];
  readonly machines: [Machine, Machine];
  readonly segments: Segment[];
  readonly hosts: Host[];
  readonly service: Service;
  readonly attacker: Attacker | null;
  readonly faults: Faults;
  dirty = true;

  constructor(plan: Plan, { onTransition, log }: Options) {
    this.plan = plan;
    this.random = new Random(plan.seed, 1);
    this.authenticate = cheapAuthenticator(plan.seed ^ 0x5bd1e995);
    this.onTransition = onTransition ?? null;
    this.log =
      log === undefined
        ? null
        : (text) => {
            log.push(`${(this.timeline.now_us / 1000).toFixed(3).padStart(10)} ${text}`);
          };
    this.judge = new Judge(() => this);
    this.machines = [new Machine(0, this), new Machine(1, this)];
    this.segments = [0, 1, 2].map((slot) => new Segment(this.timeline, new Random(plan.seed, 10 + slot)));
    for (const machine of this.machines) {
      machine.ports = this.segments.map((segment, slot) =>
        segment.attach(
          plan.latency_us,
          plan.jitter_us,
          (frame, origin) => machine.receive(slot, frame, origin),
          () => machine.heart?.notify("links"),
        ),
      );
    }
    this.hosts = HOSTS.map((description) => {
      const host = new Host(this, description);
      const segment = this.segments[description.slot];
      if (segment === undefined) throw new RangeError("a host without a network");
      host.port = segment.attach(
        HOST_LATENCY_US,
        0,
        (frame) => host.receive(frame),
        () => {},
      );
      return host;
    });
    const attacked = plan.faults.some(({ kind }) => ATTACKS.has(kind));
    this.attacker = attacked ? new Attacker(this.timeline, new Random(plan.seed, 20), this.segments) : null;
    this.service = new Service(this);
    this.faults = new Faults(this);
    this.judge.begin(this.machines);
  }

  run(): Verdict {
    const { judge, plan } = this;
    const { coverage } = judge;
    try {
      this.#begin();
      this.#loop();
      judge.settle(plan.faults.length);
    } catch (error) {
      // Anything else that breaks is a failure with a seed too.
      const code = error instanceof Violation ? error.code : "crash";
      const message = error instanceof Violation ? error.message : String(error instanceof Error ? error.stack : error);
      this.log?.(`VIOLATION ${code}: ${message}`);
      return this.#verdict({ code, message, at_us: this.timeline.now_us });
    } finally {
      coverage.seeds = 1;
      coverage.simulated_us = this.timeline.now_us;
      coverage.claims = this.judge.claims;
    }
    return this.#verdict(null);
  }

  #verdict(violation: Verdict["violation"]): Verdict {
    return { violation, coverage: this.judge.coverage };
  }

  #begin(): void {
    const { plan } = this;
    const [a, b] = this.machines;
    if (plan.start === "cold") {
      a.remember(5);
      b.remember(6);
    }
    this.timeline.at(1, () => a.boot(plan.start === "created"));
    this.timeline.at(plan.start === "created" ? 2000 : 1 + this.random.below(50_000), () => b.boot(false));
    this.hosts.forEach((host, i) => host.begin(5000 + 100_000 * i + this.random.below(50_000)));
    this.faults.begin();
  }

  #loop(): void {
    for (let events = 0; ; events++) {
      if (events > EVENTS_MAX) this.judge.violation("endless", "the simulation does not come to an end");
      const act = this.timeline.next();
      if (act === undefined || this.faults.done) return;
      act();
      if (!this.dirty) continue;
      this.dirty = false;
      this.judge.observe();
      this.service.observe();
    }
  }

  // ── what is ────────────────────────────────────────────────────────────────────────────────────

  peerUnplugged(machine: Machine, slot: number): boolean {
    if (slot !== 0 || !this.plan.direct_cable) return false;
    const peer = this.machines[1 - machine.index];
    const port = peer?.ports[0];
    return peer?.on !== true || port === undefined || !hasCarrier(port);
  }

  /** The client's packets reach the router through this node, and the answers come back. */
  carriesTraffic(machine: Machine): boolean {
    if (!machine.serves()) return false;
    return this.hosts.every((host, i) => {
      const slot = i + 1;
      const port = machine.ports[slot];
      const key = macKey(nodeMac(machine.index, slot), 0);
      return (
        host.believes === key &&
        port !== undefined &&
        isConnected(port) &&
        isOpen(host.port) &&
        port.segment.leadsTo(key, port)
      );
    });
  }
}

function isOpen(port: Port | null): boolean {
  return port !== null && isConnected(port);
}
