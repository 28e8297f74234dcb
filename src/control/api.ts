/** The control socket: HTTP with JSON over a Unix socket, for root only. Errors are `{ code, message }`. */
import { chmodSync, rmSync } from "node:fs";
import { Failure, sentence } from "../errors.ts";
import { administrationRoutes } from "./administration-routes.ts";
import type { Node } from "./node.ts";
import { bodyOf, handlerOf, type Routes, textOf } from "./route.ts";
import { settingsRoutes } from "./settings-routes.ts";

const BODY_BYTES_MAX = 4 << 20;
const EVENTS_MAX = 500;
const WAIT_S_MAX = 3600;

export function serveControl(node: Node, path: string) {
  const routes: Routes = {
    ...settingsRoutes(node.settings),
    ...administrationRoutes(node.administration),
    "GET /status": () => node.status(),
    "GET /events": (_, url) =>
      node.events.latest(Math.min(EVENTS_MAX, Number(url.searchParams.get("last") ?? EVENTS_MAX) || EVENTS_MAX)),
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
    "POST /system/reboot": () => {
      node.power("reboot");
      return {};
    },
    "POST /system/poweroff": () => {
      node.power("poweroff");
      return {};
    },
  };
  rmSync(path, { force: true });
  const server = Bun.serve({
    unix: path,
    maxRequestBodySize: BODY_BYTES_MAX,
    async fetch(request) {
      const url = new URL(request.url);
      const handler = handlerOf(routes, request.method, url.pathname);
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

function waitOf(value: unknown): number {
  if (value === undefined) return WAIT_S_MAX;
  if (typeof value !== "number" || !(value > 0 && value <= WAIT_S_MAX))
    throw new Failure("bad-request", `timeout_s must be a number up to ${WAIT_S_MAX}.`);
  return value;
}
