/**
 * The judge of the guarantee. Observers on both networks ask a thousand times a second who owns
 * each shared address, and watch who carries the client's traffic; the judge reads their books.
 *
 * Questions are numbered, so the order in which answers arrive does not matter: a question that two
 * MACs answered has two owners, and so has an address whose answers go from A to B and back to A,
 * unless that many changes of owner were due. A book without answers proves nothing and fails too.
 */
import { join } from "node:path";
import { readCapture } from "./capture.ts";
import type { Book, Instrument, ObserverReport, OwnerRun } from "./instrument.ts";

const RUNS_SHOWN_MAX = 12;
const FRAMES_SHOWN_MAX = 60;
/** Frames this long before and after the moment of the offence are printed. */
const AROUND_MS = 4;

export interface Verdict {
  /** When it happened, since the mark. */
  at_ms: number;
  text: string;
}

/** Two owners? Null where at most `changes` changes of owner explain the book. */
export function twoOwners({ what, runs, full }: Book, changes: number): Verdict | null {
  if (full) return { at_ms: 0, text: `${what}: the window was too long to judge` };
  if (runs.length === 0) return { at_ms: 0, text: `${what}: no answer was seen, so nothing is proved` };
  const both = runs.find(({ macs }) => macs.length > 1);
  if (both !== undefined)
    return { at_ms: both.from_ms, text: `${what}: one question had two owners: ${shown(runs, both)}` };
  const surplus = runs[changes + 1];
  if (surplus === undefined) return null;
  return { at_ms: surplus.from_ms, text: `${what}: ${changes} changes of owner were due: ${shown(runs, surplus)}` };
}

export function shown(runs: OwnerRun[], offence: OwnerRun): string {
  const first = Math.max(0, runs.indexOf(offence) - RUNS_SHOWN_MAX / 2);
  return runs
    .slice(first, first + RUNS_SHOWN_MAX)
    .map(({ macs, from_ms, to_ms, count }) => {
      const when = count === 1 ? `at ${from_ms.toFixed(1)} ms` : `${from_ms.toFixed(1)} to ${to_ms.toFixed(1)} ms`;
      return `${macs.join(" and ")} ${when} (${count})`;
    })
    .join("; ");
}

export class Judge {
  readonly #observers: { where: string; instrument: Instrument }[] = [];
  readonly #directory: string;

  /** Captures of offences are written to `directory`. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  watch(where: string, instrument: Instrument): void {
    this.#observers.push({ where, instrument });
  }

  mark(): void {
    for (const { instrument } of this.#observers) instrument.mark();
  }

  async books(): Promise<{ where: string; book: Book }[]> {
    const all = this.#observers.map(async ({ where, instrument }) => {
      const { books } = await instrument.report<ObserverReport>();
      return books.map((book) => ({ where, book }));
    });
    return (await Promise.all(all)).flat();
  }

  /** The offences since the mark, each with the frames around it; empty where there was one owner at any time. */
  offences(changes: number): Promise<string[]> {
    return this.offencesBy((book) => twoOwners(book, changes));
  }

  /** The same with a verdict of one's own, which is told when the mark was on the machine's monotonic clock. */
  async offencesBy(judge: (book: Book, mark_ms: number) => Verdict | null): Promise<string[]> {
    const offences: string[] = [];
    for (const { where, instrument } of this.#observers) {
      const { mark_ms, books } = await instrument.report<ObserverReport>();
      for (const book of books) {
        const verdict = judge(book, mark_ms);
        if (verdict !== null)
          offences.push(`${where}: ${verdict.text}\n${await this.#frames(where, instrument, mark_ms, verdict)}`);
      }
    }
    return offences;
  }

  async #frames(where: string, instrument: Instrument, mark_ms: number, { at_ms }: Verdict): Promise<string> {
    const path = join(this.#directory, `${where.replace(/\W+/g, "-")}.pcap`);
    await instrument.capture(path);
    const lines = readCapture(path)
      .map((frame) => ({ ...frame, at_ms: frame.at_ms - mark_ms }))
      .filter((frame) => Math.abs(frame.at_ms - at_ms) <= AROUND_MS)
      .slice(0, FRAMES_SHOWN_MAX)
      .map((frame) => `  ${frame.at_ms.toFixed(3).padStart(11)} ms  ${frame.text}`);
    return [`  frames around it (${path} has more):`, ...lines].join("\n");
  }
}
