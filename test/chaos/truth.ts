/**
 * What really happened, and what it excuses. The runner enters when each fault began and ended; from
 * that follows at any instant whether the nodes could hear each other, and whether a node was left
 * that ought to serve. Times are on the machine's monotonic clock.
 */
import { CABLES, type Cable, type Side } from "../lab/topology.ts";
import type { Fault, Kind } from "./schedule.ts";

/** A fault that took place: on `side`, from before its first step until after its last. */
export interface Happening {
  fault: Fault;
  side: Side;
  from_ms: number;
  /** Infinite while it lasts. */
  to_ms: number;
}

/** One heartbeat interval, and what a millisecond's observer and a loaded machine add to it. */
export const HEARTBEAT_MS = 8 + 4;
/** Mended links count again, and a started node listens, for two seconds. */
const SETTLING_MS = 2500;
/** A heart that died several times is started again after up to five seconds. */
const HEART_RESTART_MS = 5500;
/** A poisoned neighbour cache or a confused switch gets over it. */
const NETWORK_RECOVERY_MS = 300;

const NODE_OFF: readonly Kind[] = [
  "freeze, shorter than the lease",
  "freeze, middle",
  "freeze, long",
  "SIGKILL all",
  "SIGKILL heart",
  "SIGKILL control",
  "SIGSTOP all",
  "SIGSTOP heart",
  "power off",
  "clean stop",
];
const NODE_HURT: readonly Kind[] = [...NODE_OFF, "SIGSTOP control"];
/** The network itself misleads the client: nobody's takeover would help. */
const NETWORK_HURT: readonly Kind[] = ["foreign host announces", "flood of false ARP"];
/** They hurt no node for good, but answers may take longer. */
const UNSETTLING: readonly Kind[] = [
  "planned switch",
  "firewall flushed",
  "addresses deleted by hand",
  "address added by hand",
  "processor hogs",
  "fsync storm",
  "heartbeats replayed",
  "flood of forged heartbeats",
];
/** Frames vanish and no carrier is lost: the nodes watch carriers, so nobody hands over for that. */
const VANISHING: readonly Kind[] = ["data cable silent", "one-way loss", "lossy cable"];

/** How far back a join without heartbeats is looked for, and how finely. */
const APART_MS_MAX = 5000;
const APART_STEP_MS = 5;

/** A node's log may be this late about its own sleep. */
const LOG_LATE_MS = 500;

type Passing = "heartbeats" | "anything";

export class Truth {
  #happenings: Happening[] = [];
  #starved_ms: number[] = [];

  add(happening: Happening): void {
    this.#happenings.push(happening);
  }

  /** A node found that it had not run although no fault of ours kept it: the machine had no processor for it. True then. */
  addSleep(side: Side, at_ms: number, slept_ms: number): boolean {
    for (let back_ms = 0; back_ms <= slept_ms + LOG_LATE_MS; back_ms++) {
      if (this.#isHurt(side, NODE_HURT, at_ms - back_ms)) return false;
    }
    this.#starved_ms.push(at_ms);
    return true;
  }

  /** What ended longer ago than anybody asks for. */
  forget(before_ms: number): void {
    this.#starved_ms = this.#starved_ms.filter((at_ms) => at_ms >= before_ms - SETTLING_MS);
    this.#happenings = this.#happenings.filter(({ to_ms }) => to_ms >= before_ms - SETTLING_MS - HEART_RESTART_MS);
  }

  /** Both alive, and nothing that one says or answers reaches the other: each may serve its island (spec, honest limits). */
  areIslands(at_ms: number): boolean {
    return (["a", "b"] as const).some((side) => {
      const peer = otherSide(side);
      return this.#isDeaf(side, at_ms) && !this.#passes(side, peer, "heartbeats", at_ms);
    });
  }

  /** `side` hears nothing of its peer, which still hears `side`: it yields at the first heartbeat of a claim. */
  isDeaf(side: Side, at_ms: number): boolean {
    return this.#isDeaf(side, at_ms);
  }

  /** Two owners are excused at this instant: islands, or islands that were joined less than a heartbeat ago. */
  isExcused(at_ms: number): boolean {
    for (let back_ms = 0; back_ms <= HEARTBEAT_MS; back_ms++) {
      if (this.areIslands(at_ms - back_ms) || this.#wereSilentIslands(at_ms - back_ms)) return true;
    }
    return false;
  }

  /**
   * Joined for everything but heartbeats: the lower claim yields at the first that it hears. Only where no link
   * told it that there was anything to ask: a node that lost its data links asks before it goes on.
   */
  #wereSilentIslands(at_ms: number): boolean {
    for (let back_ms = 0; back_ms < APART_MS_MAX; back_ms += APART_STEP_MS) {
      const then_ms = at_ms - back_ms;
      if (this.#passes("a", "b", "heartbeats", then_ms) || this.#passes("b", "a", "heartbeats", then_ms)) return false;
      if (this.areIslands(then_ms)) return !this.#isUnplugged("a", then_ms) && !this.#isUnplugged("b", then_ms);
    }
    return false;
  }

  #isUnplugged(side: Side, at_ms: number): boolean {
    return (["lan0", "wan0"] as const).every((cable) =>
      this.#some(at_ms, 0, ({ fault, side: its_side }) => {
        const pulled = fault.kind === "all cables cut" || (fault.kind === "data cable cut" && fault.cable === cable);
        return its_side === side && pulled;
      }),
    );
  }

  /**
   * A healthy node is left that the client reaches and that can know it is needed, so traffic is due.
   * `settled`: it has been healthy for so long that nothing need be waited for.
   */
  isServiceDue(at_ms: number, settled: boolean): boolean {
    if (this.#some(at_ms, NETWORK_RECOVERY_MS, ({ fault }) => NETWORK_HURT.includes(fault.kind))) return false;
    const margin_ms = settled ? SETTLING_MS : 0;
    return (["a", "b"] as const).some((side) => {
      const peer = otherSide(side);
      if (!this.#isFit(side, at_ms, margin_ms)) return false;
      if (this.#isHurt(peer, NODE_OFF, at_ms)) return true;
      if (this.#isDeaf(side, at_ms) && this.#isDeaf(peer, at_ms)) return true;
      if (!this.#passes(side, peer, "heartbeats", at_ms, true) || !this.#passes(peer, side, "heartbeats", at_ms, true))
        return this.#isFit(peer, at_ms, margin_ms);
      return !this.#isHurt(peer, VANISHING, at_ms);
    });
  }

  #some(at_ms: number, margin_ms: number, holds: (happening: Happening) => boolean): boolean {
    return this.#happenings.some((one) => one.from_ms <= at_ms && at_ms <= one.to_ms + margin_ms && holds(one));
  }

  #isHurt(side: Side, kinds: readonly Kind[], at_ms: number, margin_ms = 0): boolean {
    return this.#some(at_ms, margin_ms, (one) => one.side === side && kinds.includes(one.fault.kind));
  }

  #isFit(side: Side, at_ms: number, margin_ms: number): boolean {
    if (margin_ms > 0) {
      if (this.#some(at_ms, margin_ms, ({ fault }) => UNSETTLING.includes(fault.kind))) return false;
      if (this.#starved_ms.some((starved_ms) => Math.abs(at_ms - starved_ms) <= margin_ms)) return false;
    }
    if (this.#isHurt(side, NODE_HURT, at_ms, margin_ms)) return false;
    if (this.#isHurt(side, ["SIGKILL heart"], at_ms, margin_ms + HEART_RESTART_MS)) return false;
    return !(["lan0", "wan0"] as const).some((cable) =>
      this.#some(at_ms, margin_ms, (one) => one.side === side && harms(one.fault, cable, "both", "anything")),
    );
  }

  /** Nothing of the peer arrives: no heartbeat, and no answer of its kernel to a question of ours. */
  #isDeaf(side: Side, at_ms: number): boolean {
    const peer = otherSide(side);
    if (this.#passes(peer, side, "heartbeats", at_ms)) return false;
    return !(["lan0", "wan0"] as const).some(
      (cable) =>
        this.#passesBy(cable, peer, side, "anything", at_ms) && this.#passesBy(cable, side, peer, "anything", at_ms),
    );
  }

  /** On some path; `surely` not counting paths that lose frames now and then. */
  #passes(from: Side, to: Side, what: Passing, at_ms: number, surely = false): boolean {
    return CABLES.some((cable) => this.#passesBy(cable, from, to, what, at_ms, surely));
  }

  #passesBy(cable: Cable, from: Side, to: Side, what: Passing, at_ms: number, surely = false): boolean {
    return !this.#some(at_ms, 0, ({ fault, side }) => {
      if (fault.kind === "lossy cable" && !surely) return false;
      return (
        (side === from && harms(fault, cable, "ingress", what)) || (side === to && harms(fault, cable, "egress", what))
      );
    });
  }
}

/** Does the fault take away what passes this cable of its node? `ingress` is from the node into the switch. */
function harms({ kind, cable: its_cable, detail }: Fault, cable: Cable, way: string, what: Passing): boolean {
  switch (kind) {
    case "all cables cut":
    case "all cables silent":
      return true;
    case "heartbeats blocked everywhere":
      return what === "heartbeats";
    case "heartbeats blocked":
      return what === "heartbeats" && its_cable === cable;
    case "one-way loss":
      return its_cable === cable && (way === "both" || way === detail);
    case "data cable cut":
    case "cluster cable cut":
    case "data cable silent":
    case "cluster cable silent":
    case "lossy cable":
      return its_cable === cable;
    default:
      return false;
  }
}

export function otherSide(side: Side): "a" | "b" {
  return side === "a" ? "b" : "a";
}
