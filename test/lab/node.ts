/** A node in the lab: the real executable in its namespace, and everything that can befall it. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Status } from "../../src/control/node.ts";
import type { Role } from "../../src/heart/messages.ts";
import { sh, until } from "./shell.ts";
import type { Lab, Side } from "./topology.ts";

export const EXECUTABLE = join(import.meta.dir, "../../dist/understudy");
const NICS = ["lan0", "wan0", "clu0"];

export class LabNode {
  readonly side: Side;
  readonly #lab: Lab;
  readonly state: string;
  readonly run: string;
  #child: ReturnType<typeof Bun.spawn> | null = null;

  constructor(lab: Lab, side: Side) {
    this.#lab = lab;
    this.side = side;
    this.state = join(lab.directory, side, "state");
    this.run = join(lab.directory, side, "run");
  }

  async start(): Promise<void> {
    this.#child = Bun.spawn(
      this.#lab.inside(this.side, [EXECUTABLE, "node", "--state", this.state, "--run", this.run]),
      {
        stdin: "ignore",
        stdout: "ignore",
        stderr: Bun.file(join(this.#lab.directory, `${this.side}.log`)),
      },
    );
    await until(
      `node ${this.side} answers`,
      async () => (await this.status())?.role !== undefined && (await this.status())?.role !== "starting",
    );
  }

  log(): string {
    const path = join(this.#lab.directory, `${this.side}.log`);
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }

  command(words: string[], input?: string): string {
    return sh([EXECUTABLE, "--run", this.run, ...words], input === undefined ? {} : { input });
  }

  /** As a process of its own, for commands that wait (`cluster join`). */
  async commandLater(words: string[]): Promise<void> {
    const child = Bun.spawn([EXECUTABLE, "--run", this.run, ...words], {
      stdout: "ignore",
      stderr: "pipe",
      stdin: "ignore",
    });
    const stderr = await new Response(child.stderr).text();
    if ((await child.exited) !== 0) throw new Error(stderr.trim());
  }

  async status(): Promise<Status | null> {
    try {
      const response = await fetch("http://node/status", {
        unix: join(this.run, "control.sock"),
        signal: AbortSignal.timeout(1000),
      } as RequestInit);
      return (await response.json()) as Status;
    } catch {
      return null;
    }
  }

  async role(): Promise<Role | string> {
    return (await this.status())?.role ?? "away";
  }

  async untilRole(role: Role): Promise<void> {
    await until(`node ${this.side} is ${role}`, async () => (await this.role()) === role);
  }

  /** Control process and heart, by the process tree; empty where the node is down. */
  processes(): { pid: number; part: "control" | "heart" }[] {
    const root = this.#child?.pid;
    if (root === undefined || !existsSync(`/proc/${root}`)) return [];
    const hearts = childrenOf(root).filter((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("heart"));
    return [{ pid: root, part: "control" }, ...hearts.map((pid) => ({ pid, part: "heart" as const }))];
  }

  signal(name: NodeJS.Signals, part?: "control" | "heart"): void {
    for (const process_ of this.processes()) {
      if (part === undefined || process_.part === part) process.kill(process_.pid, name);
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

  /** As seen from outside: every process stopped, and not a frame in or out. */
  freeze(): void {
    this.signal("SIGSTOP");
    this.dropEverything();
  }

  dropEverything(): void {
    const chains = NICS.flatMap((nic) =>
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

  powerOff(): void {
    this.kill();
    for (const nic of ["lan0", "wan0"]) sh(this.#lab.inside(this.side, ["ip", "addr", "flush", "dev", nic]));
    this.flushFirewall();
  }

  flushFirewall(): void {
    sh(this.#lab.inside(this.side, ["nft", "flush", "ruleset"]));
  }
}

function childrenOf(pid: number): number[] {
  const children: number[] = [];
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const list = readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").trim();
    if (list !== "") children.push(...list.split(" ").map(Number));
  }
  return children.flatMap((child) => [child, ...childrenOf(child)]);
}
