import { describe, expect, test } from "bun:test";
import { type Entry, LINE_CHARACTERS_MAX, LineEditor, REFUSED } from "./editor.ts";

/** Whole lines that came of these bytes. */
function entries(input: string | number[], interactive = true): Entry[] {
  const editor = new LineEditor(interactive);
  const bytes = typeof input === "string" ? [...new TextEncoder().encode(input)] : input;
  return bytes.flatMap((byte) => editor.take(byte)).flatMap((edit) => (edit.kind === "entry" ? [edit.entry] : []));
}

const text = (value: string): Entry => ({ kind: "text", text: value });
const refused = (why: string): Entry => ({ kind: "refused", why });
const bytes = (value: string): number[] => [...new TextEncoder().encode(value)];

describe("what a line becomes", () => {
  const rows: [string, string | number[], Entry[], boolean?][] = [
    ["a number and Enter", "3\r", [text("3")]],
    ["CR LF is one line", "3\r\n4\r\n", [text("3"), text("4")]],
    ["LF LF is two", "3\n\n", [text("3"), text("")]],
    ["blanks are kept", " node b \r", [text(" node b ")]],
    ["backspace and delete", "12\b\x7f3\r", [text("3")]],
    ["backspace on nothing", "\b\b3\r", [text("3")]],
    ["backspace takes a whole character", "é\x7fe\r", [text("e")]],
    ["Ctrl+U", "nonsense\x153\r", [text("3")]],
    ["Ctrl+C, and what follows", "12\x033\r", [{ kind: "interrupt" }, text("3")]],
    ["Ctrl+D on an empty line", "\x04", [{ kind: "end" }]],
    ["Ctrl+D on a full one", "1\x04\r", [text("1")]],
    ["arrow keys are no text", "\x1b[A\x1bOB\x1b[1;5C3\r", [text("3")]],
    ["arrow keys alone", "\x1b[A\r", [refused(REFUSED.control)]],
    ["an escape that never ends gives up", `\x1b[${"1".repeat(100)}m3\r`, [text(`${"1".repeat(86)}m3`)]],
    ["Enter ends a lone escape's line too", "\x1b\r", [text("")]],
    ["control bytes from a script", "1\x00\x07\r", [refused(REFUSED.control)], false],
    ["UTF-8", "nœud-β\r", [text("nœud-β")]],
    ["UTF-8 broken off", [...bytes("a"), 0xc3, 0x0d], [refused(REFUSED.utf8)]],
    ["UTF-8 broken by text", [0xe2, 0x82, ...bytes("x\r")], [refused(REFUSED.utf8)]],
    ["a byte that begins nothing", [0xff, ...bytes("1\r")], [refused(REFUSED.utf8)]],
    ["an overlong form", [0xe0, 0x80, 0xaf, 0x0d], [refused(REFUSED.utf8)]],
    ["a right-to-left override", "\u202e1\r", [refused(REFUSED.control)], false],
    ["Latin-1 by a wrong terminal", [0xe9, 0x0d], [refused(REFUSED.utf8)]],
    ["just long enough", `${"x".repeat(LINE_CHARACTERS_MAX)}\r`, [text("x".repeat(LINE_CHARACTERS_MAX))]],
    ["too long", `${"x".repeat(LINE_CHARACTERS_MAX + 1)}\r3\r`, [refused(REFUSED.long), text("3")]],
  ];
  for (const [what, input, expected, interactive] of rows)
    test(what, () => expect(entries(input, interactive)).toEqual(expected));
});

test("whatever comes, the next line is a line again", () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    let state = seed;
    const noise = Array.from({ length: 60 }, () => {
      state = (state * 1103515245 + 12345) & 0x7fffffff;
      return (state >>> 16) & 0xff;
    });
    // The first Enter may be taken by an escape sequence under way.
    expect(entries([...noise, 0x0d, 0x0d, ...bytes("42\r")]).at(-1)).toEqual(text("42"));
  }
});
