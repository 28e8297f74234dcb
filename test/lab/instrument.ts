/** One running instrument (instruments/): marked, asked and told by line. */
import { sentence } from "../../src/errors.ts";

/** A client's traffic since the mark; see instruments/traffic.c for what a gap is. */
export interface ProbeReport {
  gap_ms: number;
  /** When the longest gap began, since the mark. */
  gap_from_ms: number;
  since_answer_ms: number;
  sent: number;
  answered: number;
  window_ms: number;
  /** The machine's monotonic clock at the report, which observers and captures use too. */
  now_ms: number;
  /** Every gap of 10 ms or more that has ended, since the mark. */
  gaps: { from_ms: number; to_ms: number }[];
}

/** Heartbeats that came in since the mark; the longest time between two of them. */
export interface GapsReport {
  beats: number;
  gap_ms: number;
  mean_ms: number;
}

/** Consecutive questions that the same MACs answered, in the order in which they were asked. */
export interface OwnerRun {
  macs: string[];
  from_ms: number;
  to_ms: number;
  count: number;
}

/** Who answered for one address (or carried the traffic) since the mark. */
export interface Book {
  what: string;
  asked: number;
  /** True when more was asked than the book can hold: it proves nothing then. */
  full: boolean;
  runs: OwnerRun[];
}

export interface ObserverReport {
  /** The mark on the machine's monotonic clock, which captures use too. */
  mark_ms: number;
  books: Book[];
}

export class Instrument {
  readonly #child;
  readonly #reader;
  #rest = "";
  #turn: Promise<unknown> = Promise.resolve();

  constructor(command: string[]) {
    this.#child = Bun.spawn(command, { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
    this.#reader = this.#child.stdout.getReader();
  }

  mark(): void {
    this.#say("mark");
  }

  /** Has the latest frames written to a file, and waits until they are. */
  async capture(path: string): Promise<void> {
    this.#say(`capture ${path}`);
    await this.report();
  }

  /** Reports are answered one after the other, whoever asks. */
  report<T>(): Promise<T> {
    const answer = this.#turn.then(async () => {
      this.#say("report");
      return JSON.parse(await this.line()) as T;
    });
    this.#turn = answer.catch(() => {});
    return answer;
  }

  /** The next line that the instrument prints. */
  async line(): Promise<string> {
    const decoder = new TextDecoder();
    while (!this.#rest.includes("\n")) {
      const { value, done } = await this.#reader.read();
      if (done) throw new Error("The instrument ended before it answered.");
      this.#rest += decoder.decode(value, { stream: true });
    }
    const end = this.#rest.indexOf("\n");
    const line = this.#rest.slice(0, end);
    this.#rest = this.#rest.slice(end + 1);
    return line;
  }

  end(): void {
    this.#child.kill("SIGKILL");
  }

  #say(order: string): void {
    try {
      this.#child.stdin.write(`${order}\n`);
      this.#child.stdin.flush();
    } catch (error) {
      throw new Error(`An instrument takes no orders: ${sentence(error)}.`);
    }
  }
}
