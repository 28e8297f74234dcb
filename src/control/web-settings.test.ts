/** The settings' routes are no way round those that ask for more. */
import { afterAll, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SettingsDatabase } from "../settings/database.ts";
import { handlerOf } from "./route.ts";
import { SettingsService } from "./settings-service.ts";
import { webSettingsRoutes } from "./web-settings.ts";

const root = mkdtempSync(join(tmpdir(), "understudy-web-settings-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const HASH = "$argon2id$v=19$m=65536,t=3,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo";
const OTHER = HASH.replace("aGFz", "b3Ro");
const token = { id: "0".repeat(12), name: "t", access: "read", hash: "a".repeat(64), made: "2026-01-01T00:00:00Z" };
const SETTINGS = {
  server: { name: "node-a" },
  administrators: [{ name: "admin", password_hash: HASH }],
  web: { certificate: { certificate: "c", key: "k" }, tokens: [token] },
};

let service: SettingsService;
beforeEach(async () => {
  const database = new SettingsDatabase(mkdtempSync(join(root, "state-")));
  service = new SettingsService(database, { term: () => 0, demand: () => {}, changed: () => {} });
  await service.import(SETTINGS, { author: "root" });
});

async function ask(method: string, body: unknown): Promise<unknown> {
  const url = new URL("http://node/settings?author=token%20x");
  const request = new Request(url.href, { method, body: JSON.stringify(body) });
  return await handlerOf(webSettingsRoutes(service), method, url.pathname)?.(request, url);
}

const shown = () => structuredClone(service.redacted());

const changes: Record<string, unknown>[] = [
  { administrators: [] },
  { "administrators.admin.password_hash": OTHER },
  { "administrators.eve": { password_hash: HASH } },
  { "web.tokens": [{ ...token, access: "full" }] },
  { "web.tokens": null },
  { "web.certificate": { certificate: "c", key: "other" } },
  { "web.certificate": null },
  { web: null },
];
for (const set of changes)
  test(`${JSON.stringify(set).slice(0, 60)} is refused, and all that comes with it`, async () => {
    await expect(ask("PATCH", { set: { ...set, "server.name": "node-b" } })).rejects.toMatchObject({
      code: "other-route",
    });
    expect(service.revision).toBe(1);
  });

test("so is replacing everything by something without them", async () => {
  await expect(ask("PUT", { server: { name: "node-b" } })).rejects.toMatchObject({ code: "other-route" });
  await expect(ask("PUT", { ...shown(), administrators: [] })).rejects.toMatchObject({ code: "other-route" });
  expect(service.revision).toBe(1);
});

test("everything else is changed, and what was shown comes back as it was", async () => {
  expect(await ask("PATCH", { set: { "web.outside": true, "dns.servers": ["10.2.0.53"] } })).toMatchObject({
    revision: 2,
  });
  expect(await ask("PUT", { ...shown(), server: { name: "node-c" } })).toMatchObject({ revision: 3 });
  expect(service.current).toMatchObject({ ...SETTINGS, server: { name: "node-c" }, dns: { servers: ["10.2.0.53"] } });
});
