/**
 * One machine alone, the smallest and oldest that is promised: a processor of 2008 and 512 MB. What befalls its inside
 * (panic, a stopped heart, a full disk, a damaged one) is done by a shell that only this variant of the image has.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { until } from "../lab/shell.ts";
import { addAgent, inside, insideForGood } from "./agent.ts";
import { damage } from "./disk.ts";
import { productImage } from "./image.ts";
import { ANSWER_MS_MAX, BOOT_MS_MAX, type VmNode } from "./node.ts";
import { World } from "./world.ts";

/** Above every limit of a step, so that the step says what was missing. */
const TEST_MS = 900_000;
const DATA = "understudy-data";
/** The place of the first superblock of ext4, and more behind it. */
const SUPERBLOCK = { from_byte: 1024, bytes: 1024 };

let world: World;
let node: VmNode;

beforeAll(async () => {
  world = new World("machine");
  world.addNetwork("lan");
  const image = join(world.directory, "agent.img");
  addAgent(productImage(), image, world.directory);
  node = world.addNode("m", { lan0: "lan" }, { image, cpu: "Nehalem", memory_mb: 512, agent: true });
  await node.start();
}, TEST_MS);

afterAll(() => world?.remove());

const bootTest = (name: string, work: () => Promise<void>) => test(name, work, TEST_MS);

/** It starts again by itself, with the settings that it had. */
async function untilBack(resets: number): Promise<void> {
  await until("it starts again", () => node.vm.resets > resets, BOOT_MS_MAX);
  await node.expectConsole(/Addresses +10\.1\.0\.1\/24/, BOOT_MS_MAX);
}

bootTest("a processor without AVX and 512 MB of memory: the menu is there", async () => {
  await node.expectConsole("This server was installed just now.", BOOT_MS_MAX);
  expect(await inside(node.vm, "grep -c avx /proc/cpuinfo; true")).toBe("0");
});

bootTest("the data partition has grown to the disk's end", async () => {
  const [, kilobytes] = /(\d+) +\d+ +\d+ +\d+% \/data/.exec(await inside(node.vm, "df -k /data")) ?? [];
  expect(Number(kilobytes)).toBeGreaterThan(1_000_000);
});

bootTest("a full data partition: a change is refused in one sentence, and taken once there is room", async () => {
  await node.talk(["second node (backup) of a", "n"]);
  await inside(node.vm, "dd if=/dev/zero of=/data/filling bs=64k; sync; true", BOOT_MS_MAX);
  await configure("10.1.0.1/24");
  await node.expectConsole(/(no space|disk is full|full)/i);
  await inside(node.vm, "rm /data/filling; sync");
  await configure("10.1.0.1/24");
  await node.expectConsole("was configured");
});

bootTest("a panic of the kernel: it starts again by itself, with its settings", async () => {
  const resets = node.vm.resets;
  insideForGood(node.vm, "sync; echo c > /proc/sysrq-trigger");
  await untilBack(resets);
});

bootTest("a stopped heart: the hardware watchdog resets the machine", async () => {
  const { resets, barks } = node.vm;
  await inside(node.vm, "for heart in $(pgrep -f 'understudy heart'); do kill -STOP $heart; done");
  await untilBack(resets);
  expect(node.vm.barks).toBe(barks + 1);
});

bootTest("a damaged superblock: the file system is mended at the start, and the settings are there", async () => {
  await inside(node.vm, "sync");
  await node.vm.cut();
  damage(node.vm.disk, DATA, SUPERBLOCK.from_byte, SUPERBLOCK.bytes);
  await node.start();
  await node.expectConsole(/Addresses +10\.1\.0\.1\/24/, BOOT_MS_MAX);
});

bootTest("a data partition that nothing can mend: it starts all the same, and says so", async () => {
  await node.vm.cut();
  damage(node.vm.disk, DATA, 0, 256 << 20);
  await node.start();
  await node.expectConsole(/data partition/, BOOT_MS_MAX);
  await node.expectConsole("This server was installed just now.", BOOT_MS_MAX);
});

bootTest("turned off at the menu, it is off", async () => {
  await node.talk(["second node (backup) of a", "n"]);
  await node.choose("Turn off server");
  await node.talk(["Turn this server off?", "y"]);
  await node.vm.ended(ANSWER_MS_MAX);
  expect(node.vm.is_on).toBe(false);
});

async function configure(address: string): Promise<void> {
  await node.choose("Configure an interface");
  await node.choose(node.mac("lan0"));
  await node.choose("internal");
  await node.talk(
    ["Addresses of", address],
    ["IPv4 gateway", "-"],
    ["to be enabled?", "y"],
    ["Name servers", "-"],
    ["Apply these settings?", "y"],
  );
}
