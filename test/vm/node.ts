/** A node on a machine: its local menu at the serial console, as a person uses it. */
import { until } from "../lab/shell.ts";
import { type Card, type Machine, Vm } from "./vm.ts";

/** From power-on to the menu, in software emulation, on processors that two machines and others share. */
export const BOOT_MS_MAX = 240_000;
/** Anything the menu does. */
export const ANSWER_MS_MAX = 90_000;

/** The list of the menu is there, and reads. */
const PROMPT = /\n# ?/;

export class VmNode {
  readonly vm: Vm;
  readonly cards: Card[];

  constructor(machine: Machine) {
    this.vm = new Vm(machine);
    this.cards = machine.cards;
  }

  start(): Promise<void> {
    return this.vm.start();
  }

  expectConsole(what: string | RegExp, limit_ms = ANSWER_MS_MAX): Promise<RegExpMatchArray> {
    return this.vm.console.expect(what, limit_ms);
  }

  /** Each answer is typed, with Enter, once its question is there. */
  async talk(...turns: [question: string | RegExp, answer: string][]): Promise<void> {
    for (const [question, answer] of turns) {
      await this.expectConsole(question);
      await this.expectConsole(PROMPT);
      this.vm.console.type(`${answer}\r`);
    }
  }

  /** Types the number that the list which comes next has for `label`. */
  async choose(label: string | RegExp): Promise<void> {
    const text = typeof label === "string" ? label.replace(/[.*+?^${}()|[\]\\]/g, "\\$&") : label.source;
    const [, number] = await this.expectConsole(new RegExp(`\\s(\\d+)\\. [^\\n]*${text}`));
    await this.expectConsole(PROMPT);
    this.vm.console.type(`${number}\r`);
  }

  /** The card's MAC, by which the menu and the API name it too. */
  mac(cable: string): string {
    const card = this.cards.find((each) => each.cable === cable);
    if (card === undefined) throw new Error(`Machine ${this.vm.name} has no ${cable}.`);
    return card.mac;
  }

  /** What the last panel says the server is, such as ACTIVE. */
  untilPanel(role: string, limit_ms = ANSWER_MS_MAX): Promise<void> {
    return until(`the panel of ${this.vm.name} says ${role}`, () => this.role === role, limit_ms).catch(
      (error: Error) => {
        throw new Error(`${error.message}\n${this.vm.console.text.slice(-1500)}`);
      },
    );
  }

  get role(): string {
    return [...this.vm.console.text.matchAll(/\*\*\* (\w+)[^*]*\*\*\*/g)].at(-1)?.[1] ?? "";
  }
}
