/**
 * Half a pair for the crash test: the real database and the real connection, driven by lines of JSON, and killed by its
 * own hand at a step of its own writing. `bun process.ts` with one JSON object as its argument; see `ProcessOptions`.
 */
import { createInterface } from "node:readline";
import { Replication, type ReplicationOptions } from "../../src/control/replication.ts";
import { DEFAULT_TUNING } from "../../src/core/tuning.ts";
import { makeRevision } from "../../src/settings/chain.ts";
import { SettingsDatabase } from "../../src/settings/database.ts";

export interface ProcessOptions {
  directory: string;
  cluster: ReplicationOptions["cluster"];
  port: number;
  /** Each write has a step before and one after it; negative: lives on. */
  dies_at: number;
}

export type ToProcess = { role: "active" | "backup"; term: number; heard: boolean } | { change: string };
export type FromProcess =
  | { confirmed: string; on: "both" | "alone" }
  | { refused: string; message: string }
  | { state: string; revision: number };

if (import.meta.main) run(JSON.parse(process.argv[2] ?? "") as ProcessOptions);

function run({ directory, cluster, port, dies_at }: ProcessOptions): void {
  const say = (message: FromProcess): void => void process.stdout.write(`${JSON.stringify(message)}\n`);
  const database = new SettingsDatabase(directory);
  let left = dies_at;
  const step = (): void => {
    if (left-- === 0) process.kill(process.pid, "SIGKILL");
  };
  const deadly = <T extends unknown[]>(write: (...words: T) => void) => {
    return (...words: T): void => {
      step();
      write(...words);
      step();
    };
  };
  const chain = {
    head: () => database.head(),
    find: (id: string) => database.find(id),
    since: (id: string, limit: number) => database.since(id, limit),
    kept: () => database.kept(),
    append: deadly(database.append.bind(database)),
    replace: deadly(database.replace.bind(database)),
    reset: deadly(database.reset.bind(database)),
  };
  const replication = new Replication({
    cluster,
    chain,
    events: { add: (code, severity, message) => process.stderr.write(`${severity} ${code}: ${message}\n`) },
    moved: () => {},
    objection: () => null,
    timings: [DEFAULT_TUNING],
    saveTimings: () => {},
    reconfigure: () => {},
    maintain: () => {},
    endedSessions: () => [],
    takeEndedSessions: () => {},
    uptime_s: () => process.uptime(),
    update: { connected: () => {}, disconnected: () => {}, message: () => {} },
    hosts: { own: "::1", peer: "::1", port },
  });
  replication.start();
  let snapshot = { role: "backup", term: 1, heard: false };
  setInterval(() => {
    const { role, term, heard } = snapshot;
    replication.takeSnapshot({ role, term, peer: { heard } } as Parameters<typeof replication.takeSnapshot>[0]);
    const { state, revision } = replication.sync();
    say({ state, revision });
  }, 50);
  createInterface({ input: process.stdin })
    .on("line", (line) => {
      const order = JSON.parse(line) as ToProcess;
      if ("role" in order) {
        snapshot = order;
        return;
      }
      const at = new Date().toISOString();
      const revision = makeRevision(database.head(), {
        at,
        author: "test",
        term: snapshot.term,
        content: order.change,
      });
      replication.confirm({ revision, alone: false }).then(
        (on) => say({ confirmed: revision.id, on }),
        ({ code, message }) => say({ refused: code, message }),
      );
    })
    .on("close", () => process.exit(0));
}
