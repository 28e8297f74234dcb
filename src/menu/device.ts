/** The real terminal: standard input and output, whatever they are. */
import type { Device, Kind } from "./terminal.ts";

/** Terminals with a scrolling region and a cursor that can be saved: the VT100 and its children. */
const ADDRESSABLE = /^(linux|vt[1-5]\d\d|xterm|screen|tmux|rxvt|putty|alacritty|foot|kitty|konsole|gnome|st)\b/;
/** What a serial line has as a rule, where nobody told the kernel otherwise. */
const USUAL = { columns: 80, rows: 24 };
/** Smaller than this, panel and list have no room beside each other. */
const ROWS_MIN = 22;
const COLUMNS_MIN = 60;

export function openDevice(environment: Record<string, string | undefined>): Device {
  const { stdin, stdout } = process;
  const is_terminal = stdin.isTTY === true && stdout.isTTY === true;
  const size = () => ({
    columns: stdout.columns > 0 ? stdout.columns : USUAL.columns,
    rows: stdout.rows > 0 ? stdout.rows : USUAL.rows,
  });
  if (is_terminal) stdin.setRawMode(true);
  // Ctrl+C is a byte while the mode is raw; one that a lent shell left behind ends nothing.
  if (is_terminal) process.on("SIGINT", () => undefined);
  return {
    kind: is_terminal ? kindOf(environment["TERM"], size()) : "plain",
    utf8: /utf-?8/i.test(environment["LC_ALL"] || environment["LC_CTYPE"] || environment["LANG"] || ""),
    size,
    write: (text) => void stdout.write(text),
    listen(take) {
      stdin.on("data", (bytes: Uint8Array) => take(bytes));
      stdin.on("end", () => take(null));
      stdin.on("error", () => take(null));
    },
    pause: (paused) => void (paused ? stdin.pause() : stdin.resume()),
    onResize: (redraw) => void stdout.on("resize", redraw),
    lend(work) {
      stdin.pause();
      if (is_terminal) stdin.setRawMode(false);
      try {
        work();
      } finally {
        if (is_terminal) stdin.setRawMode(true);
        stdin.resume();
      }
    },
    close() {
      if (is_terminal) stdin.setRawMode(false);
      stdin.pause();
    },
  };
}

export function kindOf(term: string | undefined, { columns, rows }: { columns: number; rows: number }): Kind {
  return ADDRESSABLE.test(term ?? "") && rows >= ROWS_MIN && columns >= COLUMNS_MIN ? "screen" : "dumb";
}
