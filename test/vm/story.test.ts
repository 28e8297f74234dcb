/**
 * The whole story on two machines: from two blank disks to a cluster as two people make it, through everything that
 * can befall it, to its end (S5, S15 to S20). One after the other, because each boot costs.
 *
 * The guarantee is judged as in the lab: observers on both networks ask, every 5 ms here, who owns the shared address,
 * and watch who brings the client's traffic.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Status } from "../../src/control/node.ts";
import type { ProbeReport } from "../lab/instrument.ts";
import { until } from "../lab/shell.ts";
import { LAN_ADDRESS } from "../lab/topology.ts";
import { productImage } from "./image.ts";
import { ANSWER_MS_MAX, BOOT_MS_MAX } from "./node.ts";
import { CABLES, SETTLE_MS, type Side, TIMINGS, VmPair } from "./pair.ts";
import { lastDeeds } from "./thaw.ts";

/** Above every limit of a step, so that the step says what was missing. */
const TEST_MS = 900_000;
/** More of the same, that a quick run leaves out: `npm run test:vm -- --full`. */
const full = process.env["UNDERSTUDY_VM_FULL"] === "1";

let pair: VmPair;
const other = (side: Side): Side => (side === "a" ? "b" : "a");
const tell = (what: string, ms: number) => console.log(`  ${what}: ${ms.toFixed(0)} ms (software emulation)`);

beforeAll(async () => {
  pair = new VmPair("story", productImage());
  await Promise.all([pair.a.start(), pair.b.start()]);
}, TEST_MS);

afterAll(() => pair?.remove());

const bootTest = (name: string, work: () => Promise<void>) => test(name, work, TEST_MS);

bootTest("two blank disks boot to the menu, which asks whether this is the second node (S16)", async () => {
  for (const node of [pair.a, pair.b]) await node.expectConsole("This server was installed just now.", BOOT_MS_MAX);
});

bootTest("the backup joins at its console, the active node is set up at its console and in a browser", async () => {
  await pair.joinByConsole();
  await pair.configureByConsole();
  await pair.configureByBrowser();
});

bootTest("the active node creates the cluster; the backup reboots, and is its backup (S15, S18)", async () => {
  const resets = pair.b.vm.resets;
  await pair.createByBrowser();
  await until("node b reboots", () => pair.b.vm.resets > resets, BOOT_MS_MAX);
  await pair.untilSteady("a");
  await pair.b.untilPanel("BACKUP");
  await pair.b.expectConsole(/1\. Destroy cluster\s+2\. Reboot server\s+3\. Turn off server\s+4\. Exit/);
});

bootTest("a planned switch, and traffic flows through the other node", async () => {
  tell("planned switch, the client's outage", await pair.scenario("b", 1, () => pair.switchOver()));
});

bootTest("a machine that freezes loses the role, and lets go at its peer's first frame when it thaws", async () => {
  const frozen = pair.active;
  const takes_over = other(frozen);
  const outage_ms = await pair.scenario(takes_over, 1, () => pair.node(frozen).vm.freeze());
  tell("freeze, the client's outage", outage_ms);
  const { now_ms } = await pair.probe.report<ProbeReport>();
  await pair.node(frozen).vm.thaw();
  await pair.node(frozen).untilPanel("BACKUP");
  await pair.untilSteady(takes_over);
  const mac = pair.node(frozen).mac("lan0");
  const deeds = await lastDeeds(pair.observer, `ARP ${LAN_ADDRESS} is at ${mac}`, now_ms, pair.world.directory);
  tell(`thaw: ${deeds.count} answers, the last one after`, deeds.last_ms);
  expect(deeds.last_ms).toBeLessThan(TIMINGS.lease_ms);
  pair.mark();
  await Bun.sleep(SETTLE_MS);
  await pair.judge(0);
});

for (const cable of CABLES) {
  bootTest(`the active node's ${cable} is pulled: the other one takes over; put back, nothing moves`, async () => {
    const from = pair.active;
    tell(
      `${cable}, the client's outage`,
      await pair.scenario(other(from), 1, () => pair.node(from).vm.cable(cable, false)),
    );
    pair.mark();
    await pair.node(from).vm.cable(cable, true);
    await pair.untilSteady(other(from));
    await pair.judge(0);
  });
  if (!full) continue;
  bootTest(`the backup's ${cable} is pulled and put back, and nothing moves`, async () => {
    await pair.untilSteady(pair.active);
    pair.mark();
    await pair.node(pair.backup).vm.cable(cable, false);
    await until(
      "that is shown",
      async () => (await pair.status())?.operational === false || cable !== "clu0",
      BOOT_MS_MAX,
    );
    await pair.node(pair.backup).vm.cable(cable, true);
    await pair.untilSteady(pair.active);
    await pair.judge(0);
  });
}

bootTest(
  "power is cut at the active node during traffic and a change: what was confirmed is on both nodes",
  async () => {
    const from = pair.active;
    let confirmed = 0;
    let cutting: Promise<void> | null = null;
    const outage_ms = await pair.scenario(other(from), 1, async () => {
      for (let number = 1; number <= 1000 && cutting === null; number++) {
        if (number === 6) cutting = pair.node(from).vm.cut();
        const answer = await pair.browser.ask("PATCH", "/settings", {
          session: pair.session,
          body: { set: { "dns.servers": [`10.9.0.${number}`] } },
        });
        if (answer?.status !== 200) break;
        confirmed = number;
      }
      await cutting;
    });
    tell("power cut, the client's outage", outage_ms);
    expect(confirmed).toBeGreaterThanOrEqual(5);
    await untilServer(other(from));
    expect(await dnsServer()).toBeGreaterThanOrEqual(confirmed);
    const started_ms = performance.now();
    await pair.node(from).start();
    await pair.untilSteady(other(from));
    tell("from power-on to a backup that is ready", performance.now() - started_ms);
    await pair.scenario(from, 1, () => pair.switchOver());
    await untilServer(from);
    expect(await dnsServer()).toBeGreaterThanOrEqual(confirmed);
  },
);

bootTest(
  "reboot in the browser: the other node takes over first, and the machine comes back as the backup",
  async () => {
    const from = pair.active;
    const { vm } = pair.node(from);
    const { resets } = vm;
    await pair.scenario(other(from), 1, async () => {
      await pair.browser.ask("POST", "/system/reboot", { session: pair.session });
      await until("it reboots", () => vm.resets > resets, BOOT_MS_MAX);
    });
    await pair.untilSteady(other(from));
  },
);

bootTest("turned off at the active node's menu: the other one takes over first, and the machine is off", async () => {
  const from = pair.active;
  const node = pair.node(from);
  await node.choose("Turn off server");
  const outage_ms = await pair.scenario(other(from), 1, async () => {
    await node.talk(["The other node becomes active first.", "y"]);
    await node.vm.ended(ANSWER_MS_MAX);
  });
  tell("turned off, the client's outage", outage_ms);
  await node.start();
  await pair.untilSteady(other(from));
});

bootTest(
  "destroyed in the browser: this node keeps its settings, the other one is found freshly installed (S20)",
  async () => {
    const { active, backup } = pair;
    pair.mark();
    await pair.value("POST", "/cluster/destroy", { confirm: true });
    await pair.node(backup).expectConsole("This server was installed just now.", BOOT_MS_MAX);
    const status = (await pair.status()) as Status;
    expect(status).toMatchObject({ name: `node-${active}`, role: "standalone" });
    await pair.untilTraffic();
    await pair.judge(0);
  },
);

/** The last number of the name server that the changes set. */
async function dnsServer(): Promise<number> {
  const settings = await pair.value<{ dns: { servers: string[] } }>("GET", "/settings");
  return Number(settings.dns.servers[0]?.split(".").at(-1));
}

async function untilServer(side: Side): Promise<void> {
  await until(`node ${side} serves`, async () => (await pair.status())?.name === `node-${side}`, BOOT_MS_MAX);
}
