/**
 * `npm run bench settings`: what it costs that a change is on two disks before it counts, and how fast a backup catches
 * up. The limit is a plain commit of SQLite on the same disk in the same run; the heartbeat and the client are watched.
 */
import { Database } from "bun:sqlite";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Status } from "../../src/control/node.ts";
import { Pair, SETTINGS } from "../lab/pair.ts";
import { until } from "../lab/shell.ts";
import { median } from "./statistics.ts";

const WAIT_MS = 600_000;
const ATTEMPTS_MAX = 200;

export async function settings(words: string[]): Promise<void> {
  const { values } = parseArgs({
    args: words,
    options: { changes: { type: "string", default: "200" }, behind: { type: "string", default: "10000" } },
  });
  const pair = await Pair.make({ observed: false, settings: { ...SETTINGS, cluster: { on_link_loss: "stay" } } });
  try {
    await pair.untilSettled();
    await confirm(pair, Number(values.changes));
    await catchUp(pair, Number(values.behind));
  } finally {
    pair.remove();
  }
}

/** In turn with the limit, so that what else the machine does falls on both. */
async function confirm(pair: Pair, changes: number): Promise<void> {
  const limit = new Limit(join(pair.lab.directory, "limit.db"));
  const confirmed_ms: number[] = [];
  const limit_ms: number[] = [];
  pair.mark();
  for (let i = 0; i < changes; i++) {
    confirmed_ms.push(await timed(() => change(pair, i)));
    limit_ms.push(await timed(async () => limit.commit(JSON.stringify(SETTINGS))));
  }
  const [ours, theirs] = [median(confirmed_ms), median(limit_ms)];
  console.log(
    `confirm   ${ours.toFixed(1)} ms median, ${percentile(confirmed_ms, 0.99).toFixed(1)} ms p99, ${Math.max(...confirmed_ms).toFixed(1)} ms worst of ${changes}, backup present`,
  );
  console.log(
    `limit     ${theirs.toFixed(1)} ms median, ${percentile(limit_ms, 0.99).toFixed(1)} ms p99 for a plain SQLite commit; ratio ${(ours / theirs).toFixed(1)}, with two commits one after the other a part of it`,
  );
  await tellWatched(pair, "meanwhile");
}

async function catchUp(pair: Pair, behind: number): Promise<void> {
  pair.b.kill();
  await until("the backup is away", async () => (await pair.a.status())?.peer?.heard === false);
  const alone_ms = await timed(async () => {
    for (let i = 0; i < behind; i++) await change(pair, i);
  });
  const revision = (await pair.a.status())?.settings_revision ?? 0;
  pair.mark();
  const began_ms = performance.now();
  await pair.b.start();
  let status: Status | null = null;
  await until(
    "the backup has caught up",
    async () => {
      status = await pair.b.status();
      return status?.settings_revision === revision;
    },
    WAIT_MS,
  );
  const took_ms = performance.now() - began_ms;
  console.log(`alone     ${(alone_ms / behind).toFixed(2)} ms a change, ${behind} of them while the backup was away`);
  console.log(
    `catch up  ${behind} changes in ${took_ms.toFixed(0)} ms from the start of the backup's process, and that included (${(behind / (took_ms / 1000)).toFixed(0)} a second)`,
  );
  await tellWatched(pair, "meanwhile");
}

async function tellWatched(pair: Pair, when: string): Promise<void> {
  const gap_ms = await pair.outage_ms();
  const status = await pair.a.status();
  console.log(
    `${when.padEnd(9)} the client's longest gap was ${gap_ms.toFixed(1)} ms; node a is ${status?.role} in term ${status?.term}`,
  );
}

async function change(pair: Pair, number: number): Promise<void> {
  const body = JSON.stringify({ set: { "dns.servers": [`192.0.2.${(number % 250) + 1}`] } });
  for (let attempt = 1; ; attempt++) {
    const where = { unix: join(pair.a.run, "control.sock"), method: "PATCH", body };
    const response = await fetch("http://node/settings", where as RequestInit);
    if (response.ok) return;
    const { code, message } = (await response.json()) as { code: string; message: string };
    // On a loaded machine a node takes itself for frozen at times, and goes on when it hears that it may.
    if (code !== "not-active" || attempt > ATTEMPTS_MAX) throw new Error(message);
    await Bun.sleep(20);
  }
}

function percentile(values: number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began_ms = performance.now();
  await work();
  return performance.now() - began_ms;
}

/** One row a commit, as durable as the settings are. */
class Limit {
  readonly #db: Database;

  constructor(path: string) {
    this.#db = new Database(path);
    this.#db.run("PRAGMA journal_mode = WAL");
    this.#db.run("PRAGMA synchronous = FULL");
    this.#db.run("CREATE TABLE revision (number INTEGER PRIMARY KEY, content TEXT)");
  }

  commit(content: string): void {
    this.#db.run("INSERT INTO revision (content) VALUES (?)", [content]);
  }
}
