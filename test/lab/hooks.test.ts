/** What the maker of an appliance builds on: hooks and the event stream of a live pair, and a switch that waits for neither. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Talk } from "./node.ts";
import { Pair } from "./pair.ts";
import { until } from "./shell.ts";
import type { Side } from "./topology.ts";

const TEST_MS = 120_000;
/** Each node's own, beside its run directory; a node that becomes active has a slow one. */
const HOOK = `#!/bin/sh
understudy="$UNDERSTUDY_RUN"
echo "$1 $UNDERSTUDY_ROLE $UNDERSTUDY_TERM" >> "\${understudy%/run}/hooks.log"
if [ "$1" = became-active ]; then sleep 3; fi
`;

const hooks = mkdtempSync(join(tmpdir(), "understudy-lab-hooks-"));
let pair: Pair;
let follower: Talk;

beforeAll(async () => {
  writeFileSync(join(hooks, "10-log"), HOOK, { mode: 0o755 });
  pair = await Pair.make({ options: ["--hooks", hooks] });
  follower = pair.node("b").talk(["events", "--follow", "--json"]);
}, TEST_MS);

afterAll(() => {
  pair?.remove();
  rmSync(hooks, { recursive: true, force: true });
});

function told(side: Side): string[] {
  const path = join(dirname(pair.node(side).run), "hooks.log");
  return existsSync(path) ? readFileSync(path, "utf8").trim().split("\n") : [];
}
interface Said {
  type: string;
  role?: string;
  code?: string;
}
const said = (): Said[] =>
  follower
    .said()
    .split("\n")
    .flatMap((line) => (line.endsWith("}") ? [JSON.parse(line) as Said] : []));

test(
  "a start is told, and then the role",
  async () => {
    await until("the stream says the role", () =>
      said().some(({ type, role }) => type === "status" && role === "backup"),
    );
    await until("a is told", () => told("a").some((line) => line.startsWith("became-active active")));
    await until("b is told", () => told("b").some((line) => line.startsWith("became-backup backup")));
    for (const side of ["a", "b"] as const) expect(told(side)[0]).toStartWith("started ");
    expect(told("a")[1]).toStartWith("became-standalone ");
  },
  TEST_MS,
);

test(
  "a change of the settings is told on both nodes, and the hook can read them",
  async () => {
    const count = (side: Side) => told(side).filter((line) => line.startsWith("settings-changed")).length;
    const before = { a: count("a"), b: count("b") };
    pair.node("a").command(["settings", "set", "time.zone=Europe/Berlin", "dns.servers=10.2.0.53"]);
    await until("a is told", () => count("a") > before.a);
    await until("b is told", () => count("b") > before.b);
    expect(JSON.parse(pair.node("b").command(["settings", "get", "--json"]))).toMatchObject({
      server: { name: "node-b" },
      time: { zone: "Europe/Berlin", servers: [] },
      dns: { servers: ["10.2.0.53"] },
    });
  },
  TEST_MS,
);

test(
  "a switch waits for no hook, and both nodes and the stream tell of it",
  async () => {
    pair.node("a").command(["cluster", "switch"]);
    await pair.untilSteady("b");
    // It looks at the status at its own pace: a role that lasts for a moment is not seen.
    await until("the stream tells of it", () =>
      said().some(({ type, role }) => type === "status" && role === "active"),
    );
    pair.node("b").command(["cluster", "switch"]);
    await pair.untilSteady("a");
    await until("a is told", () => told("a").filter((line) => line.startsWith("became-active")).length > 1);
    await until("b ends as the backup", () => told("b").at(-1)?.startsWith("became-backup") === true);
    expect(told("a").some((line) => line.startsWith("became-backup backup"))).toBe(true);
    expect(said().some(({ type, code }) => type === "event" && code === "became-active")).toBe(true);
  },
  TEST_MS,
);

test(
  "a node that ends tells it last, and ends the stream",
  async () => {
    await pair.node("b").stop();
    expect(told("b").at(-1)).toStartWith("stopping ");
    const { status, said: text } = await follower.ended;
    expect(status).toBe(1);
    expect(text).toContain("has ended");
  },
  TEST_MS,
);
