/** A browser at the shared address of a live pair: the node behind it changes, and it is still logged in. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Status } from "../../src/control/node.ts";
import { Pair, SETTINGS } from "../lab/pair.ts";
import { until } from "../lab/shell.ts";
import { LAN_ADDRESS } from "../lab/topology.ts";
import { Browser, PASSWORD, ticketOf } from "./browser.ts";

const SERVING_MS_MAX = 45_000;

let pair: Pair;
let browser: Browser;
let forward: ReturnType<typeof Bun.spawn> | null = null;

beforeAll(async () => {
  const administrators = [{ name: "admin", password_hash: await Bun.password.hash(PASSWORD, "argon2id") }];
  pair = await Pair.make({
    observed: false,
    settings: { ...SETTINGS, administrators },
    options: ["--web", "0.0.0.0:443"],
  });
  const socket = join(pair.lab.directory, "browser.sock");
  const words = [process.execPath, join(import.meta.dir, "../lab/forward.ts"), socket, `${LAN_ADDRESS}:443`];
  forward = Bun.spawn(pair.lab.inside("client", ["setpriv", "--pdeathsig", "KILL", ...words]), { stdout: "ignore" });
  await until("the forward is there", () => existsSync(socket));
  browser = new Browser(socket, `https://${LAN_ADDRESS}`);
});
afterAll(() => {
  forward?.kill("SIGKILL");
  pair?.remove();
});

const fingerprints = async () =>
  (await Promise.all([pair.a.status(), pair.b.status()])).map((status) => status?.web?.fingerprint ?? "none");
const nameOf = async (session: string) =>
  ((await browser.ask("GET", "/status", { session }))?.value as Status | null)?.name;
const untilOn = (name: string, session: string) =>
  until(`the session goes on at ${name}`, async () => (await nameOf(session)) === name, SERVING_MS_MAX);

/** Asked as the web process of that node does. */
const codeAt = async (side: "a" | "b", session: string) => {
  const unix = join(pair.node(side).run, "web/web.sock");
  const init = { unix, headers: { authorization: `Bearer ${session}` } } as RequestInit;
  const response = await fetch("http://node/status", init).catch(() => null);
  if (response === null) return "no answer";
  return response.ok ? "200" : ((await response.json()) as { code: string }).code;
};

/** The answer may come too late for the address that it would leave from. */
const switchOver = async (session: string) =>
  expect(await browser.codeOf("POST", "/cluster/switch", { session })).toMatch(/^(200|no answer)$/);

test("a session goes on over a switch and back, with the same certificate, and a logout ends it on both nodes", async () => {
  await until("both have the certificate of the active one", async () => new Set(await fingerprints()).size === 1);
  await until("it serves", async () => (await browser.ask("GET", "/public")) !== null, SERVING_MS_MAX);
  const session =
    ticketOf(await browser.ask("POST", "/session", { body: { name: "admin", password: PASSWORD } })) ?? "";
  await untilOn("node-a", session);
  const before = await fingerprints();
  expect(before[0]).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  await switchOver(session);
  await untilOn("node-b", session);
  expect(await fingerprints()).toEqual(before);
  await switchOver(session);
  await untilOn("node-a", session);
  expect(await browser.codeOf("DELETE", "/session", { session })).toBe("200");
  expect(await browser.codeOf("GET", "/status", { session })).toBe("no-session");
  await until("the other node knows of it", async () => (await codeAt("b", session)) === "no-session");
});

test("a node that was away at a logout hears of it when it returns", async () => {
  await pair.untilSteady("a");
  const session =
    ticketOf(await browser.ask("POST", "/session", { body: { name: "admin", password: PASSWORD } })) ?? "";
  await until("the other node takes it", async () => (await codeAt("b", session)) === "200");
  await pair.b.stop();
  expect(await browser.codeOf("DELETE", "/session", { session })).toBe("200");
  await pair.b.start();
  await until("it knows of the logout", async () => (await codeAt("b", session)) === "no-session");
  await pair.untilSteady("a");
});

test("the backup says where the active node is, shows its status, and changes nothing", async () => {
  const ask = async (method: string, path: string, bearer = "", body?: unknown) => {
    const init = { method, unix: join(pair.b.run, "web/web.sock"), headers: { authorization: `Bearer ${bearer}` } };
    const response = await fetch(`http://node${path}`, {
      ...init,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    } as RequestInit);
    return { session: response.headers.get("x-session"), value: (await response.json()) as Record<string, unknown> };
  };
  await pair.untilSteady("a");
  expect((await ask("GET", "/public")).value).toMatchObject({
    role: "backup",
    first_password: false,
    active: { name: "node-a", addresses: expect.arrayContaining([LAN_ADDRESS]) },
  });
  const bearer = (await ask("POST", "/session", "", { name: "admin", password: PASSWORD })).session ?? "";
  expect((await ask("GET", "/status", bearer)).value).toMatchObject({ name: "node-b", role: "backup" });
  for (const [method, path, body] of [
    ["PATCH", "/settings", { set: { "dns.servers": [] } }],
    ["POST", "/cluster/destroy", { confirm: true }],
    ["POST", "/cluster/switch", undefined],
    ["POST", "/tokens", { name: "x", access: "full" }],
    ["DELETE", "/certificate", undefined],
  ] as const)
    expect((await ask(method, path, bearer, body)).value).toMatchObject({ code: "not-active" });
  expect((await ask("DELETE", "/session", bearer)).value).toEqual({});
});
