/** The network cards of this server: what each is used for, what they are called, and which is missing. */
import { Failure, sentence } from "../errors.ts";
import type { Snapshot } from "../heart/messages.ts";
import { openShim } from "../shim.ts";
import { assignName, forgetName, type KnownCard, type PresentCard } from "./card-names.ts";
import { readCardNames, writeCardNames } from "./card-names-file.ts";
import { presentCards } from "./card-naming.ts";
import { type CardReport, type CardUse, cardAlarms, reportCards } from "./cards.ts";
import type { Events } from "./events.ts";

export class CardKeeper {
  readonly #state: string;
  readonly #used: () => Omit<CardUse, "names">;
  readonly #events: Events;
  /** As of the last look. */
  alarms: Snapshot["alarms"] = [];

  /** `state` is the directory with their names, `used` what the settings and the cluster have them for. */
  constructor(state: string, used: () => Omit<CardUse, "names">, events: Events) {
    this.#state = state;
    this.#used = used;
    this.#events = events;
  }

  /** What `list` and the doctor go by. */
  use(): CardUse {
    return { ...this.#used(), names: readCardNames(this.#state).names };
  }

  /** Not at every status: it asks the kernel and the disk. */
  list(): CardReport[] {
    const cards = reportCards(this.use());
    this.alarms = cardAlarms(cards);
    return cards;
  }

  look(): void {
    try {
      this.list();
    } catch (error) {
      this.#events.add("interface-refused", "error", `The network cards cannot be looked at: ${sentence(error)}.`);
    }
  }

  /** Another name for a card, from the next start on. Throws Failure. */
  assign(name: string, card: string): void {
    this.#change((names, present) => assignName(names, present, name, card));
  }

  /** Nobody waits for that card any more, and its name is free. Throws Failure. */
  forget(name: string): void {
    this.#change((names, present) => forgetName(names, present, name));
  }

  #change(change: (names: KnownCard[], present: PresentCard[]) => KnownCard[]): void {
    const { names } = readCardNames(this.#state);
    if (names === null)
      throw new Failure(
        "no-names",
        "The names of this server's cards are not kept here; name them as its system does.",
      );
    writeCardNames(this.#state, change(names, presentCards(openShim())));
    this.look();
  }
}
