/**
 * A serial line of a machine, at a Unix socket: what came is waited for in its order, what is typed goes to whoever
 * reads there. The line outlives the machine's power. QEMU keeps the transcript by itself, escape sequences and all.
 */
import { until } from "../lab/shell.ts";

const CONNECT_MS_MAX = 15_000;
const SHOWN_MAX = 2500;
/** Text kept for looking at; a console that is redrawn for an hour must not fill the memory. */
const KEPT_MAX = 4 << 20;

const ESCAPE = /\x1b(?:\[[\d;?=]*[ -/]*[@-~]|\][^\x07]*(?:\x07|\x1b\\)|[()][A-Z0-9]|[78=>cDEHM])/g;
/** The beginning of one, whose rest has not come yet. */
const UNFINISHED = /\x1b(?:\[[\d;?=]*|[\]()][^\x07\x1b]{0,200})?$/;

export class SerialConsole {
  /** What came, without escape sequences. */
  text = "";
  /** Whoever wants the bytes as they come. */
  listener: (bytes: Uint8Array) => void = () => {};
  #pending = "";
  #seen = 0;
  #socket: Awaited<ReturnType<typeof Bun.connect>> | null = null;

  async connect(path: string): Promise<void> {
    await until(`QEMU listens at ${path}`, () => this.#open(path), CONNECT_MS_MAX);
  }

  async #open(path: string): Promise<boolean> {
    const decoder = new TextDecoder();
    try {
      this.#socket = await Bun.connect({
        unix: path,
        socket: {
          data: (_, bytes) => {
            this.listener(bytes);
            this.#take(decoder.decode(bytes, { stream: true }));
          },
          error: () => {},
        },
      });
      return true;
    } catch {
      return false;
    }
  }

  #take(text: string): void {
    const all = this.#pending + text;
    const end = UNFINISHED.exec(all)?.index ?? all.length;
    this.#pending = all.slice(end);
    this.text += all.slice(0, end).replace(ESCAPE, "");
    const surplus = this.text.length - KEPT_MAX;
    if (surplus <= 0) return;
    this.text = this.text.slice(surplus);
    this.#seen = Math.max(0, this.#seen - surplus);
  }

  type(text: string): void {
    this.#socket?.write(text);
  }

  /** Waits until this has come after whatever was waited for before; what it was, with its groups. */
  async expect(what: string | RegExp, limit_ms: number): Promise<RegExpMatchArray> {
    let found: RegExpMatchArray | null = null;
    const pattern = typeof what === "string" ? new RegExp(what.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")) : what;
    await until(
      `the console shows ${what}`,
      () => {
        found = this.text.slice(this.#seen).match(pattern);
        return found !== null;
      },
      limit_ms,
    ).catch((error: Error) => {
      throw new Error(`${error.message}\nThe console's end:\n${this.text.slice(-SHOWN_MAX)}`);
    });
    const match = found as unknown as RegExpMatchArray;
    this.#seen += (match.index ?? 0) + match[0].length;
    return match;
  }

  /** What came until now is not waited for any more. */
  forget(): void {
    this.#seen = this.text.length;
  }

  close(): void {
    this.#socket?.terminate();
  }
}
