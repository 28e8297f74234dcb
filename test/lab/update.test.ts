/**
 * S21: a pair of an earlier build goes to this one, with traffic running. The slots are directories, and what an image would be
 * is another executable; everything else is real: the bundle, its way to the peer, the trials, both switches.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeBundle } from "../update/bundle.ts";
import { fakeImage } from "../update/image.ts";
import { startSystem } from "../update/loader.ts";
import type { LabNode } from "./node.ts";
import { EXECUTABLE } from "./node.ts";
import { OTHER_BUILD, otherBuild } from "./other-build.ts";
import { formCluster, Pair, SETTINGS } from "./pair.ts";
import { sh, until } from "./shell.ts";

/** Two trials of half a minute each, on a busy machine. */
const UPDATE_MS_MAX = 240_000;
const TEST_MS = 300_000;

let pair: Pair;
let build = 0;

const bootOf = (node: LabNode) => join(pair.lab.directory, node.side, "boot");
const rebootOf = (node: LabNode) => join(pair.lab.directory, node.side, "reboot");

/** What the firmware does: chooses a slot, and starts what is in it. */
async function startMachine(node: LabNode, earlier: string): Promise<void> {
  const started = startSystem(join(bootOf(node), "EFI/Linux"));
  node.executable = started === build ? EXECUTABLE : earlier;
  await node.start();
}

beforeAll(async () => {
  build = (JSON.parse(sh([EXECUTABLE, "--version", "--json"])) as { build: number }).build;
  pair = await Pair.make({ unpaired: true });
  const earlier = otherBuild(pair.lab.directory);
  for (const node of [pair.a, pair.b]) {
    const slots = join(bootOf(node), "EFI/Linux");
    mkdirSync(slots, { recursive: true });
    writeFileSync(join(slots, "understudy-a.efi"), fakeImage(OTHER_BUILD));
    node.options = ["--boot", bootOf(node), "--reboot-command", `touch ${rebootOf(node)}`];
    await startMachine(node, earlier);
    followReboots(node, earlier);
  }
  await formCluster(pair.a, pair.b, SETTINGS);
  await pair.untilSteady("a");
}, TEST_MS);

const followers: Timer[] = [];
function followReboots(node: LabNode, earlier: string): void {
  followers.push(
    setInterval(() => {
      if (!existsSync(rebootOf(node))) return;
      rmSync(rebootOf(node));
      void startMachine(node, earlier);
    }, 100),
  );
}

afterAll(() => {
  for (const follower of followers) clearInterval(follower);
  pair?.remove();
});

test(
  "one command brings both nodes to the new version, one switch each, and nobody else ever owns an address",
  async () => {
    const bundle = join(pair.lab.directory, "update");
    writeFileSync(bundle, makeBundle(fakeImage(build)));
    await pair.untilSettled();
    await until("the nodes know of each other's updates", async () => (await pair.a.status())?.update.peer !== null);
    pair.a.command(["update", "check", bundle]);
    pair.mark();
    pair.a.command(["update", "start", bundle]);
    await until(
      "versions differ",
      async () => {
        const status = await pair.b.status();
        return status?.role === "active" && status.operational === false && /version/i.test(status.reason ?? "");
      },
      UPDATE_MS_MAX,
    );
    expect(() => pair.b.command(["settings", "set", "web.outside=true"])).toThrow(/different versions/);
    await until(
      "both have been updated",
      async () => {
        const all = await Promise.all([pair.a.status(), pair.b.status()]);
        return all.every((status) => status?.build === build && status.update.plan?.state === "done");
      },
      UPDATE_MS_MAX,
    );
    await pair.untilSteady("a");
    const gap_ms = await pair.outage_ms();
    await pair.judge(2);
    const { update } = (await pair.a.status()) ?? {};
    // On a busy machine a node may have to take over once more, on evidence.
    const planned = update?.switches.filter(({ cause }) => cause === "agreed" || cause === "handed-over");
    expect([planned?.at(0)?.node, planned?.at(-1)?.node]).toEqual(["peer", "this"]);
    console.log(`client's longest gap through the whole update: ${gap_ms} ms`);
    const codes = (await pair.b.events()).map(({ code }) => code);
    expect(codes.filter((code) => code === "update-done")).toHaveLength(1);
  },
  TEST_MS,
);
