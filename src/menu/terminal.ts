/**
 * The terminal as the menu uses it: lines out, lines in, and a panel on top that stays.
 *
 * On a `screen` the upper rows are the panel, and the rest scrolls (DECSTBM, which a VT100, the Linux console and all
 * their children have); the panel is redrawn with the cursor saved and put back, so that what is being typed is not
 * disturbed. A `dumb` terminal gets characters, backspaces and line ends. On a `plain` one nobody types: lines are read
 * and printed, for scripts and for programs that watch a serial line.
 */
import { type Entry, LineEditor } from "./editor.ts";
import { fit, showable, tail, width, wrap } from "./text.ts";

export type Kind = "plain" | "dumb" | "screen";

export interface Device {
  readonly kind: Kind;
  readonly utf8: boolean;
  size(): { columns: number; rows: number };
  write(text: string): void;
  /** Bytes as they come; null once, at the end. Nothing comes while `pause`d. */
  listen(take: (bytes: Uint8Array | null) => void): void;
  pause(paused: boolean): void;
  onResize(redraw: () => void): void;
  /** Gives the terminal to another program until `work` returns. */
  lend(work: () => void): void;
  close(): void;
}

export type Reading = Entry | { kind: "aborted" };

export interface Panel {
  /** Shown in reverse video where there is such a thing. */
  bar: string;
  lines: string[];
}

const PROMPT = "# ";
/** Bytes typed or sent ahead of the questions they answer. */
const AHEAD_BYTES_MAX = 65_536;
/** Kept so that the screen can be drawn anew. */
const RECENT_LINES_MAX = 100;

export class Terminal {
  readonly #device: Device;
  readonly #editor: LineEditor;
  #ahead: Uint8Array[] = [];
  #ahead_bytes = 0;
  #ended = false;
  #recent: string[] = [];
  #panel: Panel | null = null;
  #panel_shown = "";
  #reading: { secret: boolean; done: (reading: Reading) => void } | null = null;

  constructor(device: Device) {
    this.#device = device;
    this.#editor = new LineEditor(device.kind !== "plain");
    device.listen((bytes) => this.#arrive(bytes));
    device.onResize(() => this.redraw());
  }

  get kind(): Kind {
    return this.#device.kind;
  }

  get utf8(): boolean {
    return this.#device.utf8;
  }

  get columns(): number {
    return this.#device.size().columns;
  }

  /** Rows that scroll. */
  get rows(): number {
    return this.#device.size().rows - (this.kind === "screen" ? this.#panelRows() : 0);
  }

  /** One line for each line of `text`; broken between words where somebody looks at it. */
  print(text = ""): void {
    for (const line of text.split("\n")) {
      const safe = showable(line, this.utf8);
      const lines = this.kind === "plain" ? [safe] : wrap(safe, this.columns - 1);
      for (const part of lines) this.#device.write(`${part}${this.#newline}`);
      this.#recent.push(...lines);
    }
    this.#recent.splice(0, this.#recent.length - RECENT_LINES_MAX);
  }

  /** Lines while somebody may be typing: above what they type, which stays. */
  interject(lines: string[]): void {
    const is_reading = this.#reading !== null;
    if (is_reading) this.#device.write(this.kind === "screen" ? "\r\x1b[K" : this.#newline);
    for (const line of lines) this.print(line);
    if (is_reading) this.#drawLine();
  }

  /** Live on a screen; elsewhere it is kept, and printed with `printPanel`. */
  setPanel(panel: Panel): void {
    const resized = this.#panel === null || panel.lines.length !== this.#panel.lines.length;
    this.#panel = panel;
    if (this.kind !== "screen") return;
    if (resized) this.redraw();
    else this.#drawPanel();
  }

  printPanel(): void {
    if (this.kind === "screen" || this.#panel === null) return;
    this.print();
    this.print(this.#panel.bar);
    for (const line of this.#panel.lines) this.print(line);
  }

  /** Everything anew: the terminal was switched on again, or has another size. */
  redraw(): void {
    if (this.kind !== "screen" || this.#panel === null) return;
    const { rows } = this.#device.size();
    const top = this.#panelRows() + 1;
    this.#device.write(`\x1b[r\x1b[2J\x1b[${top};${rows}r\x1b[${top};1H`);
    this.#panel_shown = "";
    this.#drawPanel();
    // The line being typed needs one of the rows.
    const shown = this.#recent.slice(-Math.max(1, rows - top));
    for (const line of shown) this.#device.write(`${fit(line, this.columns - 1)}\r\n`);
    if (this.#reading !== null) this.#drawLine();
  }

  /** The next line. What was typed and not entered is dropped when `signal` fires. */
  read({ secret = false, signal }: { secret?: boolean; signal?: AbortSignal } = {}): Promise<Reading> {
    if (signal?.aborted) return Promise.resolve({ kind: "aborted" });
    this.#device.write(PROMPT);
    return new Promise((resolve) => {
      const abort = (): void => {
        this.#editor.clear();
        finish({ kind: "aborted" });
      };
      const finish = (reading: Reading): void => {
        signal?.removeEventListener("abort", abort);
        this.#reading = null;
        // Nobody typed it there, so nobody has seen it.
        const echo =
          this.kind === "plain" && !secret && reading.kind === "text" ? showable(reading.text, this.utf8) : "";
        this.#device.write(echo + this.#newline);
        if (reading.kind === "text") this.#recent.push(PROMPT + (secret ? "" : showable(reading.text, this.utf8)));
        resolve(reading);
      };
      signal?.addEventListener("abort", abort);
      this.#reading = { secret, done: finish };
      this.#advance();
    });
  }

  lend(work: () => void): void {
    if (this.kind === "screen") this.#device.write("\x1b[r\x1b[2J\x1b[H");
    this.#device.lend(work);
    this.redraw();
  }

  close(): void {
    if (this.kind === "screen") this.#device.write(`\x1b[r\x1b[${this.#device.size().rows};1H\r\n`);
    this.#device.close();
  }

  get #newline(): string {
    return this.kind === "plain" ? "\n" : "\r\n";
  }

  #panelRows(): number {
    return this.#panel === null ? 0 : this.#panel.lines.length + 2;
  }

  #drawPanel(): void {
    if (this.#panel === null) return;
    const columns = this.columns;
    const row = (text: string): string => fit(showable(text, this.utf8), columns - 1);
    const bar = row(this.#panel.bar);
    const lines = [
      `\x1b[1;7m${bar}${" ".repeat(Math.max(0, columns - 1 - width(bar)))}\x1b[0m`,
      ...this.#panel.lines.map(row),
      "-".repeat(columns - 1),
    ];
    const picture = lines.map((line, index) => `\x1b[${index + 1};1H${line}\x1b[K`).join("");
    if (picture === this.#panel_shown) return;
    this.#panel_shown = picture;
    this.#device.write(`\x1b7${picture}\x1b8`);
  }

  #arrive(bytes: Uint8Array | null): void {
    if (bytes === null) this.#ended = true;
    else {
      this.#ahead.push(bytes);
      this.#ahead_bytes += bytes.length;
      if (this.#ahead_bytes > AHEAD_BYTES_MAX) this.#device.pause(true);
    }
    this.#advance();
  }

  /** Takes bytes for as long as somebody reads, and no further than to the end of the line. */
  #advance(): void {
    while (this.#reading !== null) {
      const chunk = this.#ahead[0];
      if (chunk === undefined) {
        // What was typed and not entered does not count: a line that was hung up is no answer.
        if (this.#ended) this.#reading.done({ kind: "end" });
        return;
      }
      this.#ahead[0] = chunk.subarray(1);
      this.#ahead_bytes -= 1;
      if (chunk.length <= 1) this.#ahead.shift();
      if (this.#ahead.length === 0) this.#device.pause(false);
      for (const edit of this.#editor.take(chunk[0] ?? 0)) {
        if (edit.kind === "entry") this.#reading?.done(edit.entry);
        else if (edit.kind === "redraw") this.redraw();
        else if (this.kind !== "plain") this.#show(edit);
      }
    }
  }

  #show(edit: { kind: "insert" | "erase"; text: string } | { kind: "bell" }): void {
    if (edit.kind === "bell") return this.#device.write("\x07");
    if (this.kind === "screen") return this.#drawLine();
    const shown = this.#masked(edit.text);
    if (edit.kind === "insert") this.#device.write(shown);
    else this.#device.write("\b \b".repeat(width(shown)));
  }

  #drawLine(): void {
    const text = this.#masked(this.#editor.text);
    if (this.kind !== "screen") return this.#device.write(PROMPT + (this.kind === "plain" ? "" : text));
    this.#device.write(`\r${PROMPT}${tail(text, this.columns - PROMPT.length - 1)}\x1b[K`);
  }

  #masked(text: string): string {
    return this.#reading?.secret ? "*".repeat([...text].length) : showable(text, this.utf8);
  }
}
