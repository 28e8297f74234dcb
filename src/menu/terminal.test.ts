/** What somebody sees: on a screen, on a dumb terminal, and on a line that nobody types at. */
import { describe, expect, test } from "bun:test";
import { ACTIVE, BACKUP, FakeDevice, Session } from "../../test/menu/fake.ts";
import { Vt100 } from "../../test/menu/vt100.ts";
import { kindOf } from "./device.ts";
import { panelOf } from "./panel.ts";
import { type Kind, Terminal } from "./terminal.ts";
import { largeDigits, showable, spread, tail, thousands, wrap } from "./text.ts";

const PANEL_ROWS = 8;

function open(kind: Kind, utf8 = false) {
  const device = new FakeDevice(kind, utf8);
  const terminal = new Terminal(device);
  terminal.setPanel(panelOf(ACTIVE, 80));
  const screen = () => new Vt100(device.columns).write(device.shown);
  return { device, terminal, screen };
}

describe("on a screen", () => {
  test("the panel stays on top while everything else scrolls", () => {
    const { terminal, screen } = open("screen");
    const panel = screen().lines.slice(0, PANEL_ROWS);
    expect(panel[0]).toMatch(/^ node-a +\*\*\* ACTIVE \*\*\* +version 1\.2\.3 build 45$/);
    expect(panel[1]).toBe(" Peer       node-b, backup");
    expect(panel[7]).toMatch(/^-{79}$/);
    for (let line = 1; line <= 100; line += 1) terminal.print(`line ${line}`);
    void terminal.read();
    expect(screen().lines.slice(0, PANEL_ROWS)).toEqual(panel);
    expect(screen().lines.slice(-3)).toEqual(["line 99", "line 100", "#"]);
  });

  test("the panel is redrawn without disturbing the line being typed", () => {
    const { device, terminal, screen } = open("screen");
    terminal.print("Question");
    void terminal.read();
    device.type("gatew");
    const before = screen();
    terminal.setPanel(panelOf(BACKUP, 80));
    const after = screen();
    expect(after.lines[0]).toContain("*** BACKUP ***");
    expect(after.lines.slice(PANEL_ROWS)).toEqual(before.lines.slice(PANEL_ROWS));
    expect(after.cursor).toEqual(before.cursor);
    device.type("ay");
    expect(
      screen()
        .lines.filter((line) => line !== "")
        .at(-1),
    ).toBe("# gateway");
  });

  test("what is not new is not sent", () => {
    const { device, terminal } = open("screen");
    const { length } = device.shown;
    terminal.setPanel(panelOf(ACTIVE, 80));
    expect(device.shown.length).toBe(length);
  });

  test("a line longer than the screen keeps to its row, and can be taken back", () => {
    const { device, terminal, screen } = open("screen");
    void terminal.read();
    device.type(`${"a".repeat(100)}${"b".repeat(60)}`);
    expect(
      screen()
        .lines.slice(PANEL_ROWS)
        .filter((line) => line !== ""),
    ).toEqual([`# ${"a".repeat(17)}${"b".repeat(60)}`]);
    device.type("\x7f".repeat(155));
    expect(
      screen()
        .lines.slice(PANEL_ROWS)
        .filter((line) => line !== ""),
    ).toEqual(["# aaaaa"]);
  });

  test("lines that come meanwhile are shown above the line being typed", () => {
    const { device, terminal, screen } = open("screen");
    void terminal.read();
    device.type("c");
    terminal.interject(["Found node-a."]);
    expect(screen().lines.slice(PANEL_ROWS, PANEL_ROWS + 2)).toEqual(["Found node-a.", "# c"]);
  });

  test("Ctrl+L and another size draw everything anew", () => {
    const { device, terminal, screen } = open("screen");
    terminal.print("Question\n  1. One");
    void terminal.read();
    device.type("1");
    const before = screen().lines;
    device.type("\x0c");
    expect(screen().lines).toEqual(before);
    device.shown = "";
    device.resize(70);
    expect(screen().lines[0]).toContain("*** ACTIVE ***");
    expect(screen().lines.slice(PANEL_ROWS, PANEL_ROWS + 3)).toEqual(["Question", "  1. One", "# 1"]);
  });

  test("it is lent and given back whole", () => {
    const { device, terminal } = open("screen");
    terminal.lend(() => device.write("<shell>"));
    expect(device.shown).toContain("\x1b[r\x1b[2J\x1b[H<shell>");
    terminal.close();
    expect(device.shown).toEndWith("\x1b[r\x1b[24;1H\r\n");
  });

  test("a password is not shown, nor how it was mistyped", () => {
    const { device, terminal, screen } = open("screen");
    void terminal.read({ secret: true });
    device.type("secrex\x7ft");
    expect(
      screen()
        .lines.filter((line) => line !== "")
        .at(-1),
    ).toBe("# ******");
    device.type("\r");
    device.resize(80);
    expect(device.shown).not.toMatch(/secre|x/);
  });
});

describe("on a dumb terminal", () => {
  test("not an escape sequence is sent, whatever happens", async () => {
    const session = Session.open(
      (node) => {
        node.status = ACTIVE;
        node.routes["POST /cluster/destroy"] = () => ({});
      },
      { kind: "dumb" },
    );
    await session.talk(["Exit", "99\x1b[A9\x7f"], ["There is no item 99", "6"], ["WARNING", "n"]);
    session.node.status = BACKUP;
    await session.sees("*** BACKUP ***");
    await session.close();
    expect(session.device.shown).not.toContain("\x1b");
    expect(session.device.shown.replaceAll("\r\n", "")).not.toContain("\n");
  });

  test("backspace takes back what is shown, a wide character too", async () => {
    const { device, terminal } = open("dumb", true);
    const reading = terminal.read();
    device.type("a漢\x7f\x7fb\r");
    expect(device.shown).toEndWith("# a漢\b \b\b \b\b \bb\r\n");
    expect(await reading).toEqual({ kind: "text", text: "b" });
  });

  test("without UTF-8 nothing but ASCII is shown, and what was typed is kept", async () => {
    const { device, terminal } = open("dumb");
    const reading = terminal.read();
    device.type("nœud\r");
    expect(device.shown).toEndWith("# n?ud\r\n");
    expect(await reading).toEqual({ kind: "text", text: "nœud" });
  });
});

test("what a terminal is, by its name and size", () => {
  const size = { columns: 80, rows: 24 };
  for (const term of ["linux", "vt100", "vt220", "xterm", "xterm-256color", "screen", "tmux-256color"])
    expect(kindOf(term, size)).toBe("screen");
  for (const term of [undefined, "", "dumb", "unknown", "network", "ansi", "stone"])
    expect(kindOf(term, size)).toBe("dumb");
  expect(kindOf("linux", { columns: 40, rows: 24 })).toBe("dumb");
  expect(kindOf("linux", { columns: 80, rows: 10 })).toBe("dumb");
});

test("the panel has the same number of lines whatever there is to say", () => {
  const alarm = { message: "x".repeat(500) };
  const many = Array.from({ length: 5000 }, () => ({ address: "10.0.0.1/8", nic: "lan0", held: false }));
  const all = [null, ACTIVE, BACKUP, { ...ACTIVE, name: "漢".repeat(42), alarms: [alarm, alarm], addresses: many }];
  for (const status of all) {
    const { bar, lines } = panelOf(status, 80);
    expect(lines.length).toBe(6);
    expect(Bun.stringWidth(bar)).toBe(79);
    for (const line of lines) expect(line).not.toContain("\n");
  }
});

describe("text", () => {
  test("is wrapped between words, further in where it began so", () => {
    expect(wrap("  one two three", 9)).toEqual(["  one two", "  three"]);
    expect(wrap("", 9)).toEqual([""]);
    expect(wrap("unbreakable-and-long", 9)).toEqual(["unbreakable-and-long"]);
  });

  test("is fitted from either end", () => {
    expect(tail("abcdef", 3)).toBe("def");
    expect(spread("a".repeat(50), "MIDDLE", "right", 40)).toHaveLength(40);
  });

  test("steers no terminal", () => {
    expect(showable("a\x1b[2Jb\u009b\u202ec\td", true)).toBe("a?[2Jb??c d");
  });

  test("numbers are easy to read", () => {
    expect([3600, 0, 999, 1_234_567].map(thousands)).toEqual(["3,600", "0", "999", "1,234,567"]);
    expect(largeDigits("01").join("\n")).toBe(
      [" ###         #", "#   #       ##", "#   #        #", "#   #        #", " ###        ###"].join("\n"),
    );
  });
});
