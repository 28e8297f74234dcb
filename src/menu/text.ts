/** Text for a screen of characters: nothing in it may steer a terminal, and it fits. */

/** Control, format, unassigned and private characters: names and messages come from the other node too. */
const UNSHOWABLE = /\p{C}/gu;

/** One line that is safe to show. Where the terminal knows no UTF-8, what is not ASCII becomes `?`. */
export function showable(text: string, utf8: boolean): string {
  const plain = text.replace(/\s/g, " ").replace(UNSHOWABLE, "?");
  return utf8 ? plain : plain.replace(/[^\x20-\x7e]/gu, "?");
}

export function width(text: string): number {
  return Bun.stringWidth(text);
}

/** Cut to `columns`, with three dots where something is missing. */
export function fit(text: string, columns: number): string {
  if (width(text) <= columns) return text;
  let cut = "";
  for (const character of text) {
    if (width(cut + character) > columns - 3) break;
    cut += character;
  }
  return `${cut}...`;
}

/** The end of a text, no wider than `columns`. */
export function tail(text: string, columns: number): string {
  const characters = [...text];
  while (characters.length > 0 && width(characters.join("")) > columns) characters.shift();
  return characters.join("");
}

/** Broken between words; the second and later lines begin as far in as the first does. */
export function wrap(text: string, columns: number): string[] {
  const indent = /^ */.exec(text)?.[0] ?? "";
  const lines: string[] = [];
  let line = indent;
  for (const word of text.slice(indent.length).split(" ")) {
    const longer = line.trim() === "" ? line + word : `${line} ${word}`;
    if (width(longer) > columns && line.trim() !== "") {
      lines.push(line);
      line = indent + word;
    } else line = longer;
  }
  lines.push(line);
  return lines;
}

/** Left, middle and right on one line of just `columns`. */
export function spread(left: string, middle: string, right: string, columns: number): string {
  const space = columns - width(middle) - 2;
  const ends = fit(left, Math.max(3, Math.floor(space / 2) - 1));
  const before = Math.max(1, Math.floor((columns - width(middle)) / 2) - width(ends));
  const start = ends + " ".repeat(before) + middle;
  const rest = columns - width(start);
  const end = width(right) < rest ? right : "";
  return start + " ".repeat(Math.max(0, rest - width(end))) + end;
}

const FONT: Record<string, string[]> = {
  "0": [" ### ", "#   #", "#   #", "#   #", " ### "],
  "1": ["  #  ", " ##  ", "  #  ", "  #  ", " ### "],
  "2": [" ### ", "#   #", "  ## ", " #   ", "#####"],
  "3": ["#### ", "    #", " ### ", "    #", "#### "],
  "4": ["#   #", "#   #", "#####", "    #", "    #"],
  "5": ["#####", "#    ", "#### ", "    #", "#### "],
  "6": [" ### ", "#    ", "#### ", "#   #", " ### "],
  "7": ["#####", "   # ", "  #  ", " #   ", " #   "],
  "8": [" ### ", "#   #", " ### ", "#   #", " ### "],
  "9": [" ### ", "#   #", " ####", "    #", " ### "],
};

/** Digits five lines high, in two groups, to be read from across a server room. */
export function largeDigits(digits: string): string[] {
  const half = Math.ceil(digits.length / 2);
  return [0, 1, 2, 3, 4].map((row) =>
    [...digits]
      .map((digit, index) => (index === half ? "    " : "") + (FONT[digit]?.[row] ?? "     "))
      .join("  ")
      .trimEnd(),
  );
}

/** 3,600 rather than 3600. */
export function thousands(number: number): string {
  return String(Math.max(0, Math.round(number))).replace(/\B(?=(\d{3})+$)/g, ",");
}
