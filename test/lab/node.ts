/** A node in the lab: the real executable in its namespace, and everything that can befall it. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Status } from "../../src/control/node.ts";
import type { Role } from "../../src/heart/messages.ts";
import { sh, until } from "./shell.ts";
import { CABLES, type Lab, type Side } from "./topology.ts";

export const EXECUTABLE = join(import.meta.dir, "../../dist/understudy");
const STATUS_MS_MAX = 1000;

/** A command that was to be refused, and did not end by then, has not been refused. */
const ATTEMPT_MS_MAX = 15_000;

export interface Ended {
  /** Null where it did not end by itself. */
  status: number | null;
  stdout: string;
  stderr: string;
}

/** A command that runs: what it has said so far, on both of its streams, and a way to answer. */
export interface Talk {
  said(): string;
  type(line: string): void;
  signal(name: NodeJS.Signals): void;
  ended: Promise<{ status: number; said: string }>;
}

export type Part = "control" | "heart" | "web" | "service";

export class LabNode {
  readonly side: Side;
  readonly #lab: Lab;
  readonly state: string;
  readonly run: string;
  /** What is started: another build, if need be. Commands are of this one. */
  executable = EXECUTABLE;
  /** More words for `understudy node`, at every start. */
  options: string[] = [];
  #child: ReturnType<typeof Bun.spawn> | null = null;

  constructor(lab: Lab, side: Side) {
    this.#lab = lab;
    this.side = side;
    this.state = join(lab.directory, side, "state");
    this.run = join(lab.directory, side, "run");
  }

  /** `before`: shell commands that prepare the mount namespace that the node gets for itself; `more`: further options. */
  async start(before = "", more: string[] = []): Promise<void> {
    // A node outlives no lab, however the lab ends.
    const command = [this.executable, "node", "--state", this.state, "--run", this.run, ...this.options, ...more];
    const words = ["setpriv", "--pdeathsig", "KILL", ...command];
    this.#child = Bun.spawn(this.#lab.inside(this.side, prepared(before, words)), {
      stdin: "ignore",
      stdout: "ignore",
      stderr: Bun.file(join(this.#lab.directory, `${this.side}.log`)),
    });
    await until(`node ${this.side} answers`, async () => {
      const role = (await this.status())?.role;
      return role !== undefined && role !== "starting";
    });
  }

  log(): string {
    const path = join(this.#lab.directory, `${this.side}.log`);
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }

  /** Runs a command of the executable beside this node; throws with what it said where it fails. */
  command(words: string[], input?: string): string {
    return sh(
      this.#lab.inside(this.side, [EXECUTABLE, "--run", this.run, ...words]),
      input === undefined ? {} : { input },
    );
  }

  /** Runs the executable in the node's place to its end, with just these words. */
  attempt(words: string[], { before = "", prefix = [] as string[], input = "" } = {}): Ended {
    const command = this.#lab.inside(this.side, prepared(before, [...prefix, EXECUTABLE, ...words]));
    const { exitCode, stdout, stderr } = Bun.spawnSync(command, {
      stdin: Buffer.from(input),
      stdout: "pipe",
      stderr: "pipe",
      timeout: ATTEMPT_MS_MAX,
    });
    return { status: exitCode, stdout: stdout.toString(), stderr: stderr.toString().trim() };
  }

  /** As a process of its own, for commands that wait (`cluster join`). What it said on standard error meanwhile. */
  async commandLater(words: string[]): Promise<string> {
    const child = Bun.spawn(this.#lab.inside(this.side, [EXECUTABLE, "--run", this.run, ...words]), {
      stdout: "ignore",
      stderr: "pipe",
      stdin: "ignore",
    });
    const stderr = await new Response(child.stderr).text();
    if ((await child.exited) !== 0) throw new Error(stderr.trim());
    return stderr;
  }

  /** As `commandLater`, for commands that tell and ask something meanwhile. */
  talk(words: string[]): Talk {
    const child = Bun.spawn(this.#lab.inside(this.side, [EXECUTABLE, "--run", this.run, ...words]), {
      stdout: "pipe",
      stderr: "pipe",
      stdin: "pipe",
    });
    let said = "";
    const listen = async (stream: ReadableStream<Uint8Array>) => {
      for await (const chunk of stream) said += new TextDecoder().decode(chunk);
    };
    const streams = [listen(child.stdout), listen(child.stderr)];
    return {
      said: () => said,
      type(line) {
        child.stdin.write(`${line}\n`);
        child.stdin.flush();
      },
      signal: (name) => child.kill(name),
      ended: child.exited.then((status) => Promise.all(streams).then(() => ({ status, said }))),
    };
  }

  async status(): Promise<Status | null> {
    return await this.#ask<Status>("status");
  }

  async events(): Promise<{ code: string; message: string }[]> {
    return (await this.#ask<{ code: string; message: string }[]>("events")) ?? [];
  }

  async role(): Promise<Role | string> {
    return (await this.status())?.role ?? "away";
  }

  async untilRole(role: Role): Promise<void> {
    await until(`node ${this.side} is ${role}`, async () => (await this.role()) === role);
  }

  /** Waits until an alarm is shown; its message. */
  async untilAlarm(code: string): Promise<string> {
    let message = "";
    await until(`node ${this.side} shows ${code}`, async () => {
      message = (await this.status())?.alarms.find((alarm) => alarm.code === code)?.message ?? "";
      return message !== "";
    });
    return message;
  }

  /** Every process of the node, by the process tree; empty where the node is down. */
  processes(): { pid: number; part: Part }[] {
    const root = this.#child?.pid;
    if (root === undefined || !existsSync(`/proc/${root}`)) return [];
    return [root, ...descendantsOf(root)].map((pid) => ({ pid, part: pid === root ? "control" : partOf(pid) }));
  }

  signal(name: NodeJS.Signals, part?: Part): void {
    for (const { pid, part: its_part } of this.processes()) {
      if (part === undefined || its_part === part) process.kill(pid, name);
    }
  }

  /** SIGKILL to everything, if anything is left. */
  kill(): void {
    // Children first: a heart whose control process is gone would hand over.
    for (const { pid } of this.processes().reverse()) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It ended by itself.
      }
    }
    this.#child = null;
  }

  async stop(): Promise<void> {
    this.#child?.kill("SIGTERM");
    await this.#child?.exited;
    this.#child = null;
  }

  /** As seen from outside: not a frame in or out from one instant on, and every process stopped. */
  freeze(): void {
    this.dropEverything();
    this.signal("SIGSTOP");
  }

  dropEverything(): void {
    const chains = CABLES.flatMap((nic) =>
      ["ingress", "egress"].map(
        (hook) => `chain ${nic}_${hook} { type filter hook ${hook} device "${nic}" priority -500; drop; }`,
      ),
    );
    sh(this.#lab.inside(this.side, ["nft", "-f", "-"]), { input: `table netdev frozen {\n${chains.join("\n")}\n}` });
  }

  thaw(): void {
    sh(this.#lab.inside(this.side, ["nft", "delete", "table", "netdev", "frozen"]));
    this.signal("SIGCONT");
  }

  /** Power gone and back: nothing in memory survives, the state directory does. */
  async reboot(): Promise<void> {
    this.powerOff();
    await this.start();
  }

  /** From one instant on not a frame leaves; then everything dies, and the kernel forgets addresses and firewall. */
  powerOff(): void {
    this.dropEverything();
    this.kill();
    for (const nic of CABLES) sh(this.#lab.inside(this.side, ["ip", "addr", "flush", "dev", nic]));
    this.flushFirewall();
  }

  flushFirewall(): void {
    sh(this.#lab.inside(this.side, ["nft", "flush", "ruleset"]));
  }

  async #ask<T>(what: string): Promise<T | null> {
    try {
      const response = await fetch(`http://node/${what}`, {
        unix: join(this.run, "control.sock"),
        signal: AbortSignal.timeout(STATUS_MS_MAX),
      } as RequestInit);
      return (await response.json()) as T;
    } catch {
      return null;
    }
  }
}

function prepared(before: string, words: string[]): string[] {
  return before === "" ? words : ["sh", "-ec", `${before}\nexec "$@"`, "sh", ...words];
}

function partOf(pid: number): Part {
  try {
    const word = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")[1];
    return word === "web" || word === "heart" ? word : "service";
  } catch {
    return "service";
  }
}

function descendantsOf(pid: number): number[] {
  const children: number[] = [];
  try {
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      const list = readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").trim();
      if (list !== "") children.push(...list.split(" ").map(Number));
    }
  } catch {
    // It ended meanwhile.
  }
  return children.flatMap((child) => [child, ...descendantsOf(child)]);
}
