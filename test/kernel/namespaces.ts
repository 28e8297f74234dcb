/**
 * Network namespaces for the tests of src/kernel, and an agent (agent.ts) in each that needs one. Names carry
 * the process's number; `remove` takes everything away, whatever happened before.
 */

import { accessSync, constants, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Subprocess } from "bun";
import type { Operations } from "./agent.ts";
import type { ShimOperations } from "./shim-agent.ts";

const ANSWER_MS_MAX = 10_000;

let made = 0;

/** Runs a command and returns its output; throws with its error output where it fails. */
export function run(...command: string[]): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(command);
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr.toString().trim()}`);
  return stdout.toString();
}

export class Namespace {
  readonly name: string;
  private agents: { kill(): void }[] = [];

  constructor(role: string) {
    made += 1;
    this.name = `ust-${process.pid}-${made}-${role}`;
    run("ip", "netns", "add", this.name);
    this.run("ip", "link", "set", "lo", "up");
  }

  run(...command: string[]): string {
    return run("ip", "netns", "exec", this.name, ...command);
  }

  startAgent(): Agent {
    const agent = new Agent<Operations>(this.name, "agent.ts", []);
    this.agents.push(agent);
    return agent;
  }

  /** An agent for the shim alone; `wrapper` is a command that takes privileges away from the one after it. */
  startShim(wrapper: string[] = []): Agent<ShimOperations> {
    const agent = new Agent<ShimOperations>(this.name, "shim-agent.ts", wrapper);
    this.agents.push(agent);
    return agent;
  }

  remove(): void {
    for (const agent of this.agents) agent.kill();
    run("ip", "netns", "del", this.name);
  }
}

/** A cable between two namespaces. Both ends are up when this returns. */
export function cable(a: Namespace, a_nic: string, b: Namespace, b_nic: string): void {
  a.run("ip", "link", "add", a_nic, "type", "veth", "peer", "name", b_nic, "netns", b.name);
  a.run("ip", "link", "set", a_nic, "up");
  b.run("ip", "link", "set", b_nic, "up");
}

/** An interface without Ethernet can be made only where this user may open the device for it. */
export function mayMakeTunnels(): boolean {
  try {
    accessSync("/dev/net/tun", constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** A user namespace without a map of its own has one user, and nobody else to become. */
export function mayBecome(user: number): boolean {
  return readFileSync("/proc/self/uid_map", "utf8")
    .trim()
    .split("\n")
    .some((line) => {
      const [first = 0, , count = 0] = line.trim().split(/\s+/).map(Number);
      return user >= first && user < first + count;
    });
}

type Answer = { value: unknown } | { message: string; code?: string; operation?: string };
type Callable = Record<string, (...values: never[]) => unknown>;

/** An agent that refused; `code` is errno or the code of the Failure. */
export class Refused extends Error {
  readonly code: string | undefined;
  /** Of a SystemFailure only. */
  readonly operation: string | undefined;
  constructor({ message, code, operation }: { message: string; code?: string; operation?: string }) {
    super(message);
    this.code = code;
    this.operation = operation;
  }
}

export class Agent<Offered extends Callable = Operations> {
  readonly child: Subprocess<"pipe", "pipe", "inherit">;
  private readonly chunks: AsyncIterator<Uint8Array>;
  private pending = "";

  constructor(namespace: string, script: string, wrapper: string[]) {
    const program = [process.execPath, join(import.meta.dir, script)];
    this.child = Bun.spawn(["ip", "netns", "exec", namespace, ...wrapper, ...program], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
    });
    this.chunks = this.child.stdout[Symbol.asyncIterator]();
  }

  async call<Name extends keyof Offered & string>(
    name: Name,
    ...values: Parameters<Offered[Name]>
  ): Promise<ReturnType<Offered[Name]>> {
    this.child.stdin.write(`${JSON.stringify([name, ...values])}\n`);
    this.child.stdin.flush();
    const answer = JSON.parse(await this.line(name)) as Answer;
    if ("message" in answer) throw new Refused(answer);
    return answer.value as ReturnType<Offered[Name]>;
  }

  kill(): void {
    this.child.kill("SIGKILL");
  }

  private async line(name: string): Promise<string> {
    const deadline = Date.now() + ANSWER_MS_MAX;
    while (!this.pending.includes("\n")) {
      const timeout = new Promise<never>((_, reject) => {
        setTimeout(() => reject(new Error(`no answer to ${name}`)), deadline - Date.now()).unref();
      });
      const { value, done } = await Promise.race([this.chunks.next(), timeout]);
      if (done) throw new Error(`the agent ended during ${name}`);
      this.pending += new TextDecoder().decode(value);
    }
    const end = this.pending.indexOf("\n");
    const line = this.pending.slice(0, end);
    this.pending = this.pending.slice(end + 1);
    return line;
  }
}
