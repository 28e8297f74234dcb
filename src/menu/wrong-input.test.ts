/** Whatever is typed, and whatever becomes of the node meanwhile: one sentence, and nothing is lost. */
import { afterEach, describe, expect, test } from "bun:test";
import { ACTIVE, BACKUP, Session } from "../../test/menu/fake.ts";

let session: Session;

afterEach(() => session.close());

describe("at the list", () => {
  const rows: [string, string | Uint8Array, string][] = [
    ["nothing", "\n", "Nothing was typed; type a number from 1 to 13"],
    ["letters", "reboot\n", "That is no number; type a number from 1 to 13"],
    ["zero", "0\n", "There is no item 0;"],
    ["too large a number", "14\n", "There is no item 14;"],
    ["a huge one", `${"9".repeat(400)}\n`, "There is no item 999999999999;"],
    ["a negative one", "-1\n", "That is no number;"],
    ["a fraction", "1.5\n", "That is no number;"],
    ["other digits", "٣\n", "That is no number;"],
    ["control bytes", "1\x00\n", "That line holds keys that are no text"],
    ["an escape sequence", "\x1b[2J\n", "That line holds keys that are no text"],
    ["a very long line", `${"1".repeat(100_000)}\n`, "That line is too long"],
    ["broken UTF-8", new Uint8Array([0xc3, 0x28, 0x0a]), "broken UTF-8"],
    ["Ctrl+C", "\x03", "Type 13 and press Enter to leave the menu."],
  ];
  for (const [what, typed, said] of rows)
    test(what, async () => {
      session = Session.open();
      await session.sees("13. Exit\n# ");
      session.device.type(typed);
      await session.sees(said);
      await session.sees("# ");
      const lines = session.device.shown.split("13. Exit\n")[1] ?? "";
      // The line itself, one sentence, and the next prompt.
      expect(lines.split("\n").length).toBe(3);
      session.device.type("13\n");
      await session.ended;
    });

  test("the end of input ends the menu, also half-way through a line or a question", async () => {
    for (const typed of ["", "13", "3\n", "3\nhalf a passphr"]) {
      session = Session.open();
      await session.sees("13. Exit\n# ");
      session.device.type(typed);
      session.device.end();
      await session.ended;
      expect(session.node.bodies("POST /backups")).toEqual([]);
      await session.close();
    }
  });

  test("a program that answers other questions than ours is not answered for ever", async () => {
    session = Session.open();
    session.device.type("y\n".repeat(200));
    await session.ended;
    expect(session.device.shown).toContain("100 answers could not be used; the menu ends here.");
  });

  test("what comes ahead of its questions waits, and is bounded", async () => {
    session = Session.open();
    session.device.type("2\nc\n13\n");
    await session.ended;
    expect(session.device.shown).toContain("Cancelled");
    await session.close();
    session = Session.open();
    session.device.type("x".repeat(70_000));
    await session.sees("# ");
    session.device.type("\n13\n");
    await session.ended;
  });
});

describe("at a question", () => {
  test("y, n and c, and nothing else", async () => {
    session = Session.open((node) => {
      node.status = BACKUP;
    });
    await session.choose("Reboot server");
    await session.sees("# ");
    for (const wrong of ["", "yes", "1", "y y", "\u00ff", "reboot"]) {
      session.device.type(`${wrong}\n`);
      await session.sees("Type y, n or c and press Enter.");
    }
    session.device.type("N\n");
    await session.sees("Cancelled; nothing was changed.");
    expect(session.node.bodies("POST /system/reboot")).toEqual([]);
  });

  test("Ctrl+C cancels it", async () => {
    session = Session.open();
    await session.choose("Change the server's name");
    await session.sees("Enter the new server name");
    await session.sees("# ");
    session.device.type("abc\x03");
    await session.sees("Cancelled; nothing was changed.");
    await session.sees("  1. Configure an interface");
  });
});

describe("the node goes away and comes back", () => {
  test("at the list: said, and the list is back", async () => {
    session = Session.open();
    await session.sees("13. Exit\n# ");
    session.node.stop();
    await session.sees("No node is running at");
    await session.sees("  1. Exit\n# ");
    session.node.start();
    await session.sees("This server is in no cluster now.");
    await session.sees("13. Exit\n# ");
  });

  test("before the menu begins", async () => {
    session = Session.open(() => undefined, { running: false });
    await session.sees("NO ANSWER");
    await session.sees("  1. Exit\n# ");
    session.node.start();
    await session.sees("13. Exit\n# ");
  });

  test("in the middle of a question: what was typed is kept and tried again", async () => {
    session = Session.open();
    await session.choose("Change the server's name");
    await session.sees("# ");
    session.node.stop();
    session.device.type("gateway\n");
    await session.sees("No node is running at");
    await session.talk(["Try again? What you typed is kept.", "y"], ["Try again?", "x"]);
    await session.sees("Type y, n or c");
    session.node.start();
    session.device.type("y\n");
    await session.sees("The name of this server is gateway now.");
    expect(session.node.bodies("PATCH /settings?author=console")).toEqual([{ set: { "server.name": "gateway" } }]);
  });

  test("the role changes under a question: its answer is the node's, and the list is the new one", async () => {
    session = Session.open((node) => {
      node.status = ACTIVE;
    });
    await session.choose("Web access from outside");
    await session.sees("# ");
    session.node.status = BACKUP;
    session.device.type("n\n");
    await session.sees("Cancelled");
    await session.sees("  1. Destroy cluster\n");
  });
});

test("names that would steer the terminal do not", async () => {
  session = Session.open((node) => {
    node.status = { ...ACTIVE, peer: { name: "evil\x1b[2J\x07\u202e", role: "backup", heard: true } };
  });
  await session.sees("evil");
  await session.sees("# ");
  expect(session.device.shown).not.toMatch(/[\x00-\x09\x0b-\x1f\u202e]/);
});
