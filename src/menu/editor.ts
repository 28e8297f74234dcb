/**
 * The line that is being typed: bytes in, what to show and whole lines out. Takes whatever a keyboard, a serial line
 * with noise on it or a script sends, and keeps a bounded amount of it.
 */

/** What came of a line. `refused` holds the sentence that says why it cannot be used. */
export type Entry =
  | { kind: "text"; text: string }
  | { kind: "refused"; why: string }
  | { kind: "interrupt" }
  | { kind: "end" };

export type Edit =
  | { kind: "insert"; text: string }
  | { kind: "erase"; text: string }
  | { kind: "bell" }
  | { kind: "redraw" }
  | { kind: "entry"; entry: Entry };

export const LINE_CHARACTERS_MAX = 1024;
/** An escape sequence of a key is short; noise is not. */
const SEQUENCE_BYTES_MAX = 16;

export const REFUSED = {
  long: `That line is too long; at most ${LINE_CHARACTERS_MAX} characters are taken, and nothing of it was used.`,
  utf8: "That line is not readable text (broken UTF-8); type it again.",
  control: "That line holds keys that are no text; type it again.",
};

const KEY = {
  interrupt: 0x03,
  end: 0x04,
  backspace: 0x08,
  newline: 0x0a,
  redraw: 0x0c,
  enter: 0x0d,
  clear: 0x15,
  escape: 0x1b,
  del: 0x7f,
};

export class LineEditor {
  readonly #interactive: boolean;
  #characters: string[] = [];
  /** Bytes of a character that is not complete yet, and how many it has. */
  #partial: number[] = [];
  #partial_length = 0;
  #broken = false;
  #strange = false;
  #overflowed = false;
  #after_enter = false;
  /** Bytes of an escape sequence so far; 0 outside of one. */
  #sequence = 0;

  /** `interactive`: somebody sees what they type, so that keys without meaning can be answered with a bell. */
  constructor(interactive: boolean) {
    this.#interactive = interactive;
  }

  get text(): string {
    return this.#characters.join("");
  }

  clear(): void {
    this.#characters = [];
    this.#partial = [];
    this.#broken = false;
    this.#strange = false;
    this.#overflowed = false;
    this.#sequence = 0;
  }

  take(byte: number): Edit[] {
    const follows_enter = this.#after_enter;
    this.#after_enter = byte === KEY.enter;
    if (byte === KEY.newline && follows_enter) return [];
    if (byte === KEY.enter || byte === KEY.newline) return [{ kind: "entry", entry: this.#finish() }];
    if (byte === KEY.interrupt) return this.#end({ kind: "interrupt" });
    if (this.#sequence > 0) return this.#continueSequence(byte);
    if (byte >= 0x80) return this.#takeHigh(byte);
    if (this.#partial.length > 0) this.#breakOff();
    if (byte >= 0x20 && byte !== KEY.del) return this.#insert(String.fromCharCode(byte));
    if (!this.#interactive) {
      if (byte === KEY.end && this.#characters.length === 0) return this.#end({ kind: "end" });
      this.#strange = true;
      return [];
    }
    return this.#takeKey(byte);
  }

  #takeKey(byte: number): Edit[] {
    const text = this.text;
    switch (byte) {
      case KEY.backspace:
      case KEY.del: {
        const last = this.#characters.pop();
        return [last === undefined ? { kind: "bell" } : { kind: "erase", text: last }];
      }
      case KEY.clear:
        this.clear();
        return text === "" ? [] : [{ kind: "erase", text }];
      case KEY.end:
        return text === "" ? this.#end({ kind: "end" }) : [{ kind: "bell" }];
      case KEY.redraw:
        return [{ kind: "redraw" }];
      case KEY.escape:
        this.#sequence = 1;
        return [];
    }
    this.#strange = true;
    return [{ kind: "bell" }];
  }

  /** The arrow keys and their like: ESC [ … letter, ESC O letter, or ESC and any key. */
  #continueSequence(byte: number): Edit[] {
    this.#sequence += 1;
    const opens = this.#sequence === 2 && (byte === 0x5b || byte === 0x4f);
    const is_last = byte >= 0x40 && byte <= 0x7e && !opens;
    const goes_on = opens || (this.#sequence > 2 && byte >= 0x20 && byte < 0x40);
    if (!is_last && goes_on && this.#sequence < SEQUENCE_BYTES_MAX) return [];
    this.#sequence = 0;
    this.#strange = true;
    return [{ kind: "bell" }];
  }

  #takeHigh(byte: number): Edit[] {
    if (this.#partial.length === 0) {
      this.#partial_length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc2 ? 2 : 0;
      if (this.#partial_length === 0) {
        this.#broken = true;
        return [];
      }
    }
    this.#partial.push(byte);
    if (this.#partial.length < this.#partial_length) return [];
    const bytes = new Uint8Array(this.#partial);
    this.#partial = [];
    let text: string;
    try {
      text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      this.#broken = true;
      return [];
    }
    // Invisible characters and those that turn the direction of writing make two names look alike.
    if (!/\p{C}/u.test(text)) return this.#insert(text);
    this.#strange = true;
    return this.#interactive ? [{ kind: "bell" }] : [];
  }

  #breakOff(): void {
    this.#partial = [];
    this.#broken = true;
  }

  #insert(text: string): Edit[] {
    if (this.#characters.length < LINE_CHARACTERS_MAX) {
      this.#characters.push(text);
      return [{ kind: "insert", text }];
    }
    this.#overflowed = true;
    return this.#interactive ? [{ kind: "bell" }] : [];
  }

  #end(entry: Entry): Edit[] {
    this.clear();
    return [{ kind: "entry", entry }];
  }

  #finish(): Entry {
    if (this.#partial.length > 0) this.#breakOff();
    const { text } = this;
    // Where keys without meaning were answered with a bell, the rest of the line is what was meant.
    const is_strange = this.#strange && (!this.#interactive || text.trim() === "");
    const why = this.#overflowed ? REFUSED.long : this.#broken ? REFUSED.utf8 : is_strange ? REFUSED.control : null;
    this.clear();
    return why === null ? { kind: "text", text } : { kind: "refused", why };
  }
}
