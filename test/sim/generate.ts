/** The plan of a seed: tunings, networks, and a schedule of faults, all up front. */
import { DEFAULT_TUNING } from "../../src/core/tuning.ts";
import type { Tuning } from "../../src/heart/messages.ts";
import { FAULT_KINDS, type Fault, type FaultKind, type Index, type Plan } from "./plan.ts";
import { Random } from "./random.ts";

/** How often a kind is drawn, where not once. */
const WEIGHTS: Partial<Record<FaultKind, number>> = {
  freeze: 4,
  hang: 3,
  kill: 3,
  power: 2,
  trap: 4,
  "trap-delay": 2,
  unplug: 2,
  split: 2,
  loss: 2,
  "order-switch": 3,
  "order-stop": 2,
};
const BAG: FaultKind[] = FAULT_KINDS.flatMap((kind) => new Array<FaultKind>(WEIGHTS[kind] ?? 1).fill(kind));
/** Often at the active node, where they hurt. */
const AIMED = new Set<FaultKind>([
  "freeze",
  "hang",
  "kill",
  "power",
  "trap",
  "trap-delay",
  "load",
  "impair",
  "flush",
  "unplug",
]);
/** What lies in wait, so that other faults come upon it. */
const LASTING = new Set<FaultKind>(["trap", "trap-delay", "replay", "reflect", "mangle", "move", "forge-arp"]);
const FAULTS_MAX = 7;
/** Heartbeats that the two have exchanged before the first fault. */
const FIRST_INTERVALS = 12;

/** Slow heartbeats make long simulations cheap: what takes two seconds in the core is only met there. */
function tuningOf(random: Random): Tuning {
  const stay = random.chance(0.2) ? ({ on_link_loss: "stay" } as const) : {};
  const speed = random.below(10);
  if (speed < 6) return { ...DEFAULT_TUNING, listen_ms: random.pick([300, 400, 600]), ...stay };
  if (speed < 9)
    return {
      interval_ms: 20,
      lease_ms: 48,
      detect_floor_ms: 52,
      detect_ceiling_ms: 300,
      listen_ms: 700,
      on_link_loss: "switch",
      ...stay,
    };
  return {
    interval_ms: 80,
    lease_ms: 200,
    detect_floor_ms: 204,
    detect_ceiling_ms: 500,
    listen_ms: 1500,
    on_link_loss: "switch",
    ...stay,
  };
}

export function planOf(seed: number): Plan {
  const random = new Random(seed);
  const tuning = tuningOf(random);
  const latency_us = random.pick([50, 120, 300, 800]);
  const plan: Plan = {
    seed,
    tuning,
    tick_us: random.pick([1000, 4000]),
    drift_ppm: [random.between(-200, 200), random.between(-200, 200)],
    data_heartbeats: random.chance(0.8) ? [true, true] : [random.chance(0.5), random.chance(0.5)],
    ipv6: random.chance(0.15),
    direct_cable: random.chance(0.4),
    start: random.chance(0.8) ? "created" : "cold",
    latency_us,
    jitter_us: random.pick([10, 60, 200]),
    faults: [],
  };
  const begin_us =
    (plan.start === "cold" ? tuning.listen_ms : 0) * 1000 + 60_000 + FIRST_INTERVALS * tuning.interval_ms * 1000;
  const count = 1 + random.below(FAULTS_MAX);
  // Long enough to see what comes of a fault, short enough that many overlap.
  const spread_us = 14 * tuning.interval_ms * 1000;
  let at_us = begin_us + random.below(spread_us);
  if (random.chance(0.5) && tuning.interval_ms < 50) at_us += tuning.listen_ms * 1000;
  for (let i = 0; i < count; i++) {
    plan.faults.push(faultOf(random, tuning, at_us));
    at_us += random.chance(0.3) ? random.below(3000) : random.below(2 * spread_us);
  }
  return plan;
}

function faultOf(random: Random, tuning: Tuning, at_us: number): Fault {
  const kind = random.pick(BAG);
  const interval_us = tuning.interval_ms * 1000;
  const clock = random.pick(["runs", "runs", "stands", "suspend"] as const);
  const lasts_us = random.chance(0.5)
    ? random.between(interval_us / 4, 6 * interval_us)
    : random.between(6 * interval_us, 30 * interval_us);
  return {
    kind,
    at_us,
    lasts_us: LASTING.has(kind) ? lasts_us + 40 * interval_us : lasts_us,
    at_active: AIMED.has(kind) && random.chance(0.5),
    node: random.below(2) as Index,
    // 3: all of them.
    slot:
      kind === "switch-reboot" || kind === "unplug" || kind === "flap" || kind === "trap"
        ? random.below(3)
        : random.below(4),
    amount: amountOf(kind, random, interval_us),
    clock,
  };
}

function amountOf(kind: FaultKind, random: Random, interval_us: number): number {
  switch (kind) {
    case "trap":
      return random.below(7);
    case "trap-delay":
      return random.between(interval_us, 6 * interval_us);
    case "load":
      return random.between(1000, 4 * interval_us);
    case "disk":
      return random.between(10_000, 1_000_000);
    case "loss":
      return random.pick([30, 100, 300, 500]);
    case "delay":
      return random.pick([500, 2000, 8000, 20_000, 50_000]);
    case "flap":
      return random.between(3000, 30_000);
    case "flush":
      return random.chance(0.3) ? random.between(6, 9) : 1;
    case "duplicate":
    case "reorder":
      return random.pick([50, 300]);
    default:
      return random.between(500, 10_000);
  }
}
