/** `npm run bench web`: how much the web interface serves, and that a heartbeat does not notice it. */
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { GapsReport, ProbeReport } from "../lab/instrument.ts";
import { Pair, SETTINGS } from "../lab/pair.ts";
import { BROWSER, ensurePrerequisites } from "../lab/prerequisites.ts";
import { until } from "../lab/shell.ts";
import { LAN_ADDRESS } from "../lab/topology.ts";
import { median, positiveNumber } from "./statistics.ts";
import { firstPages } from "./web-first-page.ts";

const PASSWORD = "four boats in the fog";
const ORIGIN = `https://${LAN_ADDRESS}`;
const SCRIPT_BYTES_MAX = 150_000;

interface Load {
  /** Null where this build has no page. */
  script_bytes: number | null;
  requests: number;
  refused: number;
  per_s: number;
  p50_ms: number;
  p99_ms: number;
}

export async function web(words: string[]): Promise<void> {
  const { values } = parseArgs({
    args: words,
    options: {
      seconds: { type: "string", default: "5" },
      connections: { type: "string", default: "16" },
      rounds: { type: "string", default: "8" },
    },
  });
  ensurePrerequisites(BROWSER);
  const seconds = positiveNumber(values.seconds, "--seconds");
  const connections = positiveNumber(values.connections, "--connections");
  const rounds = positiveNumber(values.rounds, "--rounds");
  const administrators = [{ name: "admin", password_hash: await Bun.password.hash(PASSWORD, "argon2id") }];
  const pair = await Pair.make({
    observed: false,
    settings: { ...SETTINGS, administrators },
    options: ["--web", "0.0.0.0:443"],
  });
  try {
    await serves(pair);
    const gaps = pair.lab.instrument("clu", ["gaps", "p-a"]);
    const window = async (what: string, work: () => Promise<unknown>): Promise<number> => {
      gaps.mark();
      pair.probe.mark();
      await work();
      const { beats, gap_ms, mean_ms } = await gaps.report<GapsReport>();
      const probe = await pair.probe.report<ProbeReport>();
      console.log(
        `${what.padEnd(10)} ${beats} heartbeats, ${mean_ms.toFixed(2)} ms apart, at worst ${gap_ms.toFixed(2)} ms; client's longest gap ${probe.gap_ms.toFixed(1)} ms`,
      );
      return gap_ms;
    };
    const worst_ms: Record<"idle" | "hammered", number[]> = { idle: [], hammered: [] };
    const per_s: number[] = [];
    let load: Load | null = null;
    // In turn, so that what else the machine does falls on both.
    for (let round = 0; round < rounds; round += 1) {
      worst_ms.idle.push(await window("idle", () => Bun.sleep(seconds * 1000)));
      const hammered = window("hammered", async () => {
        load = await hammer(pair, seconds, connections);
        per_s.push(load.per_s);
      });
      worst_ms.hammered.push(await hammered);
    }
    const { idle, hammered } = worst_ms;
    console.log(
      `\nheartbeats worst gap of a window, median of ${rounds}: idle ${median(idle).toFixed(2)} ms, hammered ${median(hammered).toFixed(2)} ms; of all: idle ${Math.max(...idle).toFixed(2)} ms, hammered ${Math.max(...hammered).toFixed(2)} ms`,
    );
    console.log(`status     ${median(per_s).toFixed(0)} requests/s, median of ${rounds}`);
    if (load !== null) tell(load, connections);
    const pages_ms = await firstPages(pair, ORIGIN, rounds);
    console.log(
      `first page ${median(pages_ms).toFixed(0)} ms until it can be used, cold cache, median of ${rounds}; at worst ${Math.max(...pages_ms).toFixed(0)} ms`,
    );
    console.log(`roles      ${await pair.a.role()} and ${await pair.b.role()}, as at the beginning: active and backup`);
  } finally {
    pair.lab.remove();
  }
}

function tell({ script_bytes, requests, refused, per_s, p50_ms, p99_ms }: Load, connections: number): void {
  console.log(
    `last round ${per_s.toFixed(0)} requests/s over ${connections} connections with TLS (${requests} in all, ${refused} refused), half within ${p50_ms.toFixed(1)} ms, 99 % within ${p99_ms.toFixed(1)} ms`,
  );
  if (script_bytes === null) return console.log("script     none: this build has no page");
  console.log(
    `script     ${(script_bytes / 1000).toFixed(1)} kB compressed; at most ${SCRIPT_BYTES_MAX / 1000} kB: ${script_bytes <= SCRIPT_BYTES_MAX ? "yes" : "NO"}`,
  );
}

async function serves(pair: Pair): Promise<void> {
  const words = ["curl", "-sk", "-o", "/dev/null", "-m", "2", `${ORIGIN}/api/v1/public`];
  await until(
    "the web interface answers",
    () => Bun.spawnSync(pair.lab.inside("client", words)).exitCode === 0,
    45_000,
  );
}

async function hammer(pair: Pair, seconds: number, connections: number): Promise<Load> {
  const script = join(import.meta.dir, "web-load.ts");
  const words = [process.execPath, script, ORIGIN, PASSWORD, String(seconds), String(connections)];
  const child = Bun.spawn(pair.lab.inside("client", words), { stdout: "pipe", stderr: "inherit" });
  const text = await new Response(child.stdout).text();
  if ((await child.exited) !== 0) throw new Error("The load tool failed.");
  return JSON.parse(text) as Load;
}
