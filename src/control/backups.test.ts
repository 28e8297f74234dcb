/** Backup copies: made, kept, opened, and every way in which one can be unusable. */
import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BACKUP_BYTES_MAX, openBackup, readHeader, sealBackup } from "./backup-format.ts";
import { BACKUPS_MAX, Backups } from "./backups.ts";

const label = { server: "node-a", at: "2026-11-24T10:00:00.000Z", version: "0.1.0" };
const settings = { server: { name: "node-a" }, note: "Zoë's gateway" };
const PASSPHRASE = "correct horse";

const codeOf = async (work: () => unknown): Promise<string> => {
  try {
    await work();
    return "no failure";
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    expect(message).toMatch(/\.$/);
    return code ?? String(error);
  }
};
/** Changed by somebody who knows how the seal is made. */
const resealed = (text: string, change: (inside: string) => string): string => {
  const inside = change(text.slice(0, text.lastIndexOf("sha256:")));
  return `${inside}sha256:${createHash("sha256").update(inside).digest("hex")}\n`;
};

describe("the file", () => {
  test("comes back as it was, and says what it is", async () => {
    const text = await sealBackup(label, settings);
    expect(text).toStartWith("understudy backup copy of settings, format 1\n");
    expect(await openBackup(text)).toEqual(settings);
    expect(readHeader(text)).toEqual({ ...label, schema: 1, encryption: null });
  });

  test("with a passphrase shows only its header, and never the same bytes twice", async () => {
    const [one, two] = [await sealBackup(label, settings, PASSPHRASE), await sealBackup(label, settings, PASSPHRASE)];
    expect(one).not.toContain("gateway");
    expect(one).not.toContain(Buffer.from(JSON.stringify(settings)).toString("base64").slice(0, 20));
    expect(one.split("\n")[2]).not.toBe(two.split("\n")[2]);
    expect(readHeader(one)).toMatchObject(label);
    expect(await openBackup(one, PASSPHRASE)).toEqual(settings);
  });

  test("takes a passphrase of composed and of decomposed letters as one, and refuses none at all", async () => {
    expect(await openBackup(await sealBackup(label, settings, "caf\u00e9"), "cafe\u0301")).toEqual(settings);
    expect(await codeOf(() => sealBackup(label, settings, ""))).toBe("bad-passphrase");
    expect(await codeOf(() => sealBackup(label, settings, "x".repeat(1025)))).toBe("bad-passphrase");
  });
});

const plain = await sealBackup(label, settings);
const secret = await sealBackup(label, settings, PASSPHRASE);

describe("refused by its name", () => {
  const rows: [string, string, string | undefined, string][] = [
    ["no backup copy", '{"server":{"name":"a"}}', undefined, "backup-foreign"],
    ["nothing", "", undefined, "backup-foreign"],
    ["another product", plain.replace("understudy", "overstudy"), undefined, "backup-foreign"],
    ["a later format", plain.replace("format 1", "format 2"), undefined, "backup-newer"],
    ["later settings", resealed(plain, (text) => text.replace('"schema":1', '"schema":2')), undefined, "backup-newer"],
    ["cut off", plain.slice(0, -20), undefined, "backup-damaged"],
    ["changed", plain.replace("Zoë", "Zoe"), undefined, "backup-damaged"],
    ["with something behind", `${plain}more`, undefined, "backup-damaged"],
    [
      "changed when encrypted",
      secret.replace(/.(\n)sha256/, "A$1sha256").replace(/^(.{120})./m, "$1A"),
      PASSPHRASE,
      "backup-damaged",
    ],
    [
      "with a header of another kind",
      resealed(plain, (text) => text.replace('"encryption"', '"encoding"')),
      undefined,
      "backup-damaged",
    ],
    [
      "that asks for more memory",
      resealed(secret, (text) => text.replace("N=65536", "N=9999999")),
      PASSPHRASE,
      "backup-damaged",
    ],
    ["no passphrase", secret, undefined, "passphrase-needed"],
    ["a wrong passphrase", secret, "correct house", "wrong-passphrase"],
    [
      "another server written in",
      resealed(secret, (text) => text.replace("node-a", "node-x")),
      PASSPHRASE,
      "wrong-passphrase",
    ],
    ["a bit of the settings turned over", resealed(secret, turned), PASSPHRASE, "wrong-passphrase"],
  ];
  for (const [what, text, passphrase, code] of rows)
    test(what, async () => expect(await codeOf(() => openBackup(text, passphrase))).toBe(code));

  function turned(text: string): string {
    const lines = text.split("\n");
    const body = Buffer.from(lines[2] ?? "", "base64");
    body[3] = (body[3] ?? 0) ^ 1;
    return [lines[0], lines[1], body.toString("base64"), ""].join("\n");
  }
});

describe("the directory", () => {
  const root = mkdtempSync(join(tmpdir(), "understudy-backups-"));
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  let count = 0;
  let state = "";
  let now: Date;
  let backups: Backups;
  beforeEach(() => {
    state = join(root, String(count++));
    now = new Date("2026-11-24T10:00:00.000Z");
    backups = new Backups(state, () => now);
  });

  test("lists them newest first, by time and name of the server, for root only", async () => {
    expect(backups.list()).toEqual([]);
    await backups.create("node-a", settings);
    await backups.create("node-a", settings);
    now = new Date("2026-11-25T10:00:00.000Z");
    await backups.create("../Büro 1", settings, PASSPHRASE);
    expect(backups.list().map(({ name, encrypted }) => [name, encrypted])).toEqual([
      ["2026-11-25T10-00-00Z-..-B-ro-1.understudy-backup", true],
      ["2026-11-24T10-00-00Z-node-a.understudy-backup", false],
      ["2026-11-24T10-00-00Z-node-a-2.understudy-backup", false],
    ]);
    const modes = readdirSync(join(state, "backups")).map(
      (name) => statSync(join(state, "backups", name)).mode & 0o777,
    );
    expect([statSync(join(state, "backups")).mode & 0o777, ...modes]).toEqual([0o700, 0o600, 0o600, 0o600]);
  });

  test("opens and deletes one by its name, and nothing beside them", async () => {
    writeFileSync(join(root, "secret"), "secret");
    const { name } = await backups.create("node-a", settings);
    expect(await backups.open({ name })).toEqual(settings);
    expect(await new Backups(join(root, "elsewhere")).open({ content: backups.read(name) })).toEqual(settings);
    for (const stray of ["../../secret", "/etc/passwd", "", ".", "nothing.understudy-backup", `../backups/${name}`])
      for (const work of [() => backups.read(stray), () => backups.delete(stray)])
        expect(await codeOf(work)).toBe("no-backup");
    backups.delete(name);
    expect(backups.list()).toEqual([]);
  });

  test("shows a damaged one as such, and one that is far too large", async () => {
    const { name } = await backups.create("node-a", settings);
    const path = join(state, "backups", name);
    writeFileSync(path, readFileSync(path, "utf8").replace("Zoë", "Zoe"));
    expect(backups.list()).toMatchObject([{ name, at: null, trouble: expect.stringMatching(/damaged/) }]);
    writeFileSync(path, Buffer.alloc(BACKUP_BYTES_MAX + 1));
    expect(backups.list()).toMatchObject([{ name, trouble: expect.stringMatching(/larger/) }]);
  });

  test("holds so many and no more, also when they are made at once", async () => {
    mkdirSync(join(state, "backups"), { recursive: true });
    for (let made = 0; made < BACKUPS_MAX - 1; made++)
      writeFileSync(join(state, "backups", `${made}.understudy-backup`), "");
    const two = await Promise.allSettled([1, 2].map(() => backups.create("node-a", settings, PASSPHRASE)));
    expect(two.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(await codeOf(() => backups.create("node-a", settings))).toBe("backups-full");
    expect(backups.list().length).toBe(BACKUPS_MAX);
  });

  test("one that was cut short by a power cut is no copy, and goes with the next", async () => {
    mkdirSync(join(state, "backups"), { recursive: true });
    writeFileSync(join(state, "backups", "2026.understudy-backup.new"), "understudy");
    expect(backups.list()).toEqual([]);
    await backups.create("node-a", settings);
    expect(readdirSync(join(state, "backups")).length).toBe(1);
  });

  test("a disk that refuses is told, and leaves nothing", async () => {
    mkdirSync(state, { recursive: true });
    writeFileSync(join(state, "backups"), "");
    expect(await codeOf(() => backups.create("node-a", settings))).toBe("state-unusable");
    rmSync(join(state, "backups"));
    mkdirSync(join(state, "backups/in-the-way.new"), { recursive: true });
    expect(await codeOf(() => backups.create("node-a", settings))).toBe("state-unwritable");
    expect(backups.list()).toEqual([]);
  });
});
