/** A node of its own in a namespace of its own, the real executable, and what a browser does with its web interface. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Status } from "../../src/control/node.ts";
import { Namespace } from "../kernel/namespaces.ts";
import { EXECUTABLE } from "../lab/node.ts";
import { until } from "../lab/shell.ts";
import { Browser } from "./browser.ts";

const LOOPBACK = "127.0.0.1";
/** The process has the lowest priority of all on a machine that may be busy. */
const SERVING_MS_MAX = 45_000;

export class Appliance extends Browser {
  readonly directory: string;
  readonly port: number;
  readonly #address: string;
  readonly #namespace = new Namespace("web");
  #node: ReturnType<typeof Bun.spawn> | null = null;
  readonly #forwards: ReturnType<typeof Bun.spawn>[] = [];

  constructor(address = LOOPBACK, port = 8443) {
    const directory = mkdtempSync(join(tmpdir(), "understudy-web-"));
    super(join(directory, `${port}.sock`), new URL(`https://${LOOPBACK}:${port}`).origin);
    this.directory = directory;
    this.#address = address;
    this.port = port;
  }

  get state(): string {
    return join(this.directory, "state");
  }

  get run(): string {
    return join(this.directory, "run");
  }

  inside(...words: string[]): string[] {
    return ["ip", "netns", "exec", this.#namespace.name, ...words];
  }

  async start(): Promise<void> {
    this.spawn();
    await this.forward(this.port);
    await this.untilServing();
  }

  /** `wrapper` is a command that runs the node in a smaller world. */
  spawn(wrapper: string[] = []): void {
    const web = `${this.#address}:${this.port}`;
    const words = [EXECUTABLE, "node", "--state", this.state, "--run", this.run, "--web", web];
    this.#node = Bun.spawn(this.inside("setpriv", "--pdeathsig", "KILL", ...wrapper, ...words), {
      stdin: "ignore",
      stdout: "ignore",
      stderr: Bun.file(join(this.directory, "log")),
    });
  }

  /** The path of a Unix socket that leads to a port of the appliance. */
  async forward(port: number, address = LOOPBACK): Promise<string> {
    const path = join(this.directory, `${address === LOOPBACK ? "" : address}${port}.sock`);
    if (existsSync(path)) return path;
    const script = join(import.meta.dir, "../lab/forward.ts");
    const words = ["setpriv", "--pdeathsig", "KILL", process.execPath, script, path, `${address}:${port}`];
    this.#forwards.push(Bun.spawn(this.inside(...words), { stdin: "ignore", stdout: "ignore", stderr: "inherit" }));
    await until("the forward is there", () => existsSync(path));
    return path;
  }

  untilServing(): Promise<void> {
    const answers = async () => (await this.ask("GET", "/public"))?.status === 200;
    return until("the web interface answers", answers, SERVING_MS_MAX);
  }

  /** Whatever `work` does, the web process is another one after it, and serves. */
  async untilAnotherServes(work: () => Promise<unknown>): Promise<void> {
    const before = this.process("web");
    await work();
    await until("another web process is there", () => ![null, before].includes(this.process("web")));
    await this.untilServing();
  }

  log(): string {
    return readFileSync(join(this.directory, "log"), "utf8");
  }

  status(): Promise<Status> {
    return this.control("GET", "/status") as Promise<Status>;
  }

  async control(method: string, path: string, body?: unknown): Promise<unknown> {
    const init = {
      method,
      unix: join(this.run, "control.sock"),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
    return (await fetch(`http://node${path}`, init as RequestInit)).json();
  }

  /** Processes of the node by what they are (`node`, `heart`, `web`). */
  process(which: string): number | null {
    for (const entry of readdirSync("/proc")) {
      if (!/^\d+$/.test(entry)) continue;
      try {
        const words = readFileSync(`/proc/${entry}/cmdline`, "utf8").split("\0");
        const parent = Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${entry}/status`, "utf8"))?.[1]);
        if (words[0] === EXECUTABLE && words[1] === which && parent === this.#nodePid()) return Number(entry);
      } catch {
        // It ended meanwhile.
      }
    }
    return null;
  }

  #nodePid(): number {
    return Number(readFileSync(join(this.state, "node.pid"), "utf8"));
  }

  /** Ends the node, and starts it again with what it has on its disk. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async stop(): Promise<void> {
    this.#node?.kill("SIGTERM");
    await this.#node?.exited;
    this.#node = null;
  }

  remove(): void {
    this.#node?.kill("SIGKILL");
    for (const forward of this.#forwards) forward.kill("SIGKILL");
    this.#namespace.remove();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
