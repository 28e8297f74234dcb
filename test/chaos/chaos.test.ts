/**
 * Chaos on a live pair: sixty faults with a fixed seed and no violation. Before that the proof that
 * there could be one: a second owner and a loss of service that no fault explains are caught.
 */
import { expect, test } from "bun:test";
import { join } from "node:path";
import type { Pair } from "../lab/pair.ts";
import { sh, until } from "../lab/shell.ts";
import { LAN_ADDRESS } from "../lab/topology.ts";
import { runChaos } from "./runner.ts";
import { makeSchedule, type Round } from "./schedule.ts";
import { otherSide } from "./truth.ts";

const SEED = 1;
const FAULTS = 60;
const TEST_MS = 300_000;
const EVIDENCE = join(import.meta.dir, "../../build/chaos");

/** One harmless fault, beside which something else is broken. */
const HARMLESS: Round[] = [
  {
    number: 1,
    faults: [
      {
        number: 1,
        kind: "heartbeats blocked",
        victim: "backup",
        cable: "wan0",
        detail: "",
        start_ms: 0,
        duration_ms: 100,
      },
    ],
    settled: false,
    impatient: false,
  },
];

async function offencesWith(name: string, sabotage: (pair: Pair, active: "a" | "b") => Promise<void>): Promise<string> {
  const said: string[] = [];
  const { rounds } = await runChaos({
    rounds: HARMLESS,
    evidence: join(EVIDENCE, name),
    tell: (line) => said.push(line),
    sabotage: (pair, active) => sabotage(pair, active === "b" ? "b" : "a"),
  });
  expect(said.some((line) => line.startsWith("VIOLATION"))).toBe(true);
  return rounds.flatMap(({ offences }) => offences).join("\n");
}

test(
  "a backup without a gate that holds a shared address is caught",
  async () => {
    const offences = await offencesWith("second-owner", async (pair, active) => {
      const side = otherSide(active);
      const namespace = pair.lab.namespace(side);
      pair.node(side).kill();
      // The table belongs to the heart for as long as anything is left of it.
      await until("the gate is gone", () => {
        sh(pair.lab.inside(side, ["nft", "delete", "table", "netdev", "understudy"]), { allow_failure: true });
        return !sh(pair.lab.inside(side, ["nft", "list", "tables"])).includes("table netdev understudy");
      });
      sh(["ip", "-n", namespace, "addr", "add", `${LAN_ADDRESS}/24`, "dev", "lan0"]);
      await Bun.sleep(100);
      sh(["ip", "-n", namespace, "addr", "del", `${LAN_ADDRESS}/24`, "dev", "lan0"]);
      await pair.node(side).start();
    });
    expect(offences).toMatch(
      /LAN owners: 10\.1\.0\.1: (one question had two owners|node . answers and has not claimed)/,
    );
    expect(offences).toContain(`ARP ${LAN_ADDRESS} is at`);
  },
  TEST_MS,
);

test(
  "traffic that stands still for no reason is caught, and so is a heart that crashes",
  async () => {
    const offences = await offencesWith("no-service", async (pair, active) => {
      for (const side of ["a", "b"] as const) pair.lab.silence(side, "lan0", true);
      await Bun.sleep(800);
      for (const side of ["a", "b"] as const) pair.lab.silence(side, "lan0", false);
      pair.node(otherSide(active)).signal("SIGABRT", "heart");
    });
    expect(offences).toMatch(/traffic stood still for \d+ ms/);
    expect(offences).toMatch(/crash on node .: The heartbeat process ended \(SIGABRT\)/);
  },
  TEST_MS,
);

test(
  `${FAULTS} faults, seed ${SEED}: never two owners, and service wherever a healthy node is left`,
  async () => {
    const { rounds, offences } = await runChaos({
      rounds: makeSchedule(SEED, FAULTS),
      evidence: join(EVIDENCE, `seed-${SEED}`),
      tell: () => {},
    });
    const found = rounds
      .filter((result) => result.offences.length > 0)
      .map(({ round, offences, evidence }) => {
        const numbers = round.faults.map(({ number }) => number).join(",");
        const again = `npm run chaos -- --faults ${FAULTS} --seed ${SEED} --only ${numbers}`;
        return [again, ...offences, evidence].join("\n");
      });
    expect(found).toEqual([]);
    expect(offences).toBe(0);
  },
  TEST_MS,
);
