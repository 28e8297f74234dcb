/**
 * The control API: any request to any route, over a real server on a real socket. The routes are found in the
 * sources, so that a new one is fuzzed from its first day. Settings, backup copies, licenses and administrators are real ones in a
 * directory of their own; of the node itself, which would act on the machine, only what it is asked is heard.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Administration } from "../../../src/control/administration.ts";
import { serveControl } from "../../../src/control/api.ts";
import type { Node } from "../../../src/control/node.ts";
import { SettingsService } from "../../../src/control/settings-service.ts";
import { SettingsDatabase } from "../../../src/settings/database.ts";
import type { Mutator } from "../mutator.ts";
import { demand, encode, jsonOf, mutatedText, type Target } from "../target.ts";
import { SETTINGS } from "./control.ts";

const SOURCES = join(import.meta.dir, "../../../src/control");
const ROUTE = /"(GET|HEAD|PUT|POST|PATCH|DELETE) (\/[^"?]*)"/g;
/** Hashing a password takes its time; what takes longer hangs. */
const ANSWER_MS_MAX = 30_000;

/** Bodies that some route takes; each route is tried with each. */
const BODIES: Record<string, unknown> = {
  none: undefined,
  settings: SETTINGS,
  join: { interface: "clu0", name: "node-b", timeout_s: 1 },
  set: { set: { "server.name": "node-b", "dns.servers": ["10.2.0.53"] } },
  administration: { name: "zoe", password: "a long password", text: "license" },
  create: { interface: "clu0", matches: [{ mine: "lan0", theirs: "lan0" }], timeout_s: 1 },
};

interface Asked {
  method: string;
  path: string;
  body?: unknown;
}

async function routesOf(directory: string): Promise<Asked[]> {
  const found: Asked[] = [];
  for (const file of new Bun.Glob("*.ts").scanSync(directory)) {
    // The web interface has a socket of its own, with a table of its own (src/web/routes.ts).
    if (file.endsWith(".test.ts") || file.startsWith("web")) continue;
    const source = await Bun.file(join(directory, file)).text();
    for (const [, method = "", path = ""] of source.matchAll(ROUTE))
      found.push({ method, path: path.replace("*", "1") });
  }
  return found;
}

/** Whatever is called or read of it is the same nothing again. */
function nothing(): unknown {
  const it: unknown = new Proxy(() => {}, {
    get: (_, key) =>
      key === "then" ? undefined : key === "toJSON" ? () => ({}) : key === Symbol.toPrimitive ? () => 0 : it,
    apply: () => it,
  });
  return it;
}

function nodeIn(state: string): Node {
  const hooks = { term: () => 1, demand: () => {}, changed: () => {} };
  const settings = new SettingsService(new SettingsDatabase(state), hooks);
  const real: Record<string, unknown> = {
    settings,
    administration: new Administration(state, settings, () => ({
      in_cluster: false,
      active: true,
      versions_differ: false,
    })),
    status: () => ({ role: "standalone" }),
    captures: { list: () => [], read: () => Buffer.from("a capture") },
    events: { latest: () => [], since: () => [], added: 0 },
  };
  return new Proxy({}, { get: (_, key) => real[String(key)] ?? nothing() }) as Node;
}

/** Mostly one of the requests with its path's end, its body or its method changed. */
function mutatedRequest(mutator: Mutator, corpus: readonly Uint8Array[]): Uint8Array {
  const asked = jsonOf(mutator.pick(corpus)) as Asked;
  const queries = [
    "",
    "",
    "",
    "?last=1",
    "?last=x",
    "?last=-1",
    "?last=1e309",
    "?%00",
    "/",
    "//",
    "/../status",
    "%2e%2e",
  ];
  const body = mutator.below(5) === 0 ? asked.body : jsonOf(mutatedText(mutator, [encode(asked.body ?? {})]));
  const method = mutator.below(12) === 0 ? mutator.pick(["GET", "PUT", "POST", "DELETE", "PATCH"]) : asked.method;
  return encode({ method, path: asked.path + mutator.pick(queries), body });
}

export async function apiTarget(): Promise<Target> {
  const directory = mkdtempSync(join(tmpdir(), "understudy-fuzz-"));
  const socket = join(directory, "control.sock");
  const routes = await routesOf(SOURCES);
  demand(routes.length > 5, "the routes are found in the sources");
  const server = serveControl(nodeIn(directory), socket);
  const base: Record<string, Uint8Array> = {};
  for (const { method, path } of routes)
    for (const [name, body] of Object.entries(BODIES))
      base[`${method}${path.replaceAll("/", "-")}-${name}`.toLowerCase()] = encode({ method, path, body });

  const ask = async ({ method, path, body }: Asked): Promise<Response> =>
    await fetch(`http://node${path}`, {
      method,
      unix: socket,
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
      ...(method === "GET" || method === "HEAD" || body === undefined ? {} : { body: JSON.stringify(body) }),
    } as RequestInit);

  return {
    base,
    next: mutatedRequest,
    async check(input) {
      const asked = jsonOf(input) as Asked;
      const response = await ask(asked);
      // A stream has no end.
      if (response.headers.get("content-type") === "text/event-stream") return await response.body?.cancel();
      const said = await response.text();
      demand(response.status < 500, `no request breaks the server: ${response.status} ${said}`);
      if (response.status === 409) {
        const { code, message } = JSON.parse(said) as { code?: unknown; message?: unknown };
        demand(typeof code === "string" && typeof message === "string", "a refusal has a code and a sentence");
      }
      if (routes.some(({ method, path }) => method === asked.method && path === asked.path))
        demand(response.status !== 404, "a route that the sources name is there");
    },
    close() {
      server.stop(true);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
