/**
 * Understudy on a plain Debian with systemd, installed by the very commands of the README ("Add Understudy to your own
 * image"), with the units as they are: what systemd makes of them, and how services follow the role.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ProbeReport } from "../lab/instrument.ts";
import { sh, until } from "../lab/shell.ts";
import { inside, insideForGood } from "./agent.ts";
import { HERE, makeDebian } from "./debian.ts";
import { ANSWER_MS_MAX, BOOT_MS_MAX, type VmNode } from "./node.ts";
import { World } from "./world.ts";

const ROOT = join(import.meta.dir, "../..");
/** Above every limit of a step, so that the step says what was missing. */
const TEST_MS = 900_000;
const PORT = "7";
const HOST = "10.2.0.20";
const HOOKS = "etc/understudy/hooks";
const WATCHDOG = "/sys/class/watchdog/watchdog0/state";
const SAID = "/var/log/hooks";
const SETTINGS = {
  server: { name: "gateway-1" },
  interfaces: [
    { nic: "eth0", role: "internal", addresses: ["10.1.0.1/24"] },
    { nic: "eth1", role: "external", addresses: ["10.2.0.1/24"] },
  ],
};
const PROXY = "[Service]\nType=exec\nExecStart=/bin/sleep infinity\n";

let world: World;
let node: VmNode;

/** What the README shows between two lines of three backquotes, known by how it begins. */
function readme(begins: string): string {
  const text = readFileSync(join(ROOT, "README.md"), "utf8");
  const found = [...text.matchAll(/^```\w*\n([\s\S]*?)^```$/gm)].find(([, block]) => block?.startsWith(begins));
  if (found?.[1] === undefined) throw new Error(`The README shows nothing that begins with ${begins}`);
  return found[1];
}

function install(root: string): void {
  sh(["env", `ROOT=${root}`, "sh", "-ec", `cd '${ROOT}'\n${readme("install -D dist/understudy")}`]);
  writeFileSync(join(root, HOOKS, "10-say"), `#!/bin/sh\necho "$1 $UNDERSTUDY_ROLE" >> ${SAID}\n`, { mode: 0o755 });
  writeFileSync(join(root, HOOKS, "50-proxy"), readme("#!/bin/sh\n# /etc/understudy/hooks/50-proxy"), { mode: 0o755 });
  writeFileSync(join(root, "etc/systemd/system/proxy.service"), PROXY);
}

beforeAll(async () => {
  world = new World("debian");
  for (const network of ["lan", "wan"]) world.addNetwork(network);
  world.addHost({ name: "client", network: "lan", addresses: ["10.1.0.10/24"], gateways: ["10.1.0.1"] });
  world.addHost({ name: "host", network: "wan", addresses: [`${HOST}/24`], gateways: [] });
  const { disk, boot } = makeDebian(world.directory, install);
  node = world.addNode("d", { lan0: "lan", wan0: "wan" }, { image: disk, boot, memory_mb: 512, agent: true });
  await node.start();
  await node.vm.agent.expect(HERE, BOOT_MS_MAX);
}, TEST_MS);

afterAll(() => world?.remove());

const bootTest = (name: string, work: () => Promise<void>) => test(name, work, TEST_MS);

const there = (line: string, limit_ms?: number): Promise<string> => inside(node.vm, line, limit_ms);
const property = (name: string): Promise<string> => there(`systemctl show -P ${name} understudy`);
const said = async (): Promise<string[]> => (await there(`cat ${SAID}`)).split(/\r?\n/);
/** Polled there: questions by way of the serial line would take the emulated processor from what is waited for. */
const untilThere = (holds: string, limit_ms = ANSWER_MS_MAX): Promise<string> =>
  there(`until ${holds}; do sleep 1; done`, limit_ms);
/** Its control process may answer before its heart has begun. */
const untilStandalone = (): Promise<string> => untilThere(`understudy status --json | grep -q '"role": "standalone"'`);
const macs = (): Promise<string> => there("cat /sys/class/net/eth0/address /sys/class/net/eth1/address");

/** Systemd has started everything, and nothing has failed. */
async function untilStarted(): Promise<void> {
  expect(await there("systemctl is-system-running --wait; systemctl --failed --plain --no-legend", BOOT_MS_MAX)).toBe(
    "running",
  );
  expect(await there("journalctl -b | grep -i 'ordering cycle'; true")).toBe("");
  expect(await property("ActiveState")).toBe("active");
}

async function untilRestarted(times: number): Promise<void> {
  await untilThere(`[ "$(systemctl show -P NRestarts understudy)" = ${times} ] && systemctl -q is-active understudy`);
}

async function untilTrafficFlows(): Promise<void> {
  const client = world.instrument("client", ["every", "20", "probe", HOST, PORT]);
  const flows = async () => (await client.report<ProbeReport>()).answered > 0;
  await until("traffic flows from LAN to WAN", flows, ANSWER_MS_MAX);
  client.end();
}

bootTest("systemd starts it, and hears that it is ready", async () => {
  await untilStarted();
  expect(await property("Type")).toBe("notify");
  await untilStandalone();
});

bootTest("the cards have their names by their MAC addresses", async () => {
  expect((await macs()).split(/\s+/)).toEqual([node.mac("lan0"), node.mac("wan0")]);
  for (const cable of ["lan0", "wan0"]) expect(await there("understudy cards")).toContain(node.mac(cable));
});

bootTest("settings are imported: traffic flows through the gateway", async () => {
  world.instrument("host", ["echo", PORT]);
  await there(`echo '${JSON.stringify(SETTINGS)}' | understudy settings import -`);
  await untilTrafficFlows();
});

bootTest("hooks are told the role and the settings, and the README's own one does what it says", async () => {
  const all = ["started", "became-standalone", "settings-changed"].map((event) => `${event} standalone`);
  await untilThere(`grep -q settings-changed ${SAID}`);
  expect((await said()).map((line) => line.replace("started starting", "started standalone"))).toEqual(all);
  await untilThere("grep -q gateway-1 /run/proxy-name");
});

bootTest("its control process killed: systemd starts it again, and a hook stops the proxy", async () => {
  await there("systemctl start proxy");
  await there("kill -KILL $(systemctl show -P MainPID understudy)");
  await untilRestarted(1);
  await untilStandalone();
  await untilTrafficFlows();
  await untilThere('[ "$(systemctl is-active proxy)" = inactive ]');
});

bootTest("its control process stopped: systemd hears nothing any more and starts it again", async () => {
  await there("kill -STOP $(systemctl show -P MainPID understudy)");
  await untilRestarted(2);
  await untilTrafficFlows();
});

bootTest("stopped, it ends cleanly and the watchdog is disarmed", async () => {
  // As the unit's own comment says. Not before: an emulated processor may need longer for a start than its patience.
  await there("sed -i 's|^ExecStart=.*|& --watchdog /dev/watchdog0|' /etc/systemd/system/understudy.service");
  await there("systemctl daemon-reload; systemctl restart understudy");
  await untilThere(`grep -qx active ${WATCHDOG}`);
  await there("systemctl stop understudy");
  expect(await property("ActiveState")).toBe("inactive");
  expect(await property("Result")).toBe("success");
  expect((await said()).at(-1)).toBe("stopping standalone");
  expect(await there(`cat ${WATCHDOG}`)).toBe("inactive");
  await there("systemctl start understudy");
  await untilStandalone();
});

bootTest("it starts the machine again by way of systemd; cards that exchanged their names have them then", async () => {
  await there(`understudy cards assign eth0 ${node.mac("wan0")}`);
  const resets = node.vm.resets;
  node.vm.console.forget();
  insideForGood(node.vm, "understudy reboot");
  await node.expectConsole("reboot.target", ANSWER_MS_MAX);
  await until("it starts again", () => node.vm.resets > resets, BOOT_MS_MAX);
  await node.vm.agent.expect(HERE, BOOT_MS_MAX);
  await untilStarted();
  expect(node.vm.barks).toBe(0);
  expect(await there("dmesg | grep -i 'recovery complete'; true")).toBe("");
  expect((await macs()).split(/\s+/)).toEqual([node.mac("wan0"), node.mac("lan0")]);
  expect(await there("understudy settings get server.name")).toContain("gateway-1");
});
