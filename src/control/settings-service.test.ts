/** Changes of settings: one after the other, confirmed before they count, with author, time and history. */
import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure } from "../errors.ts";
import { SettingsDatabase } from "../settings/database.ts";
import { handlerOf } from "./route.ts";
import { settingsRoutes } from "./settings-routes.ts";
import { inherited, SettingsService } from "./settings-service.ts";

const root = mkdtempSync(join(tmpdir(), "understudy-service-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const lan = { nic: "lan0", role: "internal", addresses: ["10.1.0.1/24"] };
const wan = { nic: "wan0", role: "external", addresses: ["10.2.0.1/24"], gateway: "10.2.0.254" };
const good = { server: { name: "node-a" }, interfaces: [lan, wan] };
const author = "zoe";

let changed: number[] = [];
let refusal: Failure | null = null;
function makeService(): SettingsService {
  return new SettingsService(new SettingsDatabase(mkdtempSync(join(root, "state-"))), {
    term: () => 7,
    demand: () => {
      if (refusal !== null) throw refusal;
    },
    changed: ({ number }) => changed.push(number),
  });
}

beforeEach(() => {
  changed = [];
  refusal = null;
});

describe("a change", () => {
  test("becomes a revision with author, time and term, and is told of", async () => {
    const service = makeService();
    const before_ms = Date.now();
    await service.import(good, { author });
    const { number, at, author: who, term } = await service.set({ "dns.servers": "10.2.0.53" }, { author: "ada" });
    expect([number, who, term, service.revision, changed]).toEqual([2, "ada", 7, 2, [1, 2]]);
    expect(Date.parse(at)).toBeGreaterThanOrEqual(before_ms);
    expect(service.current.dns.servers).toEqual(["10.2.0.53"]);
    expect(service.revisions().revisions.map((line) => [line.number, line.author])).toEqual([
      [2, "ada"],
      [1, "zoe"],
      [0, ""],
    ]);
    expect(service.show("1").settings.dns.servers).toEqual([]);
  });

  test("that changes nothing is no revision", async () => {
    const service = makeService();
    await service.import(good, { author });
    await service.import(service.current, { author });
    await service.set({ "server.name": "node-a" }, { author });
    expect([service.revision, changed]).toEqual([1, [1]]);
  });

  test("of the name alone is a revision: it is stored as one", async () => {
    const service = makeService();
    await service.import(good, { author });
    await service.set({ "server.name": "node-z" }, { author });
    expect([service.revision, service.current.server.name]).toEqual([2, "node-z"]);
  });

  test("by several paths is made as a whole or not at all", async () => {
    const service = makeService();
    await service.import(good, { author });
    const both = service.set({ "dns.servers": "10.2.0.53", "time.zone": "Nowhere" }, { author });
    await expect(both).rejects.toThrow(/time\.zone must be a time zone/);
    expect([service.revision, service.current.dns.servers]).toEqual([1, []]);
  });

  test("counts only once it is confirmed, and not at all where it is refused", async () => {
    const service = makeService();
    const { promise, resolve } = Promise.withResolvers<void>();
    const own_disk = service.confirm;
    service.confirm = async (...words) => {
      await promise;
      await own_disk(...words);
    };
    const change = service.import(good, { author });
    await Bun.sleep(1);
    expect([service.revision, service.current.server.name]).toEqual([0, "understudy"]);
    resolve();
    await change;
    expect(service.revision).toBe(1);
    service.confirm = async () => {
      throw new Failure("not-replicated", "No.");
    };
    await expect(service.set({ "server.name": "x1" }, { author })).rejects.toThrow("No.");
    expect([service.revision, service.current.server.name]).toEqual([1, "node-a"]);
  });

  test("waits for the one before, and is made of what that one left", async () => {
    const service = makeService();
    await service.import(good, { author });
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        service.change(
          (settings) => ({ ...settings, dns: { servers: [...settings.dns.servers, `10.3.0.${i}`].slice(-8) } }),
          {
            author,
          },
        ),
      ),
    );
    expect(service.revision).toBe(21);
    expect(service.current.dns.servers).toEqual(Array.from({ length: 8 }, (_, i) => `10.3.0.${i + 12}`));
  });

  test("is refused where too many wait", async () => {
    const service = makeService();
    const waiting = Array.from({ length: 32 }, (_, i) => service.set({ "server.name": `node-${i}` }, { author }));
    expect(() => service.set({ "server.name": "node" }, { author })).toThrow(/Too many changes/);
    await Promise.all(waiting);
    await service.set({ "server.name": "node" }, { author });
  });

  test("that is not allowed now is not made", async () => {
    const service = makeService();
    refusal = new Failure("name-fixed", "Not now.");
    await expect(service.import(good, { author })).rejects.toThrow("Not now.");
    expect(service.revision).toBe(0);
  });

  test("keeps the slots of interfaces, whatever is added or removed", async () => {
    const service = makeService();
    await service.import(good, { author });
    await service.set({ "interfaces.lan0": null }, { author });
    await service.set({ "interfaces.dmz0": { role: "internal", addresses: ["10.9.0.1/24"] } }, { author });
    expect(service.slots.map(({ nic, slot }) => `${nic}=${slot}`)).toEqual(["wan0=2", "dmz0=1"]);
  });
});

describe("a new cluster", () => {
  test("has one history on both nodes, with each node's own name and cards", async () => {
    const [creator, joiner] = [makeService(), makeService()];
    await creator.import(good, { author });
    await joiner.import({ server: { name: "node-b" }, interfaces: [] }, { author });
    // As it travels.
    const bequest = JSON.parse(JSON.stringify(creator.bequest()));
    const slots = (lan_nic: string, wan_nic: string) => [
      { nic: wan_nic, slot: 1 },
      { nic: lan_nic, slot: 2 },
    ];
    creator.bequeath(bequest, slots("lan0", "wan0"));
    joiner.inherit(inherited(bequest, slots("lan0", "wan0"), slots("eth5", "eth6"), "node-b"));
    expect(joiner.database.head()).toEqual(creator.database.head());
    expect(creator.current).toMatchObject({
      server: { name: "node-a" },
      interfaces: [{ nic: "lan0" }, { nic: "wan0" }],
    });
    expect(joiner.current).toMatchObject({
      server: { name: "node-b" },
      interfaces: [{ nic: "eth5" }, { nic: "eth6" }],
    });
    await creator.set({ "interfaces.lan0.enabled": false }, { author });
    joiner.database.append([creator.database.head()]);
    joiner.refresh();
    expect(joiner.current.interfaces[0]).toMatchObject({ nic: "eth5", enabled: false });
  });
});

describe("routes", () => {
  async function call(service: SettingsService, method: string, path: string, body?: unknown): Promise<unknown> {
    const url = new URL(`http://node${path}`);
    const request = new Request(url.href, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    return await handlerOf(settingsRoutes(service), method, url.pathname)?.(request, url);
  }
  const hash = "$argon2id$v=19$m=65536,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA";

  test("read, replace, change and tell the history", async () => {
    const service = makeService();
    const administrators = [{ name: "admin", password_hash: hash }];
    expect(await call(service, "PUT", "/settings?author=zoe", { ...good, administrators })).toMatchObject({
      revision: 1,
      notes: [{ code: "mac-changes" }],
    });
    expect(await call(service, "GET", "/settings?path=administrators.admin.password_hash")).toBe("set");
    expect(await call(service, "GET", "/settings?path=administrators.admin.password_hash&secrets=1")).toBe(hash);
    expect(await call(service, "PATCH", "/settings", { set: { "interfaces.lan0.enabled": false } })).toEqual({
      revision: 2,
      notes: [],
    });
    expect(await call(service, "GET", "/settings/revisions")).toMatchObject({
      revisions: [{ author: "root" }, { author: "zoe" }, { number: 0 }],
      kept: [],
    });
    expect(await call(service, "GET", "/settings/revisions/1")).toMatchObject({
      number: 1,
      settings: { administrators: [{ password_hash: "set" }] },
    });
    await expect(call(service, "GET", "/settings/revisions/9")).rejects.toThrow("There is no revision 9");
    await expect(call(service, "GET", "/settings/revisions/mine")).rejects.toThrow("There is no revision mine");
    await expect(call(service, "PATCH", "/settings", { set: [] })).rejects.toThrow("set must be an object");
    expect(await call(service, "PUT", "/settings", service.redacted())).toEqual({ revision: 2, notes: [] });
  });

  test("what the peer's revisions replaced can be looked at by its name", async () => {
    const service = makeService();
    await service.import(good, { author });
    service.database.replace("0", [], "unshared-2026-11-24T10:00:00Z");
    service.refresh();
    expect(await call(service, "GET", "/settings/revisions/unshared-2026-11-24T10%3A00%3A00Z")).toMatchObject({
      number: 1,
      author,
      settings: { interfaces: [{ nic: "lan0" }, { nic: "wan0" }] },
    });
  });
});
