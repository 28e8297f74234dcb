/** Questions and their answers: numbered choices, y, n and c, and a sentence for everything else that comes. */
import type { Reading, Terminal } from "./terminal.ts";
import { thousands } from "./text.ts";

/** The person went back: nothing was done. */
export class Cancelled extends Error {}
/** Nobody is there to answer any more. */
export class InputEnded extends Error {}

/** Whoever sends this much nonsense is no person: a program that answers other questions than ours. */
const WRONG_MAX = 100;

export interface Choice<T> {
  label: string;
  value: T;
}

export interface TextQuestion {
  question: string;
  /** Taken by Enter alone. */
  current?: string;
  secret?: boolean;
  /** What is wrong with the answer, one sentence; null where it is good. */
  check?: (text: string) => string | null;
}

export class Dialogue {
  readonly terminal: Terminal;
  #wrong = 0;

  constructor(terminal: Terminal) {
    this.terminal = terminal;
  }

  print(text?: string): void {
    this.terminal.print(text);
  }

  /** True for y, false for n. Throws Cancelled for c. */
  async confirm(question: string): Promise<boolean> {
    this.print();
    this.print(question);
    this.print("  y - yes");
    this.print("  n - no");
    this.print("  c - cancel");
    for (;;) {
      const answer = (await this.#line()).toLowerCase();
      if (answer === "c") throw new Cancelled();
      if (answer === "y" || answer === "n") {
        this.right();
        return answer === "y";
      }
      this.wrong("Type y, n or c and press Enter.");
    }
  }

  /** Throws Cancelled unless the answer is y. */
  async demand(question: string): Promise<void> {
    if (!(await this.confirm(question))) throw new Cancelled();
  }

  async choose<T>(question: string, choices: Choice<T>[]): Promise<T> {
    this.print();
    this.print(question);
    choices.forEach(({ label }, index) => this.print(`${String(index + 1).padStart(3)}. ${label}`));
    this.print("  c - cancel");
    for (;;) {
      const answer = await this.#line();
      if (answer.toLowerCase() === "c") throw new Cancelled();
      const choice = numbered(choices, answer);
      if (typeof choice !== "string") {
        this.right();
        return choice.value;
      }
      this.wrong(`${choice}, or c to cancel.`);
    }
  }

  async text({ question, current, secret = false, check = () => null }: TextQuestion): Promise<string> {
    this.print();
    this.print(question);
    if (current !== undefined) this.print(`  Enter alone keeps: ${current === "" ? "(none)" : current}`);
    this.print("  c - cancel");
    for (;;) {
      const typed = await this.#line(secret);
      if (typed.toLowerCase() === "c") throw new Cancelled();
      const answer = typed === "" && current !== undefined ? current : typed;
      const trouble = check(answer);
      if (trouble === null) {
        this.right();
        return answer;
      }
      this.wrong(trouble);
    }
  }

  /** Time to read what would scroll away. */
  async pause(): Promise<void> {
    if (this.terminal.kind === "plain") return;
    this.print("Press Enter to go on.");
    const reading = await this.terminal.read({ secret: true });
    if (reading.kind === "end") throw new InputEnded();
  }

  /** Many lines, a page at a time where somebody looks at them. */
  async page(lines: string[]): Promise<void> {
    const page_rows = Math.max(4, this.terminal.rows - 3);
    const columns = this.terminal.columns - 1;
    let rows = 0;
    for (const line of lines) {
      const needed = Math.max(1, Math.ceil(line.length / columns));
      if (this.terminal.kind !== "plain" && rows + needed > page_rows) {
        await this.pause();
        rows = 0;
      }
      this.print(line);
      rows += needed;
    }
    await this.pause();
  }

  /** The sentence about an answer that cannot be used. Throws InputEnded where there were too many in a row. */
  wrong(why: string): void {
    this.print(why);
    this.#wrong += 1;
    if (this.terminal.kind === "plain" && this.#wrong >= WRONG_MAX) {
      this.print(`${thousands(WRONG_MAX)} answers could not be used; the menu ends here.`);
      throw new InputEnded();
    }
  }

  /** An answer was good. */
  right(): void {
    this.#wrong = 0;
  }

  async #line(secret = false): Promise<string> {
    for (;;) {
      const reading = await this.terminal.read({ secret });
      const text = this.usable(reading);
      // A password may begin or end with a blank.
      if (text !== null) return secret ? text : text.trim();
    }
  }

  /** The text of a line; null where it was refused, and said so. Throws Cancelled and InputEnded. */
  usable(reading: Reading): string | null {
    if (reading.kind === "text") return reading.text;
    if (reading.kind === "refused") {
      this.wrong(reading.why);
      return null;
    }
    if (reading.kind === "interrupt" || reading.kind === "aborted") throw new Cancelled();
    throw new InputEnded();
  }
}

/** The choice with that number, or what is wrong with it. */
export function numbered<T>(choices: Choice<T>[], answer: string): Choice<T> | string {
  const range = `type a number from 1 to ${choices.length} and press Enter`;
  if (answer === "") return `Nothing was typed; ${range}`;
  if (!/^\d+$/.test(answer)) return `That is no number; ${range}`;
  return choices[Number(answer) - 1] ?? `There is no item ${answer.slice(0, 12)}; ${range}`;
}
