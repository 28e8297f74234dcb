/**
 * Carries out what the supervisor decides: processes of services, with a scrubbed environment and a modest priority, in a
 * process group of their own. What one said at last is kept for the sentence that tells why it ended. Processes that a node
 * which was killed left behind are ended before theirs is started again.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { setPriority } from "node:os";
import { join } from "node:path";
import { scrubbedEnvironment } from "../environment.ts";
import { sentence } from "../errors.ts";
import type { Fact } from "./supervisor.ts";
import type { ServiceName } from "./table.ts";

export interface Launch {
  command: string[];
  /** Files and settings that it needs; may throw. */
  prepare: () => void;
  isReady: () => boolean;
}

/** The control process and the administrator's programs come first. */
const NICENESS = 5;
const READY_LOOK_MS = 50;
const SAID_CHARACTERS_MAX = 400;

export class Hands {
  readonly #directory: string;
  readonly #fact: (fact: Fact) => void;
  readonly #children = new Map<ServiceName, ReturnType<typeof spawn>>();

  /** `directory` is its own. */
  constructor(directory: string, fact: (fact: Fact) => void) {
    this.#directory = directory;
    this.#fact = fact;
  }

  start(name: ServiceName, { command, prepare, isReady }: Launch): void {
    let child: ReturnType<typeof spawn>;
    try {
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
      this.#endLeftOver(name, command);
      prepare();
      child = spawn(command);
      writeFileSync(this.#pidFile(name), String(child.pid), { mode: 0o600 });
    } catch (error) {
      const why = `could not be started: ${sentence(error).replace(/\.$/, "")}`;
      // In a turn of its own, as for any other end.
      setTimeout(() => this.#fact({ type: "ended", name, why }));
      return;
    }
    this.#children.set(name, child);
    giveWay(child.pid);
    void this.#follow(name, child, isReady);
  }

  terminate(name: ServiceName): void {
    signal(this.#children.get(name), "SIGTERM");
  }

  kill(name: ServiceName): void {
    signal(this.#children.get(name), "SIGKILL");
  }

  async #follow(name: ServiceName, child: ReturnType<typeof spawn>, isReady: () => boolean): Promise<void> {
    let said = "";
    const listen = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
      const decoder = new TextDecoder();
      for await (const chunk of stream)
        said = (said + decoder.decode(chunk, { stream: true })).slice(-SAID_CHARACTERS_MAX);
    };
    const looking = setInterval(() => {
      if (!isReady()) return;
      clearInterval(looking);
      this.#fact({ type: "healthy", name });
    }, READY_LOOK_MS);
    const heard = Promise.all([listen(child.stdout), listen(child.stderr)]).catch(() => {});
    const status = await child.exited;
    clearInterval(looking);
    await Promise.race([heard, Bun.sleep(READY_LOOK_MS)]);
    this.#children.delete(name);
    rmSync(this.#pidFile(name), { force: true });
    const text = said.replace(/\p{Cc}+/gu, " ").trim();
    const how = `ended with ${child.signalCode ?? `status ${status}`}`;
    this.#fact({ type: "ended", name, why: text === "" ? how : `${how} and said: ${text.replace(/\.$/, "")}` });
  }

  #pidFile(name: ServiceName): string {
    return join(this.#directory, `${name}.pid`);
  }

  /** Numbers of processes come around again: it is ours where its command line is. */
  #endLeftOver(name: ServiceName, command: string[]): void {
    try {
      const pid = Number(readFileSync(this.#pidFile(name), "utf8"));
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
      if (Bun.deepEquals(words, command)) process.kill(pid, "SIGKILL");
    } catch {
      // There is none.
    }
  }
}

function spawn(command: string[]) {
  return Bun.spawn(command, {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    env: scrubbedEnvironment(),
    cwd: "/",
    detached: true,
  });
}

function giveWay(pid: number): void {
  try {
    setPriority(pid, NICENESS);
  } catch {
    // It has ended, or this system lets nobody: it runs as everybody else does.
  }
}

/** Its children too. */
function signal(child: ReturnType<typeof spawn> | undefined, name: NodeJS.Signals): void {
  if (child === undefined) return;
  try {
    process.kill(-child.pid, name);
  } catch {
    // It has ended.
  }
}
