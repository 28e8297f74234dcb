/** As much of a VT100 as the menu uses; anything else it is sent is an error, since a real one would show it. */
const ROWS = 24;

export class Vt100 {
  readonly #columns: number;
  #rows: string[];
  #row = 0;
  #column = 0;
  #saved: [row: number, column: number] = [0, 0];
  #top = 0;
  #bottom = ROWS - 1;

  constructor(columns = 80) {
    this.#columns = columns;
    this.#rows = Array.from({ length: ROWS }, () => "");
  }

  get lines(): string[] {
    return this.#rows.map((row) => row.trimEnd());
  }

  /** Where the next character would come. */
  get cursor(): { row: number; column: number } {
    return { row: this.#row, column: this.#column };
  }

  write(text: string): this {
    const token = /\x1b\[([\d;]*)([A-Za-z])|\x1b([78])|([\r\n\b\x07])|([^\x00-\x1f])/gu;
    let end = 0;
    for (const match of text.matchAll(token)) {
      if (match.index !== end) throw new Error(`No VT100 understands ${JSON.stringify(text.slice(end, match.index))}.`);
      end = match.index + match[0].length;
      const [, numbers = "", command, cursor, control, character] = match;
      if (command !== undefined) this.#command(command, numbers.split(";").map(Number));
      else if (cursor === "7") this.#saved = [this.#row, this.#column];
      else if (cursor === "8") [this.#row, this.#column] = this.#saved;
      else if (control !== undefined) this.#control(control);
      else this.#put(character ?? "");
    }
    if (end !== text.length) throw new Error(`No VT100 understands ${JSON.stringify(text.slice(end))}.`);
    return this;
  }

  #command(command: string, [first = 0, second = 0]: number[]): void {
    switch (command) {
      case "r":
        this.#top = (first || 1) - 1;
        this.#bottom = (second || ROWS) - 1;
        [this.#row, this.#column] = [0, 0];
        return;
      case "H":
        [this.#row, this.#column] = [(first || 1) - 1, (second || 1) - 1];
        return;
      case "J":
        if (first === 2) this.#rows = this.#rows.map(() => "");
        else this.#rows = this.#rows.map((row, index) => (index > this.#row ? "" : row));
        return;
      case "K":
        this.#rows[this.#row] = this.#here().slice(0, this.#column);
        return;
      case "m":
        return;
    }
    throw new Error(`No VT100 of ours knows CSI ${command}.`);
  }

  #control(control: string): void {
    if (control === "\r") this.#column = 0;
    if (control === "\b") this.#column = Math.max(0, this.#column - 1);
    if (control === "\n") this.#feed();
  }

  #feed(): void {
    if (this.#row !== this.#bottom) this.#row = Math.min(ROWS - 1, this.#row + 1);
    else {
      this.#rows.splice(this.#top, 1);
      this.#rows.splice(this.#bottom, 0, "");
    }
  }

  #put(character: string): void {
    if (this.#column >= this.#columns) {
      this.#column = 0;
      this.#feed();
    }
    const row = this.#here();
    this.#rows[this.#row] = row.slice(0, this.#column) + character + row.slice(this.#column + 1);
    this.#column += 1;
  }

  #here(): string {
    return (this.#rows[this.#row] ?? "").padEnd(this.#column);
  }
}
