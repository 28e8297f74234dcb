/**
 * The heart's process: the real core, and around it what src/heart/main.ts and body.ts do: wait, gather, step,
 * and carry out the duties in their order. It can be stopped, killed or put to sleep between any two of them.
 */
import { Election } from "../../src/core/election.ts";
import { PROMPT_MS } from "../../src/core/tuning.ts";
import type { Input, Output } from "../../src/core/types.ts";
import { coreConfiguration } from "./configuration.ts";
import type { Context } from "./context.ts";
import type { Machine } from "./machine.ts";
import type { Origin } from "./network.ts";
import { Observer } from "./transitions.ts";

/** What the sockets keep of a process that does not read. */
const INBOX_MAX = 1024;
const SCHEDULING_US = [15, 60] as const;
const SNAPSHOT_INTERVAL_US = 200_000;
const GATE_CHECK_INTERVAL_US = 5_000_000;
const GATE_REPAIRS_MAX = 5;
const GATE_REPAIR_WINDOW_US = 10_000_000;
/** Turns without anything to do in one millisecond: the loop does not wait. */
const IDLE_TURNS_MAX = 8;
const NOBODY = -1;

type Waiting = (Input & { origin?: Origin | null }) | { type: "links" } | { type: "firewall" };

/** Duties under way. */
interface Act {
  output: Output;
  shuts: boolean;
  takes: boolean;
  opens: boolean;
  next: number;
  origin: Origin;
  stepped_us: number;
  /** By the node's own clock. */
  stepped_local_us: number;
  opened: boolean;
}

export interface Trap {
  only: "any" | "opens" | "shuts";
  /** Duties carried out before it springs. */
  after: number;
  spring: () => void;
}

export class Heart {
  readonly election: Election;
  readonly term_floor: number;
  readonly #machine: Machine;
  readonly #context: Context;
  readonly #observer: Observer;
  readonly #inbox: Waiting[] = [];
  hung = false;
  /** Microseconds that a step may come late, and its duties after it, under load. */
  load_us = 0;
  trap: Trap | null = null;
  /** What body.ts believes. */
  held = false;
  must_open = false;
  #late = false;
  gate_broken = false;
  #repairs_us: number[] = [];
  #gate_check_us = 0;
  #act: Act | null = null;
  #turn_us = Number.POSITIVE_INFINITY;
  #wake_local_us = 0;
  #shown_us = Number.NEGATIVE_INFINITY;
  #shown_role = "";
  #stop_asked = false;
  #stop_done = false;
  #ended = false;
  #idle_turns = 0;
  #idle_since_us = 0;

  constructor(machine: Machine, context: Context, term_floor: number, bootstrap: boolean) {
    const { timeline } = context;
    this.term_floor = term_floor;
    this.#machine = machine;
    this.#context = context;
    const { index } = machine;
    const local_us = machine.clock.local(timeline.now_us);
    this.#gate_check_us = local_us;
    machine.kernel.installGate(bootstrap, timeline.now_us);
    machine.kernel.hold(bootstrap);
    this.held = bootstrap;
    this.election = new Election(coreConfiguration(context, index, term_floor, bootstrap), local_us / 1000);
    this.#observer = new Observer(machine, this.election, context);
  }

  get local_us(): number {
    return this.#machine.clock.local(this.#context.timeline.now_us);
  }

  get #can_run(): boolean {
    return !this.#ended && !this.hung && this.#machine.running;
  }

  begin(): void {
    this.#observer.started();
    this.#inbox.push({ type: "links" });
    this.#poke();
  }

  /** Killed, or at the end of its own accord. */
  end(cause: "died" | "stopped"): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#act = null;
    this.#observer.ended(cause);
  }

  hang(): void {
    this.hung = true;
  }

  /** After SIGCONT, or with its machine. */
  resume(): void {
    this.hung = false;
    this.#turn_us = Number.POSITIVE_INFINITY;
    const act = this.#act;
    if (act !== null) this.#later(this.#delay(), () => this.#act === act && this.#carryOut());
    else this.#poke();
  }

  deliver(slot: number, frame: Uint8Array, origin: Origin | null): void {
    if (this.#inbox.length >= INBOX_MAX) return;
    this.#inbox.push({ type: "frame", slot, frame, origin });
    this.#poke();
  }

  notify(type: "links" | "firewall"): void {
    if (this.#inbox.length < INBOX_MAX) this.#inbox.push({ type });
    this.#poke();
  }

  /** From the control process; a `stop` ends the heart once it is answered. */
  order(input: Input): void {
    if (input.type === "stop") {
      if (this.#stop_asked) return;
      this.#stop_asked = true;
    }
    if (this.#inbox.length < INBOX_MAX) this.#inbox.push(input);
    this.#poke();
  }

  // ── turns ──────────────────────────────────────────────────────────────────────────────────────

  #delay(): number {
    const { random } = this.#context;
    return random.between(...SCHEDULING_US) + (this.load_us > 0 && random.chance(0.1) ? random.below(this.load_us) : 0);
  }

  #later(delay_us: number, act: () => void): void {
    this.#context.timeline.after(delay_us, () => {
      if (this.#can_run) act();
    });
  }

  #poke(): void {
    if (this.#can_run && this.#act === null) this.#turnAt(this.#context.timeline.now_us + this.#delay());
  }

  #turnAt(at_us: number): void {
    const due_us = Math.ceil(at_us);
    if (due_us >= this.#turn_us) return;
    this.#turn_us = due_us;
    this.#context.timeline.at(due_us, () => {
      if (this.#turn_us !== due_us) return;
      this.#turn_us = Number.POSITIVE_INFINITY;
      if (this.#can_run && this.#act === null) this.#turn();
    });
  }

  #turn(): void {
    const { timeline, judge } = this.#context;
    const local_us = this.local_us;
    const inputs: Input[] = this.#late ? [{ type: "late" }] : [];
    for (const waiting of this.#inbox.splice(0)) this.#gather(waiting, inputs);
    if (local_us - this.#gate_check_us >= GATE_CHECK_INTERVAL_US) {
      this.#gate_check_us = local_us;
      inputs.push(...this.#checkGate());
    }
    this.#watchIdling(inputs.length === 0);
    this.#observer.before();
    let output: Output;
    try {
      output = this.election.step(local_us / 1000, inputs);
    } catch (error) {
      return judge.violation("exception", `step() of ${this.#machine.name} threw: ${error}`);
    }
    this.#observer.after(output);
    this.#wake_local_us = output.wake_ms * 1000;
    const { role, term } = this.election;
    this.#act = {
      output,
      shuts: !output.hold && this.held,
      takes: output.hold && !this.held,
      opens: output.hold && (output.open_lease || this.must_open),
      next: 0,
      origin: {
        node: this.#machine.index,
        session: this.election.conversation.session,
        role,
        term,
        at_us: timeline.now_us,
      },
      stepped_us: timeline.now_us,
      stepped_local_us: local_us,
      opened: false,
    };
    this.held = output.hold;
    this.must_open = false;
    // A loaded machine may put the process to sleep right here, with everything decided and nothing done.
    const { random } = this.#context;
    const asleep_us = this.load_us > 0 && random.chance(0.05) ? random.below(this.load_us) : 0;
    if (asleep_us === 0) return this.#carryOut();
    const act = this.#act;
    this.#later(asleep_us, () => this.#act === act && this.#carryOut());
  }

  #gather(waiting: Waiting, inputs: Input[]): void {
    switch (waiting.type) {
      case "links":
        inputs.push(...this.#machine.carriers());
        return;
      case "firewall":
        inputs.push(...this.#checkGate());
        return;
      case "frame":
        this.#context.judge.read(this.#machine, waiting.slot, waiting.frame, waiting.origin ?? null);
    }
    inputs.push(waiting);
  }

  /** As body.ts: put back closed, and reported broken where that does not help. */
  #checkGate(): Input[] {
    const { kernel } = this.#machine;
    if (kernel.has_gate) return this.#gateIs(false);
    const local_us = this.local_us;
    this.#repairs_us = this.#repairs_us.filter((at_us) => local_us - at_us < GATE_REPAIR_WINDOW_US);
    if (this.#repairs_us.length >= GATE_REPAIRS_MAX) return this.#gateIs(true);
    this.#repairs_us.push(local_us);
    kernel.installGate(false, this.#context.timeline.now_us);
    this.must_open = true;
    return this.#gateIs(false);
  }

  #gateIs(broken: boolean): Input[] {
    if (broken === this.gate_broken) return [];
    this.gate_broken = broken;
    return [{ type: "gate", broken }];
  }

  // ── duties ─────────────────────────────────────────────────────────────────────────────────────

  #carryOut(): void {
    const act = this.#act;
    if (act === null) return;
    const count = act.output.frames.length + 4;
    while (act.next < count) {
      const { trap } = this;
      if (trap !== null && trap.after <= act.next && this.#isTrapped(trap, act)) {
        this.trap = null;
        trap.spring();
        if (!this.#can_run) return;
      }
      this.#duty(act, act.next++);
    }
    this.#act = null;
    if (this.#ended) return;
    const { timeline } = this.#context;
    if (this.#inbox.length > 0) this.#poke();
    const wake_us = this.#machine.clock.whenShows(this.#wake_local_us);
    this.#turnAt(Math.max(wake_us, timeline.now_us) + this.#delay());
  }

  #isTrapped(trap: Trap, act: Act): boolean {
    if (trap.only === "opens") return act.opens;
    if (trap.only === "shuts") return act.shuts;
    return act.opens || act.shuts || act.output.frames.length > 0;
  }

  /** Body.apply, one call to the kernel after the other. */
  #duty(act: Act, number: number): void {
    const { kernel } = this.#machine;
    const { now_us } = this.#context.timeline;
    const { frames } = act.output;
    if (number === 0) {
      if (act.shuts) {
        kernel.closeLease();
        this.#machine.lease_stood = false;
      } else if (act.takes) kernel.hold(true);
    } else if (number === 1) {
      if (!act.opens || !this.#isPrompt(act) || !kernel.openLease(now_us)) return;
      act.opened = true;
      this.#machine.opened(act.stepped_us);
    } else if (number < frames.length + 2) {
      const out = frames[number - 2];
      if (out === undefined) return;
      this.#context.judge.oracle.sent(this.#machine, out.frame);
      this.#machine.transmit(out.slot, out.frame, act.origin);
    } else if (number === frames.length + 2) {
      this.#late = !this.#isPrompt(act) || (act.opens && !act.opened);
      if (act.shuts) kernel.hold(false);
    } else this.#tell(act.output);
  }

  #isPrompt(act: Act): boolean {
    return this.local_us - act.stepped_local_us < PROMPT_MS * 1000;
  }

  #tell(output: Output): void {
    const { log, timeline } = this.#context;
    const { name } = this.#machine;
    if (log !== null) for (const event of output.events) log(`${name} ${event.code}: ${event.message}`);
    for (const { id, failure } of output.answers) {
      log?.(`${name} answers ${id}: ${failure?.code ?? "done"}`);
      if (id === NOBODY) this.#stop_done = true;
    }
    const { now_us } = timeline;
    if (this.election.role !== this.#shown_role || now_us - this.#shown_us >= SNAPSHOT_INTERVAL_US) {
      this.#shown_role = this.election.role;
      this.#shown_us = now_us;
      this.#machine.saw(this.election.term);
    }
    if (!this.#stop_done) return;
    this.end("stopped");
    this.#machine.heartStopped();
  }

  #watchIdling(idle: boolean): void {
    const { now_us } = this.#context.timeline;
    if (!idle || now_us - this.#idle_since_us > 1000) {
      this.#idle_since_us = now_us;
      this.#idle_turns = 0;
    }
    if (++this.#idle_turns > IDLE_TURNS_MAX)
      this.#context.judge.violation("busy-loop", `${this.#machine.name} turns without waiting`);
  }
}
