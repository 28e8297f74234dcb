/** What reaches the control process, and what is refused before it does. */
import { beforeEach, describe, expect, test } from "bun:test";
import { Api } from "./api.ts";
import type { Request } from "./http/connection.ts";
import type { Answer } from "./http/message.ts";
import { API, ROUTES } from "./routes.ts";
import type { UpstreamAnswer, UpstreamRequest } from "./upstream.ts";

let asked: UpstreamRequest[] = [];
let upstream: UpstreamAnswer;
let api: Api;

beforeEach(() => {
  asked = [];
  upstream = { status: 200, media_type: "application/json", session: null, body: "{}" };
  api = new Api(async (request) => {
    asked.push(request);
    return upstream;
  });
});

const PAGE = { host: "x", origin: "https://x", "x-understudy": "1", "content-type": "application/json" };
const SESSION = { cookie: "__Host-session=us1.ab.cd" };
const TOKEN = { authorization: "Bearer ust_abc" };

function request(method: string, path: string, headers: Record<string, string>, body: unknown = {}): Request {
  const [bare = "", query = ""] = path.split("?");
  return {
    method,
    path: bare,
    query: new URLSearchParams(query),
    headers: new Map(Object.entries(headers)),
    content_length: 0,
    keep_alive: true,
    expects_continue: false,
    body: Buffer.from(typeof body === "string" ? body : JSON.stringify(body)),
    remote: "10.1.0.9",
    signal: new AbortController().signal,
  };
}

const codeOf = (answer: Answer) => [answer.status, (JSON.parse(String(answer.body)) as { code?: string }).code];
const ask = async (method: string, path: string, headers: Record<string, string>, body?: unknown) =>
  codeOf(await api.answer(request(method, API + path, headers, body)));

describe("without a session every route but the public ones is refused, and the node is not even asked", () => {
  for (const { method, path, access } of ROUTES)
    if (access !== "public")
      test(`${method} ${path}`, async () => {
        const place = path.replaceAll(/\{\w+\}/g, "x");
        expect(await ask(method, place, PAGE)).toEqual([401, "no-session"]);
        expect(await ask(method, place, { ...PAGE, authorization: "Bearer us1.ab.cd" })).toEqual([401, "no-session"]);
        expect(asked).toEqual([]);
      });
});

describe("what changes something is refused unless our own page sends it, logged in or not", () => {
  for (const { method, path } of ROUTES)
    if (method !== "GET")
      test(`${method} ${path}`, async () => {
        const place = path.replaceAll(/\{\w+\}/g, "x");
        const { "x-understudy": _, ...unmarked } = PAGE;
        for (const headers of [unmarked, { ...PAGE, origin: "https://evil.example" }])
          expect(await ask(method, place, { ...headers, ...SESSION })).toEqual([403, "foreign-origin"]);
        expect(asked).toEqual([]);
      });
});

describe("tokens", () => {
  for (const { method, path, people_only } of ROUTES)
    if (people_only)
      test(`are not for ${method} ${path}`, async () => {
        const answer = await ask(method, path.replaceAll(/\{\w+\}/g, "x"), { ...PAGE, ...TOKEN });
        expect(answer).toEqual([403, "people-only"]);
        expect(asked).toEqual([]);
      });

  test("need no header of the page, and count for more than a cookie beside them", async () => {
    await api.answer(request("POST", `${API}/cluster/switch`, { host: "x", ...TOKEN, ...SESSION }));
    expect(asked).toMatchObject([{ method: "POST", path: "/cluster/switch", bearer: "ust_abc", body: null }]);
  });

  test("open /metrics", async () => {
    expect(codeOf(await api.answer(request("GET", "/metrics", { host: "x" })))).toEqual([401, "no-session"]);
    await api.answer(request("GET", "/metrics", { host: "x", ...TOKEN }));
    expect(asked).toMatchObject([{ path: "/metrics", bearer: "ust_abc" }]);
  });
});

describe("a body", () => {
  const send = (body: unknown, headers: Record<string, string> = {}) =>
    ask("POST", "/session", { ...PAGE, ...headers }, body);
  test("is passed on as it was understood", async () => {
    await send({ name: "admin", password: "p" });
    expect(JSON.parse(String(asked[0]?.body ?? ""))).toEqual({ name: "admin", password: "p" });
  });
  test("of bytes is passed on as it is, and must say that it is bytes", async () => {
    const bytes = Buffer.from([0, 255, 10, 13]);
    const sent = (type: string) =>
      api.answer({
        ...request("PUT", "/api/v1/update/bundle", { ...PAGE, ...TOKEN, "content-type": type }),
        body: bytes,
      });
    expect((await sent("application/octet-stream")).status).toBe(200);
    expect(asked[0]?.body).toEqual(bytes);
    expect((await sent("application/json")).status).toBe(415);
  });
  test("must be JSON and say so", async () => {
    expect(await send("{")).toEqual([400, "bad-json"]);
    expect(await send({}, { "content-type": "text/plain" })).toEqual([415, "not-json"]);
  });
  test("must have the form of its route, and nothing more", async () => {
    expect(await send({ name: "admin" })).toEqual([400, "bad-request"]);
    expect(await send({ name: "admin", password: "p", more: 1 })).toEqual([400, "bad-request"]);
    expect(asked).toEqual([]);
  });
  test("has its limit before it is read: none where there is no body, and more for settings", () => {
    const limit = (method: string, path: string) => api.bodyLimit(request(method, API + path, {}));
    expect([limit("POST", "/cluster/switch"), limit("GET", "/status"), limit("POST", "/nowhere")]).toEqual([0, 0, 0]);
    expect([limit("POST", "/session"), limit("PUT", "/settings")]).toEqual([64 << 10, 4 << 20]);
  });
});

test("of a query only what the route knows is passed on", async () => {
  await api.answer(request("GET", `${API}/events?last=5&secrets=1&author=eve`, { ...PAGE, ...SESSION }));
  expect(asked[0]?.path).toBe("/events?last=5");
});

test("the node that a change was meant for is passed on, so that no other one takes it", async () => {
  await api.answer(request("POST", `${API}/cluster/switch`, { ...PAGE, ...SESSION, "x-understudy-node": "node-a" }));
  await api.answer(request("POST", `${API}/cluster/switch`, { ...PAGE, ...SESSION }));
  expect(asked.map(({ meant_for }) => meant_for)).toEqual(["node-a", null]);
});

test("paths that are none are unknown, whatever they look like", async () => {
  for (const path of ["/nowhere", "/settings/", "//settings", "/settings/../status", "/backups/%2e%2e", ""])
    expect(await ask("GET", path, SESSION)).toEqual([404, "unknown-route"]);
  expect(codeOf(await api.answer(request("GET", "/api", SESSION)))).toEqual([404, "unknown-route"]);
});

test("a session that the node gives or takes away becomes a cookie", async () => {
  upstream = { ...upstream, session: "us1.new" };
  const login = await api.answer(request("POST", `${API}/session`, PAGE, { name: "a", password: "b" }));
  expect(login.headers["set-cookie"]).toStartWith("__Host-session=us1.new; ");
  upstream = { ...upstream, session: "" };
  const logout = await api.answer(request("DELETE", `${API}/session`, { ...PAGE, ...SESSION }));
  expect(logout.headers["set-cookie"]).toContain("Max-Age=0");
});

test("event streams that are asked for without a session take nobody's place", async () => {
  const refused = { ...upstream, status: 401, body: '{"code":"no-session"}' };
  const waiting = Promise.withResolvers<UpstreamAnswer>();
  const stream = { ...upstream, media_type: "text/event-stream", body: new ReadableStream() };
  api = new Api((asking) => (asking.bearer === "us1.ab.cd" ? Promise.resolve(stream) : waiting.promise));
  const open = (cookie: string) =>
    api.answer(request("GET", `${API}/events/stream`, { cookie: `__Host-session=${cookie}` }));
  // The control process takes its time to refuse them.
  const bogus = Array.from({ length: 200 }, () => open("us1.no.no"));
  expect((await open("us1.ab.cd")).status).toBe(200);
  waiting.resolve(refused);
  for (const answer of await Promise.all(bogus)) expect(answer.status).toBe(401);
});

test("JSON that is nested without end is refused before it is parsed", async () => {
  const deep = `${'{"a":'.repeat(600_000)}1${"}".repeat(600_000)}`;
  expect(await ask("PUT", "/settings", { ...PAGE, ...SESSION }, deep)).toEqual([400, "bad-json"]);
  expect(asked).toEqual([]);
});
