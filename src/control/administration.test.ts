/** The control socket's routes for backup copies, license and administrators, on a node without a heart. */
import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { developmentKey, signLicense } from "../../test/license/sign.ts";
import type { Settings } from "../settings/model.ts";
import { Administration } from "./administration.ts";
import { serveControl } from "./api.ts";
import { sealBackup } from "./backup-format.ts";
import { Node } from "./node.ts";
import { Store } from "./store.ts";

const root = mkdtempSync(join(tmpdir(), "understudy-administration-"));
/** Names that no machine has, so that nothing of this one is touched. */
const SETTINGS = {
  server: { name: "node-a" },
  interfaces: [
    { nic: "no-such-lan", role: "internal", addresses: ["10.1.0.1/24"] },
    { nic: "no-such-wan", role: "external", addresses: ["10.2.0.1/24"] },
  ],
};
const CLUSTER = {
  id: "00000001",
  key: "00".repeat(32),
  node: 1,
  peer_name: "node-b",
  nic: "no-such-clu",
  peer_mac: "02:00:00:00:00:01",
  matches: [],
} as const;
const PASSWORD = "four boats in the fog";
const license = (change: object = {}) =>
  signLicense(
    { product: "understudy", holder: "Lab", serial: "1", issued: "2020-01-01", nodes: 2, ...change },
    developmentKey(),
  );
const label = { server: "node-a", at: "2026-11-24T10:00:00.000Z", version: "0.1.0" };

let count = 0;
let node: Node | undefined;
let server: ReturnType<typeof serveControl> | undefined;
let socket = "";
let state = "";

async function stop(): Promise<void> {
  server?.stop(true);
  await node?.stop();
}

async function serve(): Promise<void> {
  await stop();
  socket = join(root, `${count}.sock`);
  node = new Node({ state, run: root, reboot_command: null });
  server = serveControl(node, socket);
}

async function ask(method: string, path: string, body?: unknown): Promise<{ status: number; value: unknown }> {
  const init = { method, unix: socket, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  const response = await fetch(`http://node${path}`, init as RequestInit);
  return { status: response.status, value: await response.json() };
}

const codeOf = async (method: string, path: string, body?: unknown) =>
  ((await ask(method, path, body)).value as { code?: string }).code ?? "done";
/** With its secrets. */
const settings = async () => (await ask("GET", "/settings?secrets=1")).value as Settings;
const revision = async () => ((await ask("GET", "/status")).value as { settings_revision: number }).settings_revision;
const author = async () =>
  ((await ask("GET", "/settings/revisions")).value as { revisions: { author: string }[] }).revisions[0]?.author;
const backup = async (passphrase?: string) =>
  (await ask("POST", "/backups", { passphrase })).value as { name: string; encrypted: boolean };

beforeEach(async () => {
  count += 1;
  state = join(root, String(count));
  await serve();
  expect(await codeOf("PUT", "/settings", SETTINGS)).toBe("done");
});
afterAll(async () => {
  await stop();
  rmSync(root, { recursive: true, force: true });
});

describe("backup copies", () => {
  test("restoring brings everything back in one revision, by name and by content, encrypted or not", async () => {
    const before = await settings();
    for (const passphrase of [undefined, "correct horse"]) {
      const { name, encrypted } = await backup(passphrase);
      expect(encrypted).toBe(passphrase !== undefined);
      const { content } = (await ask("GET", `/backups/${name}`)).value as { content: string };
      for (const from of [{ name }, { content }]) {
        await ask("PUT", "/settings", { ...SETTINGS, server: { name: "node-z" }, dns: { servers: ["10.2.0.53"] } });
        const changed = await revision();
        expect(await codeOf("POST", "/backups/restore", { ...from, passphrase })).toBe("done");
        expect([await settings(), await revision(), await author()]).toEqual([
          before,
          changed + 1,
          "root (backup copy)",
        ]);
      }
      expect(await codeOf("DELETE", `/backups/${name}`)).toBe("done");
    }
    expect((await ask("GET", "/backups")).value).toEqual([]);
  });

  test("whatever is wrong with one, nothing changes", async () => {
    const before = [await settings(), await revision()];
    const unknown = await sealBackup(label, { ...SETTINGS, colour: 1 });
    const { name } = await backup("correct horse");
    const rows: [object, string][] = [
      [{ content: unknown }, "bad-settings"],
      [{ content: "{}" }, "backup-foreign"],
      [{ name }, "passphrase-needed"],
      [{ name, passphrase: "wrong" }, "wrong-passphrase"],
      [{ name: "../settings.db" }, "no-backup"],
      [{}, "bad-request"],
      [{ name, content: unknown }, "bad-request"],
      [{ name: 7 }, "bad-request"],
    ];
    for (const [body, code] of rows)
      expect([body, await codeOf("POST", "/backups/restore", body)]).toEqual([body, code]);
    expect(await codeOf("GET", "/backups/%E0%A4%A")).toBe("bad-request");
    expect(await codeOf("PUT", `/backups/${name}`)).toBe("unknown-route");
    expect([await settings(), await revision()]).toEqual(before);
  });

  test("a cluster that is created while a copy is being opened is not restored over", async () => {
    let asked = 0;
    const situation = () => ({ in_cluster: ++asked > 1, active: true, versions_differ: false });
    const content = await sealBackup(label, { ...SETTINGS, dns: { servers: ["10.2.0.53"] } });
    const before = await revision();
    const late = new Administration(state, (node as Node).settings, situation).restoreBackup({ content }, undefined, {
      author: "test",
    });
    await expect(late).rejects.toThrow(/cannot be restored in a cluster/);
    expect(await revision()).toBe(before);
  });

  test("one without administrators leaves the present ones", async () => {
    const content = await sealBackup(label, SETTINGS);
    await ask("POST", "/administrators/password", { name: "admin", password: PASSWORD });
    expect(await codeOf("POST", "/backups/restore", { content })).toBe("done");
    expect(await codeOf("POST", "/administrators/verify", { name: "admin", password: PASSWORD })).toBe("done");
  });

  test("a reset to a fresh install takes them along", async () => {
    await backup();
    await stop();
    new Store(state).erase();
    await serve();
    expect((await ask("GET", "/backups")).value).toEqual([]);
  });
});

describe("the license", () => {
  test("is missing, then installed, and survives a restart with the settings", async () => {
    expect((await ask("GET", "/license")).value).toMatchObject({ state: "missing" });
    expect((await ask("PUT", "/license", { text: license() })).value).toMatchObject({ state: "valid", holder: "Lab" });
    await serve();
    expect((await ask("GET", "/license")).value).toMatchObject({ state: "valid", serial: "1" });
    expect(((await ask("GET", "/status")).value as { license: unknown }).license).toMatchObject({ state: "valid" });
  });

  test("one that is not valid is refused and changes nothing", async () => {
    const before = await revision();
    expect(await codeOf("PUT", "/license", { text: license({ until: "2021-01-01" }) })).toBe("license-expired");
    expect(await codeOf("PUT", "/license", { text: license({ product: "other" }) })).toBe("license-other-product");
    expect(await codeOf("PUT", "/license", { text: "text" })).toBe("license-damaged");
    expect(await codeOf("PUT", "/license", {})).toBe("bad-request");
    expect(await revision()).toBe(before);
  });
});

describe("administrators", () => {
  test("a password set over the socket is verified over it, also after a restart", async () => {
    expect((await ask("GET", "/administrators")).value).toEqual([]);
    expect(await codeOf("POST", "/administrators/password", { name: "admin", password: "short" })).toBe(
      "weak-password",
    );
    expect(await codeOf("POST", "/administrators/password", { name: "admin", password: PASSWORD })).toBe("done");
    await serve();
    expect((await ask("GET", "/administrators")).value).toEqual([{ name: "admin", password: "set" }]);
    expect(await codeOf("POST", "/administrators/verify", { name: "admin", password: "wrong" })).toBe("wrong-password");
    expect(await codeOf("POST", "/administrators/verify", { name: "admin", password: PASSWORD })).toBe("done");
  });
});

describe("in a cluster, on a node that is not active", () => {
  let name = "";
  beforeEach(async () => {
    ({ name } = await backup());
    new Store(state).saveCluster({ ...CLUSTER, matches: [] });
    await serve();
  });

  const rows: [string, () => [string, string, object], string][] = [
    ["restoring", () => ["POST", "/backups/restore", { name }], "restore-forbidden"],
    ["changing settings", () => ["PUT", "/settings", { ...SETTINGS, dns: { servers: ["10.2.0.53"] } }], "not-active"],
    ["installing a license", () => ["PUT", "/license", { text: license() }], "not-active"],
    ["a password", () => ["POST", "/administrators/password", { name: "admin", password: PASSWORD }], "not-active"],
  ];
  for (const [what, request, code] of rows)
    test(`${what} is refused`, async () => {
      const before = await revision();
      expect(await codeOf(...request())).toBe(code);
      expect(await revision()).toBe(before);
    });

  test("making a backup copy, listing and deleting are not", async () => {
    expect(await codeOf("POST", "/backups", {})).toBe("done");
    expect(await codeOf("DELETE", `/backups/${name}`)).toBe("done");
  });
});
