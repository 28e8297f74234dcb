/** The local menu on a real console: S16 from a fresh install to a backup, its four items (S19), and the end (S20). */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Console } from "./console.ts";
import type { LabNode } from "./node.ts";
import { SETTINGS } from "./pair.ts";
import { until } from "./shell.ts";
import { Lab } from "./topology.ts";

const TEST_MS = 60_000;
const FOUR = ["Destroy cluster", "Reboot server", "Turn off server", "Exit"];

let lab: Lab;
let a: LabNode;
let b: LabNode;
let console_b: Console;
const consoles: Console[] = [];

function openConsole(node: LabNode, term?: string): Console {
  const opened = Console.open(lab, node, term);
  consoles.push(opened);
  return opened;
}

beforeAll(async () => {
  lab = new Lab();
  a = lab.node("a");
  b = lab.node("b");
  await Promise.all([a.start(), b.start()]);
  a.command(["settings", "import", "-"], JSON.stringify(SETTINGS));
}, TEST_MS);

afterAll(() => {
  for (const one of consoles) one.close();
  lab?.remove();
});

test(
  "S16: a fresh server is asked, waits, is cancelled, and is as it was",
  async () => {
    console_b = openConsole(b);
    await console_b.talk(
      ["second node (backup) of a", "y"],
      ["Select the network card", "1"],
      ["Create the cluster", "y"],
    );
    await console_b.talk(["Change server name?", "n"]);
    await console_b.sees("3,600 seconds are allowed");
    await until("it waits", async () => (await b.role()) === "joining");
    await until("the time runs", () => /JOINING: 3,5\d\d s left/.test(console_b.screen[0] ?? ""));
    console_b.type("\x03");
    await console_b.sees("Cancelled; nothing was changed.");
    await b.untilRole("standalone");
    await until("the list is there", () => console_b.items().includes("Configure an interface"));
    expect((await b.status())?.name).toBe("understudy");
  },
  TEST_MS,
);

/** The code that the console of b shows at present. */
async function codeShown(after = ""): Promise<string> {
  const code = () => [...console_b.raw.matchAll(/The code is (\d{6})/g)].at(-1)?.[1] ?? after;
  await until("b shows a new code", () => code() !== after);
  return code();
}

test(
  "S16: entered again: name, wait, a wrong code, the right one, and it is the backup with just four items",
  async () => {
    await console_b.choose("Exit");
    expect(await console_b.ended).toBe(0);
    console_b = openConsole(b);
    await console_b.talk(["second node (backup) of a", "y"]);
    await console_b.choose("clu0", "Select the network card");
    await console_b.talk(["Create the cluster on clu0?", "y"], ["Change server name?", "y"]);
    await console_b.talk(["Enter the new server name (2 to 42 characters)", "x"], ["must have 2 to 42", "node-b"]);
    await until("it waits", async () => (await b.role()) === "joining");

    const console_a = openConsole(a);
    await console_a.choose("Create cluster: this server stays and becomes active");
    await console_a.choose("clu0", "Select the network card");
    const first = await codeShown();
    const wrong = first === "000000" ? "000001" : "000000";
    await console_a.talk(["Found node-b", wrong], ["Try again?", "y"]);
    await console_a.talk(["Found node-b", await codeShown(first)]);
    await console_a.choose("wan0", "same network as lan0?");
    await console_a.choose("lan0", "same network as lan0?");
    await console_a.choose("wan0", "same network as wan0?");
    await console_a.talk(["All settings of node-b will be deleted", "y"]);
    await console_a.sees("Communication with the server has been established");
    await a.untilRole("active");
    await b.untilRole("backup");
    await until("the four items are there", () => console_b.items().join() === FOUR.join());
    await until("the panel says so", () => /node-b +\*\*\* BACKUP \*\*\*/.test(console_b.screen[0] ?? ""));
    expect(console_b.text).toContain("Peer       node-a, active");
    console_a.close();
  },
  TEST_MS,
);

test(
  "the active node's menu switches over, and the lists of both follow",
  async () => {
    const console_a = openConsole(a, "dumb");
    await console_a.sees("*** ACTIVE ***");
    await console_a.sees("Exit");
    await console_a.choose("Switch over to the other node");
    await console_a.talk(["Switch over?", "y"]);
    await console_a.sees("The other node is active now.");
    await console_a.sees(`  4. Exit`);
    await until("b offers everything", () => console_b.items().includes("Switch over to the other node"));
    await console_a.choose("Exit");
    expect(await console_a.ended).toBe(0);
    expect(console_a.raw).not.toContain("\x1b");
    b.command(["cluster", "switch"]);
    await until("b has four items again", () => console_b.items().join() === FOUR.join());
  },
  TEST_MS,
);

test(
  "a node that is refused to reboot without its command says so in one sentence",
  async () => {
    await console_b.choose("Reboot server");
    await console_b.talk(["Reboot this server?", "y"]);
    await console_b.sees("started without --reboot-command");
    for (const way of ["reboot", "poweroff"])
      expect(b.attempt(["--run", b.run, way])).toMatchObject({ status: 1, stdout: "" });
  },
  TEST_MS,
);

test(
  "the active node is turned off: the other one takes over first, then the command runs",
  async () => {
    const witness = join(lab.directory, "off");
    await a.stop();
    await a.start("", ["--poweroff-command", `touch ${witness}`]);
    await a.untilRole("backup");
    b.command(["cluster", "switch"]);
    await a.untilRole("active");
    const console_a = openConsole(a, "linux");
    await console_a.choose("Turn off server", "Exit");
    await console_a.talk(["The other node becomes active first.", "y"]);
    await console_a.sees("The server turns off.");
    await until("the command ran", () => existsSync(witness));
    await b.untilRole("active");
    expect((await b.events()).findLast(({ code }) => code === "became-active")?.message).toContain("the peer agreed");
    await until("the menu says so", () => console_a.items().join() === "Exit");
    await a.stop();
    await a.start();
    await a.untilRole("backup");
    await until("the list is back", () => console_a.items().join() === FOUR.join());
    b.command(["cluster", "switch"]);
    await a.untilRole("active");
  },
  TEST_MS,
);

test(
  "S20: destroyed on the backup: it goes on alone, the other one is reset",
  async () => {
    await until("the four items are there", () => console_b.items().join() === FOUR.join());
    await console_b.choose("Destroy cluster");
    await console_b.talk(["WARNING: the cluster will be destroyed", "n"]);
    await console_b.sees("Cancelled; nothing was changed.");
    expect(await b.role()).toBe("backup");
    await until("the four items are there", () => console_b.items().join() === FOUR.join());
    await console_b.choose("Destroy cluster");
    await console_b.talk(["WARNING: the cluster will be destroyed", "y"]);
    await console_b.sees("The cluster was destroyed; this server goes on alone.");
    await until("b offers everything", () => console_b.items().includes("Configure an interface"));
    await a.untilRole("standalone");
    await until("a is a fresh install", async () => (await a.status())?.name === "understudy");
    await openConsole(a).sees("second node (backup) of a");
  },
  TEST_MS,
);
