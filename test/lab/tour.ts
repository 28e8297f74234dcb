/**
 * `npm start`: a live pair in network namespaces, with traffic through it. With a terminal it draws
 * what happens and takes keys; without one it runs the whole tour once and prints the outages.
 */
import { leadInto, openDoorway, passOn } from "./doorway.ts";
import { Pair } from "./pair.ts";
import { ensurePrerequisites } from "./prerequisites.ts";
import { drawScreen, type Screen } from "./screen.ts";
import { until } from "./shell.ts";
import type { Cable, Side } from "./topology.ts";
import { enterWorld } from "./world.ts";

/** A mended link counts as healthy, and the cluster network as trusted, after two seconds. */
const SETTLE_MS = 2500;
const REDRAW_MS = 250;

const other = (side: Side): Side => (side === "a" ? "b" : "a");

interface Stage {
  name: string;
  /** Breaks something on the active node `from`, and mends it. */
  run(pair: Pair, from: Side): Promise<void>;
}

const STAGES: Stage[] = [
  {
    name: "planned switch",
    async run(pair, from) {
      pair.node(from).command(["cluster", "switch"]);
    },
  },
  {
    name: "freeze and thaw",
    async run(pair, from) {
      pair.node(from).freeze();
      await pair.node(other(from)).untilRole("active");
      await pair.untilTraffic();
      pair.node(from).thaw();
    },
  },
  {
    name: "kill -9 of every process",
    async run(pair, from) {
      pair.node(from).kill();
      await pair.node(other(from)).untilRole("active");
      await pair.node(from).start();
    },
  },
  { name: "cluster cable pulled", run: (pair, from) => pull(pair, from, "clu0") },
  { name: "LAN cable pulled", run: (pair, from) => pull(pair, from, "lan0") },
  { name: "WAN cable pulled", run: (pair, from) => pull(pair, from, "wan0") },
  {
    name: "clean stop",
    async run(pair, from) {
      await pair.node(from).stop();
      await pair.node(from).start();
    },
  },
];

async function pull(pair: Pair, from: Side, cable: Cable): Promise<void> {
  pair.lab.cable(from, cable, false);
  await pair.node(other(from)).untilRole("active");
  await pair.untilTraffic();
  pair.lab.cable(from, cable, true);
}

async function runTour(pair: Pair): Promise<void> {
  let active: Side = "a";
  console.log("\n  what happens to the active node   client's outage");
  for (const { name, run } of STAGES) {
    await pair.untilSteady(active);
    await Bun.sleep(SETTLE_MS);
    pair.mark();
    await Bun.sleep(100);
    await run(pair, active);
    active = other(active);
    await pair.untilSteady(active);
    await pair.judge(1);
    console.log(`  ${name.padEnd(32)} ${(await pair.outage_ms()).toFixed(1).padStart(8)} ms`);
  }
  console.log(
    "\nNo address had two owners at any time: one observer on the LAN and one on the WAN asked every millisecond.",
  );
}

/** The keys of the live lab; each does something to the node or cable that the legend names. */
async function runLive(pair: Pair, url: string | null): Promise<void> {
  const screen: Screen = {
    url,
    frozen: new Set(),
    dead: new Set(),
    cut: new Set(),
    last: "Traffic is running. Press a key.",
    busy: false,
  };
  const cables = (["a", "b"] as const).flatMap((side) =>
    (["lan0", "wan0", "clu0"] as const).map((cable) => ({ side, cable })),
  );
  let quit = false;

  const activeSide = async (): Promise<Side> => ((await pair.b.role()) === "active" ? "b" : "a");
  const measured = async (what: string, work: () => Promise<void> | void): Promise<void> => {
    pair.mark();
    await work();
    await Bun.sleep(700);
    screen.last = `${what}: the client's longest gap was ${(await pair.outage_ms()).toFixed(1)} ms.`;
  };
  const press = async (key: string): Promise<void> => {
    const active = await activeSide();
    if (key === "s") {
      await measured("Switch on command", () => {
        pair.node(active).command(["cluster", "switch"]);
      });
    } else if (key === "f") {
      const frozen = [...screen.frozen][0];
      if (frozen !== undefined) {
        screen.frozen.delete(frozen);
        await measured(`Thaw of node ${frozen}`, () => pair.node(frozen).thaw());
      } else {
        screen.frozen.add(active);
        await measured(`Freeze of node ${active}`, () => pair.node(active).freeze());
      }
    } else if (key === "F") {
      const backup = other(active);
      const thaw = screen.frozen.delete(backup);
      if (!thaw) screen.frozen.add(backup);
      await measured(`${thaw ? "Thaw" : "Freeze"} of node ${backup}`, () =>
        thaw ? pair.node(backup).thaw() : pair.node(backup).freeze(),
      );
    } else if (key === "k") {
      const dead = [...screen.dead][0];
      if (dead !== undefined) {
        screen.dead.delete(dead);
        await measured(`Return of node ${dead}`, () => pair.node(dead).start());
      } else {
        screen.dead.add(active);
        await measured(`kill -9 of node ${active}`, () => pair.node(active).kill());
      }
    } else {
      const chosen = cables[Number(key) - 1];
      if (chosen === undefined) return;
      const name = `${chosen.side} ${chosen.cable}`;
      const mend = screen.cut.delete(name);
      if (!mend) screen.cut.add(name);
      await measured(`${mend ? "Mending" : "Cutting"} ${name}`, () => pair.lab.cable(chosen.side, chosen.cable, mend));
    }
  };

  // However the program ends, the terminal gets its cursor back.
  process.once("exit", () => process.stdout.write("\x1b[?25h"));
  process.stdin.setRawMode(true);
  process.stdin.resume();
  process.stdin.on("data", (bytes: Buffer) => {
    // Leaving must not wait for a measurement.
    if (["q", "\u0003"].includes(bytes.toString())) quit = true;
    if (screen.busy || quit) return;
    screen.busy = true;
    press(bytes.toString())
      .catch((error: unknown) => {
        screen.last = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
      })
      .finally(() => {
        screen.busy = false;
      });
  });
  pair.mark();
  process.stdout.write("\x1b[2J\x1b[?25l");
  while (!quit) {
    process.stdout.write(await drawScreen(pair, screen));
    await Bun.sleep(REDRAW_MS);
  }
  process.stdout.write("\x1b[?25h\x1b[2J\x1b[H");
  process.stdin.setRawMode(false);
}

ensurePrerequisites();
const live = process.stdin.isTTY === true && process.stdout.isTTY === true && !process.argv.includes("--tour");
const doorway = live ? await openDoorway() : null;
passOn(doorway);
enterWorld();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(1));
console.log(
  "Bringing up two nodes, a client and a WAN host in network namespaces, and pairing the nodes by their code …",
);
const pair = await Pair.make({
  observed: !live,
  by_code: true,
  options: doorway === null ? [] : ["--web", "0.0.0.0:443"],
});
if (doorway !== null) leadInto(pair.lab, doorway);
let status = 0;
try {
  await until("the backup is ready", async () => (await pair.b.status())?.operational === true);
  await (live ? runLive(pair, doorway?.url ?? null) : runTour(pair));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  status = 1;
}
pair.lab.remove();
process.exit(status);
