/** `npm run bench false-switch`: does load alone ever move the active role? */
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { ProbeReport } from "../lab/instrument.ts";
import { Pair } from "../lab/pair.ts";
import { until } from "../lab/shell.ts";
import { positiveNumber } from "./statistics.ts";

const BUSY_LOOPS = 8;
const FSYNC_INTERVAL_MS = 20;
const REQUEST_INTERVAL_MS = 200;

/** Role and term of both nodes as text; throws where one does not answer. */
async function roles(pair: Pair): Promise<string> {
  const all = [];
  for (const node of [pair.a, pair.b]) {
    await until("the node answers", async () => (await node.status()) !== null);
    const status = await node.status();
    all.push(`${node.side} ${status?.role} term ${status?.term}`);
  }
  return all.join(", ");
}

export async function falseSwitch(words: string[]): Promise<void> {
  const { values } = parseArgs({ args: words, options: { minutes: { type: "string", default: "10" } } });
  const minutes = positiveNumber(values.minutes, "--minutes");
  const pair = await Pair.make({ observed: false });
  const loops = Array.from({ length: BUSY_LOOPS }, () => Bun.spawn(["sh", "-c", "while :; do :; done"]));
  // However this ends, eight busy loops must not stay behind.
  process.once("exit", () => {
    for (const loop of loops) loop.kill("SIGKILL");
  });
  const path = join(pair.a.state, "bench");
  const fd = openSync(path, "w");
  try {
    await Bun.sleep(1000);
    const before = await roles(pair);
    pair.mark();
    const end_ms = performance.now() + minutes * 60_000;
    let requests = 0;
    let next_request_ms = 0;
    while (performance.now() < end_ms) {
      writeSync(fd, Buffer.alloc(64 * 1024), 0, 64 * 1024, 0);
      fsyncSync(fd);
      if (performance.now() >= next_request_ms) {
        next_request_ms = performance.now() + REQUEST_INTERVAL_MS;
        requests++;
        await fetch("http://node/settings", {
          method: "PUT",
          body: JSON.stringify({ filler: "x".repeat(1 << 20) }),
          unix: join(pair.a.run, "control.sock"),
        } as RequestInit);
      }
      await Bun.sleep(FSYNC_INTERVAL_MS);
    }
    const after = await roles(pair);
    const report = await pair.probe.report<ProbeReport>();
    const switches = before === after ? 0 : 1;
    console.log(
      `${minutes} min, ${BUSY_LOOPS} busy loops, fsync every ${FSYNC_INTERVAL_MS} ms, ${requests} requests of 1 MB: ${switches === 0 ? "no switch" : `SWITCHED: ${before} became ${after}`}; ${report.sent - report.answered} of ${report.sent} probes lost, longest gap ${report.gap_ms.toFixed(1)} ms`,
    );
    if (switches > 0) process.exitCode = 1;
  } finally {
    for (const loop of loops) loop.kill("SIGKILL");
    closeSync(fd);
    rmSync(path, { force: true });
    pair.lab.remove();
  }
}
