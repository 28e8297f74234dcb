/** What comes from a keyboard, a noisy serial line or a script, as the local menu reads it. */
import { type Entry, LINE_CHARACTERS_MAX, LineEditor } from "../../../src/menu/editor.ts";
import type { Target } from "../target.ts";

const encode = (text: string) => new TextEncoder().encode(text);
/** What people, keys without meaning, other terminals and noise send. */
const TYPED = {
  number: encode("3\r"),
  keys: encode("\x1b[A\x1b[1;5C12\x7f\r"),
  text: encode("nœud-β\r\n10.1.0.1/24 fd00::1/64\r"),
  long: encode(`${"x".repeat(1100)}\r`),
  control: encode("\x03\x04\x15\r"),
};

export const typing: Target = {
  base: TYPED,
  next: (mutator, corpus) => mutator.mutated(corpus),
  check(bytes) {
    for (const interactive of [true, false]) {
      const editor = new LineEditor(interactive);
      const entries: Entry[] = [];
      // The first Enter may end an escape sequence under way.
      for (const byte of [...bytes, ...encode("\r\r42\r")])
        for (const edit of editor.take(byte)) if (edit.kind === "entry") entries.push(edit.entry);
      const last = entries.at(-1);
      if (last?.kind !== "text" || last.text !== "42") throw new Error("Broken: after Enter a line is a line");
      for (const entry of entries) {
        if (entry.kind !== "text") continue;
        if (/\p{C}/u.test(entry.text)) throw new Error("Broken: what was typed holds nothing that steers a terminal");
        if ([...entry.text].length > LINE_CHARACTERS_MAX) throw new Error("Broken: lines are bounded");
      }
    }
  },
};
