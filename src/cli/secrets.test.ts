/** Passwords and passphrases at the command line: on a terminal nothing of them is shown, in a pipe one line is read. */
import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const MAIN = join(import.meta.dir, "../main.ts");
const run = mkdtempSync(join(tmpdir(), "understudy-secrets-"));
const SECRET = "four boats in the fog";
let asked: { path: string; body: { password?: string; passphrase?: string } }[] = [];
const answers: Record<string, { status: number; value: object }> = {};
/** In place of a node. */
const server = Bun.serve({
  unix: join(run, "control.sock"),
  async fetch(request) {
    const path = `${request.method} ${new URL(request.url).pathname}`;
    asked.push({ path, body: (await request.json()) as object });
    const { status, value } = answers[path] ?? { status: 200, value: { name: "copy", encrypted: true } };
    return Response.json(value, { status });
  },
});

beforeEach(() => {
  asked = [];
});
afterAll(() => {
  server.stop(true);
  rmSync(run, { recursive: true, force: true });
});

/** Types each of the keys when its prompt is there; what the terminal has shown, and the exit status. */
async function onTerminal(words: string[], talk: [string, string][]): Promise<{ shown: string; status: number }> {
  let shown = "";
  let next = 0;
  const child = Bun.spawn([process.execPath, MAIN, "--run", run, ...words], {
    terminal: {
      data(terminal, data) {
        shown += new TextDecoder().decode(data);
        const [prompt, keys] = talk[next] ?? [];
        if (prompt === undefined || keys === undefined || !shown.includes(prompt)) return;
        next += 1;
        terminal.write(keys);
      },
    },
  });
  const status = await child.exited;
  // What it said last may still be on its way.
  const plain = () => shown.replace(/\x1b\[\d*m/g, "").trimEnd();
  for (let turns = 0; turns < 100 && !plain().endsWith("."); turns++) await Bun.sleep(10);
  return { shown: plain(), status };
}

async function inPipe(words: string[], input: string) {
  const child = Bun.spawn([process.execPath, MAIN, "--run", run, ...words], {
    stdin: new Blob([input]),
    stdout: "pipe",
    stderr: "pipe",
  });
  return { status: await child.exited, stderr: await child.stderr.text(), stdout: await child.stdout.text() };
}

const TWICE: [string, string][] = [
  ["New password for admin: ", `${SECRET}\r`],
  ["The same password for admin again: ", `${SECRET}\r`],
];

describe("on a terminal", () => {
  test("a password is asked for twice, and not shown", async () => {
    const { shown, status } = await onTerminal(["password"], TWICE);
    expect([status, asked]).toEqual([
      0,
      [{ path: "POST /administrators/password", body: { name: "admin", password: SECRET } as object }],
    ]);
    expect(shown).toContain("The password of admin was set.");
    expect(shown).not.toContain("boats");
  });

  test("slips can be erased, one letter or all", async () => {
    const slips = `wrong\x15${SECRET}xü\x7f\x7f\r`;
    await onTerminal(
      ["password"],
      TWICE.map(([prompt]) => [prompt, slips]),
    );
    expect(asked[0]?.body.password).toBe(SECRET);
  });

  test("two that differ change nothing", async () => {
    const { shown, status } = await onTerminal(["password"], [TWICE[0] ?? ["", ""], ["again: ", "something else\r"]]);
    expect([status, asked]).toEqual([1, []]);
    expect(shown).toContain("The two are not the same; nothing was changed.");
  });

  test("Ctrl+C cancels, and says so", async () => {
    const { shown, status } = await onTerminal(["password"], [["New password for admin: ", "four\x03"]]);
    expect([status, asked]).toEqual([1, []]);
    expect(shown).toContain("Cancelled.");
  });

  test("a restore asks for the passphrase only where the copy needs one", async () => {
    const needed = { status: 409, value: { code: "passphrase-needed", message: "This backup copy is encrypted." } };
    const talk: [string, string][] = [["Passphrase: ", `${SECRET}\r`]];
    await onTerminal(["backup", "restore", "copy"], talk);
    expect(asked.map(({ body }) => body.passphrase)).toEqual([undefined]);
    asked = [];
    answers["POST /backups/restore"] = needed;
    const { shown } = await onTerminal(["backup", "restore", "copy"], talk);
    expect(asked.map(({ body }) => body.passphrase)).toEqual([undefined, SECRET]);
    expect(shown).not.toContain("boats");
  });
});

describe("in a pipe", () => {
  test("the first line is the password", async () => {
    expect(await inPipe(["password", "--name", "anna"], `${SECRET}\r\nmore\n`)).toMatchObject({ status: 0 });
    expect(asked[0]?.body).toEqual({ name: "anna", password: SECRET } as object);
  });

  test("nothing is refused, and so is a password among the arguments", async () => {
    expect(await inPipe(["password"], "")).toMatchObject({
      status: 1,
      stderr: "Standard input has no first line to read.\n",
    });
    expect(await inPipe(["password", SECRET], "")).toMatchObject({ status: 2 });
    expect(asked).toEqual([]);
  });

  test("a passphrase comes from a file or from standard input", async () => {
    writeFileSync(join(run, "passphrase"), `${SECRET}\n`);
    await inPipe(["backup", "create", "--passphrase-file", join(run, "passphrase")], "");
    await inPipe(["backup", "create", "--passphrase-file", "-"], `${SECRET}\n`);
    await inPipe(["backup", "create"], "");
    expect(asked.map(({ body }) => body.passphrase)).toEqual([SECRET, SECRET, undefined]);
    const missing = await inPipe(["backup", "create", "--passphrase-file", "/nowhere"], "");
    expect(missing).toMatchObject({ status: 1, stderr: expect.stringMatching(/^\/nowhere cannot be read: .*\n$/) });
  });

  test("standard input is not both a copy and its passphrase", async () =>
    expect(await inPipe(["backup", "restore", "-", "--passphrase-file", "-"], "x\n")).toMatchObject({ status: 2 }));
});
