/** Brings a plan's faults upon the world, heals them, and at the end everything, and says when it must be well again. */

import { applyToCables } from "./cables.ts";
import type { Machine } from "./machine.ts";
import type { Fault, Index } from "./plan.ts";
import { healingBound, takeoverBound } from "./service.ts";
import type { World } from "./world.ts";

/** Once well, it must stay well for some heartbeats. */
const QUIET_INTERVALS = 6;
const CHECK_INTERVAL_US = 5000;
const STOP_ID = -1;
const FLUSH_INTERVAL_US = 2000;
/** A third of the detector's window would do. */
const SETTLED_HEARTBEATS = 48;
const FRAMES_WINDOW_US = 100_000;
/** Faults that must not keep a backup from taking over, though they may mislead a client. */
const HARMLESS = new Set(["forge-arp", "disk", "duplicate"]);
const DIVERTS = new Set(["replay", "reflect", "mangle", "move", "steal-mac"]);
/** Faults after which a peer that is ready must have taken over within the bound. */
const STOPS_SERVICE = new Set(["freeze", "hang", "kill", "power"]);

export class Faults {
  readonly #world: World;
  /** Faults that hold at the moment. */
  readonly #present = new Set<Fault>();
  /** What came of traps. */
  readonly #sprung = new Map<Fault, Fault>();
  #well_since_us = Number.POSITIVE_INFINITY;
  #order_id = 0;
  /** Something has struck that may have made the detectors patient. */
  #disturbed = false;
  done = false;
  latest = "start";

  constructor(world: World) {
    this.#world = world;
  }

  begin(): void {
    const { plan, timeline } = this.#world;
    let end_us = 50_000;
    for (const fault of plan.faults) {
      timeline.at(fault.at_us, () => this.#strike(fault));
      end_us = Math.max(end_us, fault.at_us + fault.lasts_us);
    }
    timeline.at(end_us + 1000, () => this.#healAll());
    this.#watchFrames();
  }

  #strike(planned: Fault): void {
    const { judge, log, machines, timeline } = this.#world;
    const active = machines.find(({ heart }) => heart?.election.role === "active");
    const fault = planned.at_active && active !== undefined ? { ...planned, node: active.index } : planned;
    log?.(`fault: ${fault.kind} ${"ab"[fault.node]} ${fault.slot} ${fault.amount} ${fault.clock}`);
    judge.coverage.count(judge.coverage.faults, fault.kind);
    this.latest = fault.kind;
    judge.serial++;
    if (STOPS_SERVICE.has(fault.kind)) this.#expectTakeover(fault);
    this.#disturbed ||= !HARMLESS.has(fault.kind);
    this.#present.add(fault);
    this.#begin(fault);
    timeline.after(fault.lasts_us, () => {
      log?.(`healed: ${fault.kind} ${"ab"[fault.node]} ${fault.slot}`);
      judge.serial++;
      this.#present.delete(fault);
      this.#end(fault);
    });
  }

  #machine(node: Index): Machine {
    return this.#world.machines[node];
  }

  #begin(fault: Fault): void {
    const { machines, segments, attacker, timeline } = this.#world;
    const machine = this.#machine(fault.node);
    const { heart } = machine;
    switch (fault.kind) {
      case "freeze":
        return machine.freeze(fault.clock);
      case "hang":
        return heart?.hang();
      case "kill":
        return machine.killHeart();
      case "power":
        machine.powerCut();
        return this.#carriersChanged();
      case "trap":
        if (heart !== null)
          heart.trap = {
            only: fault.slot === 0 ? "any" : fault.slot === 1 ? "opens" : "shuts",
            after: fault.amount,
            spring: () => this.#spring(fault),
          };
        return;
      case "trap-delay":
        if (heart !== null)
          heart.trap = {
            only: fault.slot % 2 === 0 ? "shuts" : "opens",
            after: 0,
            spring: () => this.#slowDown(fault),
          };
        return;
      case "load":
        if (heart !== null) heart.load_us = fault.amount;
        return;
      case "disk":
        machine.disk_us = fault.amount;
        return;
      case "unplug":
        return this.#plug(machine, fault.slot, false);
      case "split":
      case "deaf":
      case "mute":
      case "loss":
      case "delay":
      case "duplicate":
      case "reorder":
        return this.#applyQualities();
      case "switch-reboot": {
        const segment = segments[fault.slot];
        if (segment === undefined) return;
        segment.dead = true;
        segment.forget();
        return this.#carriersChanged();
      }
      case "flush":
        return this.#flush(machine, fault.amount);
      case "impair":
        return heart?.order({ type: "impaired", impaired: true });
      case "order-switch":
        for (const each of machines)
          if (each.heart?.election.role === "active") each.heart.order({ type: "switch", id: ++this.#order_id });
        return;
      case "order-take":
        for (const each of machines)
          if (each.heart?.election.role === "backup") each.heart.order({ type: "take-over", id: ++this.#order_id });
        return;
      case "order-stop":
        machine.wanted = false;
        return heart?.order({ type: "stop", id: STOP_ID });
      case "flap":
        return this.#flap(fault, false);
      default:
        return attacker?.attack(fault, timeline.now_us + fault.lasts_us);
    }
  }

  #end(fault: Fault): void {
    const machine = this.#machine(fault.node);
    const { heart } = machine;
    switch (fault.kind) {
      case "freeze":
        return machine.thaw();
      case "hang":
        return heart?.hung === true ? heart.resume() : undefined;
      case "order-stop":
        machine.wanted = true;
        return machine.startHeart(false);
      case "kill":
        return machine.startHeart(false);
      case "power":
        return this.#powerOn(machine);
      case "load":
        if (heart !== null) heart.load_us = 0;
        return;
      case "disk":
        machine.disk_us = 2000;
        return;
      case "unplug":
      case "flap":
        return this.#plug(machine, fault.slot, true);
      case "split":
      case "deaf":
      case "mute":
      case "loss":
      case "delay":
      case "duplicate":
      case "reorder":
        return this.#applyQualities();
      case "switch-reboot": {
        const segment = this.#world.segments[fault.slot];
        if (segment !== undefined) segment.dead = false;
        return this.#carriersChanged();
      }
      case "impair":
        return heart?.order({ type: "impaired", impaired: false });
      case "trap":
        return this.#wake(machine);
      case "trap-delay":
        if (heart !== null) heart.trap = null;
        for (const [trap, delay] of this.#sprung) if (trap === fault) this.#present.delete(delay);
        return this.#applyQualities();
    }
  }

  /** So many times, one soon after the other. A heart that cannot notice is left alone: its gate would be gone for good. */
  #flush(machine: Machine, times: number): void {
    const { plan, timeline } = this.#world;
    const { heart, kernel } = machine;
    // Only one of the two may lose its gate for longer: with both without, nobody could serve.
    if (times > 1 && plan.seed % 2 !== machine.index) return;
    if (heart !== null && !heart.hung && machine.running && kernel.has_gate) {
      kernel.loseGate();
      heart.notify("firewall");
    }
    if (times > 1) timeline.after(FLUSH_INTERVAL_US, () => this.#flush(machine, times - 1));
  }

  #powerOn(machine: Machine): void {
    if (machine.on) return;
    machine.boot(false);
    this.#carriersChanged();
  }

  #spring(fault: Fault): void {
    const machine = this.#machine(fault.node);
    this.#world.log?.(`the trap springs on ${machine.name}`);
    this.#world.judge.serial++;
    if (fault.clock === "runs") return machine.killHeart();
    if (fault.clock === "stands") return machine.heart?.hang();
    machine.freeze("runs");
  }

  #slowDown(fault: Fault): void {
    const { judge, log } = this.#world;
    log?.(`what ${"ab"[fault.node]} says becomes slow`);
    judge.serial++;
    const delay: Fault = { ...fault, kind: "delay", slot: 3 };
    this.#sprung.set(fault, delay);
    this.#present.add(delay);
    this.#applyQualities();
  }

  #plug(machine: Machine, slot: number, plugged: boolean): void {
    const port = machine.ports[slot];
    if (port === undefined || port.plugged === plugged) return;
    port.plugged = plugged;
    this.#carriersChanged();
  }

  #flap(fault: Fault, plugged: boolean): void {
    if (!this.#present.has(fault)) return;
    this.#plug(this.#machine(fault.node), fault.slot, plugged);
    this.#world.timeline.after(fault.amount, () => this.#flap(fault, !plugged));
  }

  #carriersChanged(): void {
    this.#world.dirty = true;
    for (const { heart } of this.#world.machines) heart?.notify("links");
  }

  #applyQualities(): void {
    this.#world.dirty = true;
    applyToCables(this.#world, this.#present);
  }

  #wake(machine: Machine): void {
    if (machine.frozen && !this.#holds("freeze", machine)) machine.thaw();
    if (machine.heart !== null) machine.heart.trap = null;
    if (machine.heart?.hung === true && !this.#holds("hang", machine)) machine.heart.resume();
    if (machine.on && !this.#holds("kill", machine) && !this.#holds("order-stop", machine)) machine.startHeart(false);
  }

  /** Somebody sends frames with the nodes' MACs: switches send what is meant for a node to him. */
  get diverted(): boolean {
    return [...this.#present].some(({ kind }) => DIVERTS.has(kind));
  }

  #holds(kind: Fault["kind"], machine: Machine): boolean {
    return [...this.#present].some((fault) => fault.kind === kind && fault.node === machine.index);
  }

  // ── what must come of it ───────────────────────────────────────────────────────────────────────

  /** A single fault that stops the active node, and a peer that is ready: service goes on within the bound. */
  #expectTakeover(fault: Fault): void {
    const { judge, machines, plan, service, timeline } = this.#world;
    const victim = machines[fault.node];
    const ready = machines[1 - fault.node]?.heart;
    const peer = ready?.gate_broken === true ? undefined : ready?.election;
    const others = [...this.#present];
    if (
      !others.every(({ kind }) => HARMLESS.has(kind)) ||
      victim.heart?.election.role !== "active" ||
      !(service.isRestored || others.length > 0) ||
      peer === undefined
    )
      return;
    if (peer.conversation.sequence * plan.tuning.interval_ms < plan.tuning.listen_ms) return;
    // A detector that knows a quiet network well has come down to its floor.
    const quiet = !this.#disturbed && peer.conversation.sequence >= SETTLED_HEARTBEATS;
    const { detect_floor_ms, detect_ceiling_ms, interval_ms } = plan.tuning;
    const bound_us = takeoverBound(plan, quiet ? detect_floor_ms + interval_ms : detect_ceiling_ms);
    const { serial } = judge;
    timeline.after(bound_us, () => {
      const serves = others.length === 0 ? service.flows : machines.some((machine) => machine.serves());
      if (judge.serial === serial && !serves)
        judge.violation("no-takeover", `no service ${bound_us} µs after ${fault.kind} of ${victim.name}`);
    });
  }

  #healAll(): void {
    const { judge, log, machines, plan, segments, timeline } = this.#world;
    log?.("everything is healed");
    judge.serial++;
    this.#present.clear();
    for (const segment of segments) segment.dead = false;
    for (const machine of machines) {
      for (const port of machine.ports) port.plugged = true;
      machine.disk_us = 2000;
      machine.wanted = true;
      machine.thaw();
      if (machine.heart !== null) {
        machine.heart.load_us = 0;
        machine.heart.trap = null;
        if (machine.heart.hung) machine.heart.resume();
      }
      if (!machine.on) machine.boot(false);
      machine.startHeart(false);
      machine.heart?.order({ type: "impaired", impaired: false });
    }
    this.#applyQualities();
    this.#carriersChanged();
    const bound_us = healingBound(plan.tuning);
    const deadline_us = timeline.now_us + bound_us;
    const check = (): void => {
      if (!this.#world.service.isRestored) {
        this.#well_since_us = Number.POSITIVE_INFINITY;
        if (timeline.now_us >= deadline_us)
          judge.violation("not-restored", `no service ${bound_us} µs after the last fault was healed`);
      } else if (this.#well_since_us === Number.POSITIVE_INFINITY) this.#well_since_us = timeline.now_us;
      this.done = timeline.now_us - this.#well_since_us >= QUIET_INTERVALS * plan.tuning.interval_ms * 1000;
      if (!this.done) timeline.after(CHECK_INTERVAL_US, check);
    };
    check();
  }

  /** Nothing unbounded leaves a node. */
  #watchFrames(): void {
    const { judge, machines, timeline } = this.#world;
    const look = (): void => {
      for (const machine of machines) {
        judge.sent(machine, machine.frames_sent);
        machine.frames_sent = 0;
      }
      timeline.after(FRAMES_WINDOW_US, look);
    };
    look();
  }
}
