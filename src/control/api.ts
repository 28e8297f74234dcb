/** The control socket: HTTP with JSON over a Unix socket, for root only. Errors are `{ code, message }`. */
import { chmodSync, rmSync } from "node:fs";
import { Failure, sentence } from "../errors.ts";
import type { Node } from "./node.ts";

const BODY_BYTES_MAX = 4 << 20;
const EVENTS_MAX = 500;
const WAIT_S_MAX = 3600;

type Handler = (request: Request, url: URL) => unknown;

export function serveControl(node: Node, path: string) {
  const routes: Record<string, Handler> = {
    "GET /status": () => node.status(),
    "GET /events": (_, url) =>
      node.events.latest(Math.min(EVENTS_MAX, Number(url.searchParams.get("last") ?? EVENTS_MAX) || EVENTS_MAX)),
    "GET /settings": () => node.settings(),
    "PUT /settings": async (request) => {
      node.importSettings(await bodyOf(request));
      return {};
    },
    "POST /cluster/join": async (request) => {
      const body = (await bodyOf(request)) as { interface?: unknown; name?: unknown; timeout_s?: unknown };
      await node.join(
        textOf(body.interface, "interface"),
        body.name === undefined ? undefined : textOf(body.name, "name"),
        request.signal,
        waitOf(body.timeout_s),
      );
      return {};
    },
    "POST /cluster/create": async (request) => {
      const body = (await bodyOf(request)) as { interface?: unknown; matches?: unknown; timeout_s?: unknown };
      if (!Array.isArray(body.matches))
        throw new Failure("bad-request", "matches must be a list of pairs { mine, theirs }.");
      const matches = body.matches.map((match: { mine?: unknown; theirs?: unknown }) => ({
        mine: textOf(match?.mine, "mine"),
        theirs: textOf(match?.theirs, "theirs"),
      }));
      await node.create(textOf(body.interface, "interface"), matches, request.signal, waitOf(body.timeout_s));
      return {};
    },
    "POST /cluster/switch": async () => {
      await node.switchOver();
      return {};
    },
    "POST /cluster/destroy": async () => {
      await node.destroy();
      return {};
    },
  };
  rmSync(path, { force: true });
  const server = Bun.serve({
    unix: path,
    maxRequestBodySize: BODY_BYTES_MAX,
    async fetch(request) {
      const url = new URL(request.url);
      const handler = routes[`${request.method} ${url.pathname}`];
      if (handler === undefined)
        return answer(404, { code: "unknown-route", message: `There is no ${request.method} ${url.pathname}.` });
      try {
        return answer(200, await handler(request, url));
      } catch (error) {
        if (error instanceof Failure) return answer(409, { code: error.code, message: error.message });
        return answer(500, { code: "internal", message: sentence(error) });
      }
    },
  });
  chmodSync(path, 0o600);
  return server;
}

function answer(status: number, value: unknown): Response {
  return Response.json(value, { status });
}

async function bodyOf(request: Request): Promise<unknown> {
  try {
    const body: unknown = await request.json();
    if (typeof body === "object" && body !== null) return body;
  } catch {
    // Said below, as for any other body that is no object.
  }
  throw new Failure("bad-json", "The request's body is not a JSON object.");
}

function textOf(value: unknown, name: string): string {
  if (typeof value !== "string" || value === "") throw new Failure("bad-request", `${name} must be a text.`);
  return value;
}

function waitOf(value: unknown): number {
  if (value === undefined) return WAIT_S_MAX;
  if (typeof value !== "number" || !(value > 0 && value <= WAIT_S_MAX))
    throw new Failure("bad-request", `timeout_s must be a number up to ${WAIT_S_MAX}.`);
  return value;
}
