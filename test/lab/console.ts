/** The console of a node: the executable's menu on a pseudo terminal, what is typed at it and what is seen on it. */
import { Vt100 } from "../menu/vt100.ts";
import { EXECUTABLE, type LabNode } from "./node.ts";
import { until } from "./shell.ts";
import type { Lab } from "./topology.ts";

const SIZE = { cols: 80, rows: 24 };

export class Console {
  readonly #child: ReturnType<typeof Bun.spawn>;
  /** Everything that came, escape sequences and all. */
  raw = "";
  #seen = 0;

  private constructor(command: string[], term: string) {
    const decoder = new TextDecoder();
    this.#child = Bun.spawn(command, {
      env: { PATH: process.env["PATH"] ?? "", TERM: term, LANG: "C.UTF-8" },
      terminal: {
        ...SIZE,
        data: (_, bytes) => {
          this.raw += decoder.decode(bytes, { stream: true });
        },
      },
    });
  }

  static open(lab: Lab, node: LabNode, term = "vt100"): Console {
    const words = ["setpriv", "--pdeathsig", "KILL", EXECUTABLE, "--run", node.run, "menu"];
    return new Console(lab.inside(node.side, words), term);
  }

  /** The screen as it is now. */
  get screen(): string[] {
    return new Vt100(SIZE.cols).write(this.raw).lines;
  }

  get text(): string {
    return this.screen.join("\n");
  }

  type(text: string): void {
    this.#child.terminal?.write(text);
  }

  /** Waits until this came after whatever was waited for before. */
  async sees(text: string): Promise<void> {
    await until(`the console shows ${text}`, () => this.raw.indexOf(text, this.#seen) >= 0).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.text}`);
    });
    this.#seen = this.raw.indexOf(text, this.#seen) + text.length;
  }

  /** Each answer is typed, with Enter, once its question is there. */
  async talk(...turns: [question: string, answer: string][]): Promise<void> {
    for (const [question, answer] of turns) {
      await this.sees(question);
      await this.sees("\r\n# ");
      this.type(`${answer}\r`);
    }
  }

  /** Waits for `question`, and types the number that the last list has for `label`. */
  async choose(label: string, question = ""): Promise<void> {
    if (question !== "") await this.sees(question);
    const number = () => this.items().findIndex((item) => item.startsWith(label)) + 1;
    await until(`the menu offers ${label}`, () => this.#asks() && number() > 0).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.text}`);
    });
    this.type(`${number()}\r`);
  }

  /** The labels of the last list on the screen, in their order. */
  items(): string[] {
    const labels = this.screen.map((line) => /^ *\d+\. (.*)$/.exec(line)?.[1] ?? null);
    const end = labels.findLastIndex((label) => label !== null);
    const begin = labels.findLastIndex((label, index) => index < end && label === null);
    return labels.slice(begin + 1, end + 1).flatMap((label) => label ?? []);
  }

  #asks(): boolean {
    return this.screen.findLast((line) => line !== "") === "#";
  }

  get ended(): Promise<number> {
    return this.#child.exited;
  }

  close(): void {
    this.#child.kill("SIGKILL");
    this.#child.terminal?.close();
  }
}
