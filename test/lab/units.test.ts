/** The units that makers of appliances take: what they grant is enough for a node, and what they say are options that it has. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Finding } from "../../src/control/doctor.ts";
import { mayBecome } from "../kernel/namespaces.ts";
import { EXECUTABLE, type LabNode } from "./node.ts";
import { SETTINGS } from "./pair.ts";
import { until } from "./shell.ts";
import { Lab } from "./topology.ts";

const UNITS = join(import.meta.dir, "../../images/units");
const TEST_MS = 60_000;
const unit = (name: string): string => readFileSync(join(UNITS, name), "utf8");

const NOBODY = 65_534;

/** Who the child is that serves the web interface; NaN where there is none. */
function userOfWeb(node_pid: number): number {
  const children = readFileSync(`/proc/${node_pid}/task/${node_pid}/children`, "utf8").trim().split(" ");
  const web = children.find((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")[1] === "web");
  if (web === undefined) return Number.NaN;
  return Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${web}/status`, "utf8"))?.[1]);
}

let lab: Lab;
let node: LabNode;
beforeAll(() => {
  lab = new Lab();
  node = lab.node("a");
});
afterAll(() => lab?.remove());

for (const name of ["understudy.service", "understudy-node"])
  test(`${name} has the options of \`understudy node\` and no others`, () => {
    const words = unit(name).replaceAll("\\\n", " ");
    const command = /^.*understudy node .*$/m.exec(words)?.[0] ?? "";
    const used = [...command.matchAll(/(--[a-z-]+)/g)].map(([option]) => option);
    const { stdout } = Bun.spawnSync([EXECUTABLE, "--help"]);
    const help = stdout.toString();
    const known = [...(/node --state[\s\S]*?\n {2}understudy/.exec(help)?.[0] ?? "").matchAll(/(--[a-z-]+)/g)];
    expect(used.length).toBeGreaterThan(4);
    expect(used.filter((option) => !known.some(([name]) => name === option))).toEqual([]);
  });

test(
  "the rights that the unit for systemd grants are enough, with the web interface and hooks",
  async () => {
    const granted = /^CapabilityBoundingSet=(.*)$/m.exec(unit("understudy.service"))?.[1] ?? "";
    const set = ["-all", ...granted.split(" ").map((name) => `+${name.slice("CAP_".length).toLowerCase()}`)].join(",");
    const hooks = join(lab.directory, "hooks");
    mkdirSync(hooks, { mode: 0o755 });
    writeFileSync(join(hooks, "say"), `#!/bin/sh\necho "$1" >> ${join(lab.directory, "said")}\n`, { mode: 0o755 });
    const child = Bun.spawn(
      lab.inside("a", [
        ...["setpriv", `--bounding-set=${set}`, "--pdeathsig", "KILL"],
        ...[EXECUTABLE, "node", "--state", node.state, "--run", node.run, "--hooks", hooks, "--web", "[::]:443"],
      ]),
      { stdin: "ignore", stdout: "ignore", stderr: "ignore" },
    );
    await until("the node answers", async () => (await node.role()) === "standalone");
    node.command(["settings", "import", "-"], JSON.stringify(SETTINGS));
    await until(
      "it holds its addresses",
      async () => (await node.status())?.addresses.every(({ held }) => held) === true,
    );
    await until("the hook is told", () => {
      const said = Bun.spawnSync(["cat", join(lab.directory, "said")]).stdout.toString();
      return said.includes("settings-changed") && said.includes("became-standalone");
    });
    const nobody = mayBecome(NOBODY) ? NOBODY : 0;
    await until("the web interface's process is nobody", () => userOfWeb(child.pid) === nobody);
    const faults = JSON.parse(node.command(["doctor", "--json"])) as Finding[];
    const codes = faults.filter(({ state }) => state === "bad").map(({ code }) => code);
    expect(codes.filter((code) => code !== "license")).toEqual([]);
    const events = (await node.events()).map(({ code }) => code);
    for (const code of [
      "kernel-refused",
      "web-privileged",
      "web-failed",
      "link-refused",
      "hook-failed",
      "hook-refused",
    ])
      expect(events).not.toContain(code);
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
  },
  TEST_MS,
);
