/**
 * An attacker with raw frames on each network of a live pair. Whatever comes: the active node stays
 * active, nobody else answers for a shared address, the client's traffic flows again, the heart's
 * processor time is bounded, and the attack is to be seen in `status`.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { LabNode } from "./node.ts";
import { Pair } from "./pair.ts";
import { until } from "./shell.ts";
import { LAN_ADDRESS, type Place } from "./topology.ts";

const FLOOD_MS = 1000;
const TEST_MS = 60_000;
/** A flood may cost the heart this share of a processor. On two processors the flood and two hearts share them, so contention alone gives two thirds. */
const PROCESSOR_SHARE_MAX = 0.9;
const TICK_MS = 10;

let pair: Pair;

beforeAll(async () => {
  pair = await Pair.make();
}, TEST_MS);

afterAll(() => pair?.remove());

/** Processor time that a node's heart has used: utime and stime of proc(5). */
function heart_ms(node: LabNode): number {
  const heart = node.processes().find(({ part }) => part === "heart");
  const fields = readFileSync(`/proc/${heart?.pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

function clusterId(): string {
  const file = JSON.parse(readFileSync(join(pair.a.state, "cluster.json"), "utf8")) as { value: { id: string } };
  return file.value.id;
}

async function dropped(node: LabNode): Promise<Record<string, number>> {
  return (await node.status())?.dropped ?? {};
}

/** An attack that must change nothing: `visible` is the counter that must rise on a node, if one must. */
async function withstand(work: () => Promise<void>, visible: string[]): Promise<void> {
  await pair.untilSteady("a");
  const terms = [(await pair.a.status())?.term, (await pair.b.status())?.term];
  const before = await Promise.all([dropped(pair.a), dropped(pair.b)]);
  pair.mark();
  await Bun.sleep(50);
  const from_ms = performance.now();
  const used_ms = [heart_ms(pair.a), heart_ms(pair.b)];
  await work();
  const window_ms = performance.now() - from_ms;
  const shares = [pair.a, pair.b].map((node, i) => (heart_ms(node) - (used_ms[i] ?? 0)) / window_ms);
  await pair.untilSteady("a");
  await pair.judge(0);
  expect([(await pair.a.status())?.term, (await pair.b.status())?.term]).toEqual(terms);
  // A snapshot may be 200 ms old.
  await until(`${visible.join(", ")} are counted`, async () => {
    const after = await Promise.all([dropped(pair.a), dropped(pair.b)]);
    return visible.every((reason) => after.some((counts, i) => (counts[reason] ?? 0) > (before[i]?.[reason] ?? 0)));
  });
  console.log(`  heart: ${shares.map((share) => `${Math.round(share * 100)} %`).join(", ")} of a processor`);
  for (const share of shares) expect(share).toBeLessThan(PROCESSOR_SHARE_MAX);
}

async function attack(place: Place, words: string[]): Promise<{ sent: number }> {
  const said = JSON.parse(await pair.lab.instrument(place, words).line()) as { sent: number };
  expect(said.sent).toBeGreaterThan(0);
  return said;
}

function flood(place: Place, nic: string, kind: string, mac = "-"): Promise<{ sent: number }> {
  return attack(place, ["flood", nic, kind, clusterId(), mac, LAN_ADDRESS, String(FLOOD_MS)]);
}

const NETWORKS = [
  { network: "the LAN", place: "client", nic: "eth0" },
  { network: "the WAN", place: "host", nic: "eth0" },
  { network: "the cluster network", place: "clu", nic: "br0" },
] as const;

describe("floods at line rate", () => {
  for (const { network, place, nic } of NETWORKS) {
    for (const [kind, visible] of [
      ["random", "foreign-cluster"],
      ["wrong-key", "forged"],
      ["runt", "truncated"],
    ] as const) {
      test(
        `${kind} heartbeats on ${network}`,
        () => withstand(async () => void (await flood(place, nic, kind)), [visible]),
        TEST_MS,
      );
    }
  }

  for (const victim of ["a", "b"] as const) {
    test(
      `forged heartbeats on the cluster network with the MAC of node ${victim}`,
      () => withstand(async () => void (await flood("clu", "br0", "stolen", pair.lab.mac(victim, "clu0"))), ["forged"]),
      TEST_MS,
    );
  }
});

describe("false owners", () => {
  test(
    "a flood of ARP replies for the shared address of the LAN",
    () =>
      withstand(async () => {
        await flood("client", "eth0", "arp");
        expect(await pair.a.untilAlarm("address-conflict")).toContain(LAN_ADDRESS);
      }, []),
    TEST_MS,
  );

  for (const victim of ["a", "b"] as const) {
    test(
      `ARP replies on the LAN with the MAC of node ${victim}`,
      () => withstand(async () => void (await flood("client", "eth0", "arp-stolen", pair.lab.mac(victim, "lan0"))), []),
      TEST_MS,
    );
  }
});

describe("recordings", () => {
  for (const place of ["lan", "wan", "clu"] as const) {
    test(
      `what both nodes said on the ${place} switch, as it was, spoilt, cut and reflected`,
      () =>
        withstand(
          async () => void (await attack(place, ["replay", "br0", "br0"])),
          ["replayed", "forged", "truncated"],
        ),
      TEST_MS,
    );
  }
});
