/** The web process as a child: started with its configuration on standard input, and started again when it dies. */
import { scrubbedEnvironment } from "../environment.ts";
import { COMPILED } from "../version.ts";
import type { WebConfiguration } from "../web/messages.ts";

const RESTART_MS_MIN = 200;
const RESTART_MS_MAX = 10_000;
const STABLE_MS = 10_000;
const LINE_BYTES_MAX = 64 << 10;
/** Its end was ours. */
const RESTARTING = "restarting";

export interface WebListener {
  event(code: string, severity: "info" | "warning" | "error", message: string): void;
}

export class WebProcess {
  readonly #listener: WebListener;
  /** Its working directory, with the socket in it. */
  readonly #directory: string;
  #configuration: WebConfiguration;
  #child: ReturnType<typeof spawnWeb> | null = null;
  #restart_ms = RESTART_MS_MIN;
  #stopping = false;
  /** The code of what was said last while it does not serve: said once, not at every try. */
  #trouble = "";

  readonly #spawnWeb: typeof spawnWeb;

  constructor(listener: WebListener, directory: string, configuration: WebConfiguration, spawn = spawnWeb) {
    this.#listener = listener;
    this.#directory = directory;
    this.#configuration = configuration;
    this.#spawnWeb = spawn;
  }

  start(): void {
    const started_ms = performance.now();
    const child = this.#spawnWeb(this.#directory);
    this.#child = child;
    this.#send();
    void this.#listen(child.stdout);
    void child.exited.then((status) => {
      this.#child = null;
      if (this.#stopping) return;
      if (performance.now() - started_ms > STABLE_MS) this.#restart_ms = RESTART_MS_MIN;
      this.#say(
        "web-died",
        `The web interface's process ended (${child.signalCode ?? status}); it is started again, and nothing else is touched.`,
      );
      setTimeout(() => this.#stopping || this.start(), this.#restart_ms);
      this.#restart_ms = Math.min(RESTART_MS_MAX, this.#restart_ms * 2);
    });
  }

  /** With another certificate it is started anew; anything else it takes as it runs. */
  configure(configuration: WebConfiguration): void {
    const before = this.#configuration;
    if (JSON.stringify(configuration) === JSON.stringify(before)) return;
    this.#configuration = configuration;
    if (configuration.certificate === before.certificate) return this.#send();
    this.#restart_ms = RESTART_MS_MIN;
    this.#trouble = RESTARTING;
    this.#child?.kill("SIGKILL");
  }

  stop(): void {
    this.#stopping = true;
    this.#child?.kill("SIGKILL");
  }

  #send(): void {
    const child = this.#child;
    if (child === null) return;
    try {
      child.stdin.write(`${JSON.stringify(this.#configuration)}\n`);
      void Promise.resolve(child.stdin.flush()).catch(() => {});
    } catch {
      // It has died, and gets the configuration when it is started again.
    }
  }

  #say(code: string, message: string): void {
    if (this.#trouble === RESTARTING) return;
    if (this.#trouble === "") this.#listener.event(code, "error", message);
    this.#trouble = code;
  }

  /**
   * It faces the network. It has one thing to say, and no more than that is read: whoever has broken into it could fill the
   * history with the rest, or keep this process busy until the heart takes it for hung.
   */
  async #listen(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let text = "";
    for await (const chunk of stream) {
      text += decoder.decode(chunk, { stream: true });
      const end = text.indexOf("\n");
      if (end !== -1) return this.#take(text.slice(0, end));
      if (text.length > LINE_BYTES_MAX) return;
    }
  }

  #take(line: string): void {
    let message: { type?: unknown; message?: unknown; rights?: unknown };
    try {
      message = Object(JSON.parse(line)) as typeof message;
    } catch {
      return;
    }
    const { hostname, port } = this.#configuration;
    if (message.type === "failed")
      return this.#say(
        "web-failed",
        `The web interface cannot serve at ${hostname}:${port}: ${String(message.message)
          .replace(/\p{Cc}/gu, "")
          .slice(0, 200)}.`,
      );
    if (message.type !== "ready") return;
    if (this.#trouble !== RESTARTING && this.#trouble !== "")
      this.#listener.event("web-ready", "info", "The web interface serves again.");
    this.#trouble = "";
    if (message.rights === "some")
      this.#listener.event(
        "web-privileged",
        "warning",
        "The web interface's process could not become another user here; it runs with the rights of this one.",
      );
  }
}

function spawnWeb(directory: string) {
  const command = COMPILED ? [process.execPath, "web"] : [process.execPath, process.argv[1] ?? "", "web"];
  return Bun.spawn(command, {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
    env: scrubbedEnvironment(),
    cwd: directory,
  });
}
