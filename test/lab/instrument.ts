/** One running instrument (instruments.c): marked and asked by line. */

export interface ProbeReport {
  gap_ms: number;
  since_answer_ms: number;
  sent: number;
  answered: number;
  window_ms: number;
}

export interface Run {
  mac: string;
  from_ms: number;
  to_ms: number;
  count: number;
}

export interface ObserverReport {
  sent: number;
  runs: Run[];
}

export class Instrument {
  readonly #child;
  #rest = "";
  readonly #reader;

  constructor(command: string[]) {
    this.#child = Bun.spawn(command, { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
    this.#reader = this.#child.stdout.getReader();
  }

  mark(): void {
    this.#child.stdin.write("mark\n");
    this.#child.stdin.flush();
  }

  async report<T>(): Promise<T> {
    this.#child.stdin.write("report\n");
    this.#child.stdin.flush();
    const decoder = new TextDecoder();
    while (!this.#rest.includes("\n")) {
      const { value, done } = await this.#reader.read();
      if (done) throw new Error("The instrument ended.");
      this.#rest += decoder.decode(value, { stream: true });
    }
    const end = this.#rest.indexOf("\n");
    const line = this.#rest.slice(0, end);
    this.#rest = this.#rest.slice(end + 1);
    return JSON.parse(line) as T;
  }

  end(): void {
    this.#child.kill("SIGKILL");
  }
}

/**
 * Two owners? Answers come in runs of one MAC. Each ordered change of owner may begin one new run;
 * more runs than that mean that two nodes answered in turn. Returns the runs as text, or null.
 */
export function twoOwners(report: ObserverReport, changes: number): string | null {
  if (report.runs.length <= changes + 1) return null;
  return report.runs
    .slice(0, 20)
    .map(({ mac, from_ms, to_ms, count }) => `${mac} ${from_ms.toFixed(1)} to ${to_ms.toFixed(1)} ms (${count})`)
    .join("; ");
}
