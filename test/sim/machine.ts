/**
 * A node's machine: power, clocks, cards and kernel, the disk and the control process. The heart runs on it
 * (heart.ts), and may hang or die without it.
 */
import type { Input } from "../../src/core/types.ts";
import { nodeMac, SLOTS, sharedAddresses } from "./addresses.ts";
import { Clock } from "./clock.ts";
import type { Context } from "./context.ts";
import { Heart } from "./heart.ts";
import { Kernel } from "./kernel.ts";
import { macKey, type Origin, type Port } from "./network.ts";
import type { FreezeClock, Index } from "./plan.ts";

/** What a card keeps while nobody takes it: frames that come in while the machine stands still. */
const RING_MAX = 192;
const RUNS_UP_US = 200_000_000;
const RESTART_US = 3000;

export class Machine {
  readonly index: Index;
  readonly name: string;
  readonly kernel: Kernel;
  /** What the heart reads (CLOCK_BOOTTIME), and what the kernel's timers go by. */
  readonly clock: Clock;
  readonly timers: Clock;
  readonly #context: Context;
  readonly #ring: { slot: number; frame: Uint8Array; origin: Origin | null }[] = [];
  ports: Port[] = [];
  on = false;
  frozen = false;
  heart: Heart | null = null;
  /** An administrator wants the heart to run: one that has stopped is started again. */
  wanted = true;
  /** The lease stood still with the machine at the last thaw: the spec's honest limit, until the node lets go of it. */
  lease_stood = false;
  stood_us = 0;
  /** It claims on a word of its peer from before its clock stood still, which to it is as fresh as ever. */
  trusts_stood_word = false;
  /** How long the disk takes, and what it will have at which time. */
  disk_us = 2000;
  #writes: { term: number; durable_us: number }[] = [];
  /** What the control process remembers. */
  term_seen = 0;
  frames_sent = 0;
  #watching = false;

  constructor(index: Index, context: Context) {
    const { plan, random } = context;
    this.index = index;
    this.name = "ab"[index] ?? "?";
    this.#context = context;
    const offset_us = RUNS_UP_US + random.below(100_000_000);
    const drift_ppm = plan.drift_ppm[index];
    this.clock = new Clock(offset_us, drift_ppm);
    this.timers = new Clock(offset_us, drift_ppm);
    const shared = sharedAddresses(plan.ipv6);
    this.kernel = new Kernel(index, shared, this.timers, plan.tick_us, plan.tuning.lease_ms, () => {
      context.dirty = true;
      this.#watchLease();
    });
  }

  get running(): boolean {
    return this.on && !this.frozen;
  }

  /** Its kernel answers for the shared addresses at this moment. */
  serves(): boolean {
    return this.running && this.kernel.serves(this.#context.timeline.now_us);
  }

  // ── power and sleep ────────────────────────────────────────────────────────────────────────────

  boot(bootstrap: boolean): void {
    this.on = true;
    this.frozen = false;
    this.kernel.has_gate = false;
    this.kernel.holds = false;
    this.term_seen = this.#durableTerm();
    this.#context.dirty = true;
    this.startHeart(bootstrap);
  }

  powerCut(): void {
    this.killHeart();
    this.term_seen = this.#durableTerm();
    this.#writes = [{ term: this.term_seen, durable_us: 0 }];
    this.#ring.length = 0;
    this.on = false;
    if (this.frozen) this.thaw();
    this.#context.dirty = true;
  }

  freeze(clock: FreezeClock): void {
    if (!this.running) return;
    const { now_us } = this.#context.timeline;
    this.frozen = true;
    if (clock !== "runs") this.timers.stop(now_us);
    if (clock === "stands") this.clock.stop(now_us);
    this.lease_stood = clock !== "runs" && this.kernel.isLive(now_us);
    this.#context.dirty = true;
  }

  thaw(): void {
    if (!this.frozen) return;
    const { now_us } = this.#context.timeline;
    this.frozen = false;
    if (!this.clock.running) this.stood_us = now_us;
    this.timers.go(now_us);
    this.clock.go(now_us);
    this.#context.dirty = true;
    if (!this.on) return;
    this.#watchLease();
    for (const { slot, frame, origin } of this.#ring.splice(0)) this.#take(slot, frame, origin);
    this.heart?.resume();
  }

  // ── processes ──────────────────────────────────────────────────────────────────────────────────

  startHeart(bootstrap: boolean): void {
    if (!this.on || this.heart !== null) return;
    this.heart = new Heart(this, this.#context, Math.max(this.term_seen, this.#durableTerm()), bootstrap);
    this.heart.begin();
  }

  killHeart(): void {
    this.heart?.end("died");
    this.heart = null;
    this.#context.dirty = true;
  }

  /** The lease was opened by a step of that time: of before a stop of the clock that the heart cannot have noticed? */
  opened(stepped_us: number): void {
    if (stepped_us < this.stood_us || this.trusts_stood_word) this.lease_stood = true;
    this.trusts_stood_word = false;
  }

  /** The heart has stopped in good order. */
  heartStopped(): void {
    this.heart = null;
    this.#context.dirty = true;
    this.#context.timeline.after(RESTART_US, () => {
      if (this.wanted) this.startHeart(false);
    });
  }

  /** A snapshot reached the control process: it remembers the term, and saves it. */
  saw(term: number): void {
    if (term <= this.term_seen) return;
    this.term_seen = term;
    const { now_us } = this.#context.timeline;
    this.#writes = this.#writes.filter((write, i) => i === this.#writes.length - 1 || write.durable_us > now_us);
    this.#writes.push({ term, durable_us: now_us + this.disk_us });
  }

  #durableTerm(): number {
    const { now_us } = this.#context.timeline;
    return this.#writes.reduce((term, write) => (write.durable_us <= now_us ? Math.max(term, write.term) : term), 0);
  }

  /** The term that its disk has at the start of the simulation. */
  remember(term: number): void {
    this.#writes = [{ term, durable_us: 0 }];
  }

  // ── frames ─────────────────────────────────────────────────────────────────────────────────────

  receive(slot: number, frame: Uint8Array, origin: Origin | null): void {
    if (!this.on) return;
    // The card's filter; it is not promiscuous.
    if (((frame[0] ?? 1) & 1) === 0 && macKey(frame, 0) !== macKey(nodeMac(this.index, slot), 0)) return;
    if (!this.frozen) return this.#take(slot, frame, origin);
    if (this.#ring.length < RING_MAX) this.#ring.push({ slot, frame, origin });
  }

  #take(slot: number, frame: Uint8Array, origin: Origin | null): void {
    const answer = this.kernel.answer(slot, frame, this.#context.timeline.now_us);
    if (answer !== null) this.transmit(slot, answer, null);
    this.heart?.deliver(slot, frame, origin);
  }

  transmit(slot: number, frame: Uint8Array, origin: Origin | null): void {
    const port = this.ports[slot];
    if (port === undefined || !this.running) return;
    if (!this.kernel.passesOut(frame, this.#context.timeline.now_us)) return;
    this.frames_sent++;
    port.segment.send(port, frame, origin);
  }

  /** What link notifications tell: all carriers as they are when they are looked at. */
  carriers(): Input[] {
    return SLOTS.map((_, slot) => {
      const port = this.ports[slot];
      const up = port?.plugged === true && !port.segment.dead && !this.#context.peerUnplugged(this, slot);
      return { type: "carrier", slot, up };
    });
  }

  /** The end of a lease is seen when it happens. */
  #watchLease(): void {
    const { timeline } = this.#context;
    if (this.#watching || !this.running || !this.kernel.isLive(timeline.now_us)) return;
    this.#watching = true;
    timeline.at(this.kernel.lease_until_us + 1, () => {
      this.#watching = false;
      this.#watchLease();
      if (!this.#watching) this.#context.dirty = true;
    });
  }
}
