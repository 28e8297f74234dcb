/**
 * `npm run vm`: two machines to play with. Their consoles are windows of tmux, their web interfaces are at addresses of
 * this machine, and what befalls them is said by command:
 *
 *   npm run vm                          boots them, and shows the consoles
 *   npm run vm -- cable a wan0 down     pulls a cable; `up` puts it back
 *   npm run vm -- freeze a              the clock of the machine stands still; `thaw a`
 *   npm run vm -- cut a                 power gone; `start a`
 *   npm run vm -- stop                  removes everything
 */
import { existsSync } from "node:fs";
import { ensurePrerequisites, type Prerequisite, QEMU } from "../lab/prerequisites.ts";
import { until } from "../lab/shell.ts";
import { attach } from "./play-console.ts";
import { CONTROL, consolePath, directory, TMUX } from "./play-paths.ts";
import { serve } from "./play-server.ts";

/** The image is made first where it is missing. */
const READY_MS_MAX = 600_000;
const SIDES = ["a", "b"] as const;
const TERMINAL: Prerequisite[] = [{ command: "tmux", package: "tmux" }];
const USAGE =
  "Say one of: cable a|b lan0|wan0|clu0 up|down, freeze a|b, thaw a|b, cut a|b, start a|b, stop; or nothing, to boot both.";

const ORDERS: RegExp[] = [/^cable [ab] (lan0|wan0|clu0) (up|down)$/, /^(freeze|thaw|cut|start) [ab]$/, /^stop$/];

const tmux = (...words: string[]) =>
  Bun.spawnSync(["tmux", "-S", TMUX, ...words], { stdin: "inherit", stdout: "inherit", stderr: "inherit" }).exitCode;

/** What the machines' keeper answers; null where there is none. */
async function say(order: string): Promise<string | null> {
  try {
    const init = { method: "POST", unix: CONTROL, body: order } as RequestInit;
    return await (await fetch("http://vm/", init)).text();
  } catch {
    return null;
  }
}

async function boot(): Promise<void> {
  if ((await say("where")) !== null) return show();
  ensurePrerequisites([...QEMU, ...TERMINAL]);
  directory();
  const words = (...more: string[]) => [process.execPath, import.meta.filename, ...more];
  if (tmux("new-session", "-d", "-s", "vm", "-n", "machines", ...words("serve")) !== 0) process.exit(1);
  tmux("set-option", "-g", "remain-on-exit", "on");
  console.log("Making the image where that is due, and booting two machines in software emulation …");
  await until("the machines are on", async () => (await say("where")) !== null, READY_MS_MAX);
  for (const side of SIDES) tmux("new-window", "-t", "vm", "-n", `node-${side}`, ...words("console", side));
  tmux("select-window", "-t", "vm:node-b");
  await show();
}

async function show(): Promise<void> {
  console.log(await say("where"));
  if (process.stdout.isTTY && process.stdin.isTTY) tmux("attach", "-t", "vm");
  else console.log(`The consoles: tmux -S ${TMUX} attach`);
}

async function order(words: string[]): Promise<void> {
  const text = words.join(" ");
  if (!ORDERS.some((known) => known.test(text))) return refuse(USAGE);
  const answer = await say(text);
  if (answer === null) {
    if (text === "stop" && existsSync(TMUX)) tmux("kill-server");
    return refuse("No machines are on; boot them with: npm run vm");
  }
  console.log(answer);
  if (text === "stop") tmux("kill-server");
}

function refuse(why: string): void {
  console.error(why);
  process.exitCode = 2;
}

const [first, second] = process.argv.slice(2);
if (first === undefined) await boot();
else if (first === "serve") await serve();
else if (first === "console" && second !== undefined) await attach(consolePath(second));
else await order(process.argv.slice(2));
