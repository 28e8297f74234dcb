/** QMP, the machine protocol of QEMU, over a Unix socket: one JSON object a line, answers in the order of the commands. */
import { until } from "../lab/shell.ts";

const ANSWER_MS_MAX = 30_000;
const CONNECT_MS_MAX = 15_000;

interface Reply {
  return?: unknown;
  error?: { class: string; desc: string };
  event?: string;
}

/** What the machine told by itself, such as SHUTDOWN and WATCHDOG. */
export interface MachineEvent {
  event: string;
  data?: Record<string, unknown>;
}

export class Qmp {
  #socket: Awaited<ReturnType<typeof Bun.connect>> | null = null;
  #rest = "";
  readonly #waiting: ((reply: Reply) => void)[] = [];
  #greeted = false;
  readonly #closed = Promise.withResolvers<void>();
  readonly #told: (event: MachineEvent) => void;

  private constructor(told: (event: MachineEvent) => void) {
    this.#told = told;
  }

  static async connect(path: string, told: (event: MachineEvent) => void): Promise<Qmp> {
    const qmp = new Qmp(told);
    await until(`QEMU listens at ${path}`, () => qmp.#open(path), CONNECT_MS_MAX);
    await until("QEMU greets", () => qmp.#greeted, CONNECT_MS_MAX);
    await qmp.ask("qmp_capabilities");
    return qmp;
  }

  async #open(path: string): Promise<boolean> {
    const decoder = new TextDecoder();
    try {
      this.#socket = await Bun.connect({
        unix: path,
        socket: {
          data: (_, bytes) => this.#take(decoder.decode(bytes, { stream: true })),
          close: () => this.#end(),
          error: () => this.#end(),
        },
      });
      return true;
    } catch {
      return false;
    }
  }

  /** Throws with QEMU's own words where it refuses. */
  async ask(command: string, values: Record<string, unknown> = {}): Promise<unknown> {
    const reply = await this.#send(command, values);
    if (reply.error !== undefined) throw new Error(`QEMU refuses ${command}: ${reply.error.desc}`);
    return reply.return;
  }

  #send(command: string, values: Record<string, unknown>): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const limit = setTimeout(() => reject(new Error(`QEMU has not answered ${command}.`)), ANSWER_MS_MAX);
      this.#waiting.push((reply) => {
        clearTimeout(limit);
        resolve(reply);
      });
      this.#socket?.write(`${JSON.stringify({ execute: command, arguments: values })}\n`);
    });
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines.filter((each) => each.trim() !== "")) {
      const reply = JSON.parse(line) as Reply & { QMP?: unknown };
      if (reply.QMP !== undefined) this.#greeted = true;
      else if (reply.event !== undefined) this.#told(reply as MachineEvent);
      else this.#waiting.shift()?.(reply);
    }
  }

  /** QEMU has gone: whoever still waits is told. */
  #end(): void {
    for (const tell of this.#waiting.splice(0)) tell({ error: { class: "gone", desc: "it has ended" } });
    this.#closed.resolve();
  }

  /** Everything that it told has been heard. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  close(): void {
    this.#socket?.terminate();
  }
}
