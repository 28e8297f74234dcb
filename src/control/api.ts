/** The control socket: HTTP with JSON over a Unix socket, for root only. Errors are `{ code, message }`. */
import { chmodSync, rmSync } from "node:fs";
import { Failure, sentence } from "../errors.ts";
import { administrationRoutes } from "./administration-routes.ts";
import type { Node } from "./node.ts";
import { pairingRoutes } from "./pairing-routes.ts";
import { bodyOf, handlerOf, nameOf, type Routes, textOf } from "./route.ts";
import { settingsRoutes } from "./settings-routes.ts";
import { updateRoutes } from "./update-routes.ts";
import { Streams } from "./web-stream.ts";

const BODY_BYTES_MAX = 4 << 20;
const EVENTS_MAX = 500;

/** The web interface has the same ones, as far as its own table lists them. */
export function controlRoutes(node: Node): Routes {
  return {
    ...settingsRoutes(node.settings),
    ...administrationRoutes(node.administration),
    ...pairingRoutes(node.pairing),
    ...updateRoutes(node.updater),
    "GET /status": () => node.status(),
    "GET /cards": () => node.cards.list(),
    "POST /cards/assign": async (request) => {
      const { name, card } = (await bodyOf(request)) as { name?: unknown; card?: unknown };
      node.cards.assign(textOf(name, "name"), textOf(card, "card"));
      return {};
    },
    "POST /cards/forget": async (request) => {
      node.cards.forget(textOf(((await bodyOf(request)) as { name?: unknown }).name, "name"));
      return {};
    },
    "GET /doctor": () => node.doctor(),
    "GET /events": (_, url) =>
      node.events.latest(Math.min(EVENTS_MAX, Number(url.searchParams.get("last") ?? EVENTS_MAX) || EVENTS_MAX)),
    "GET /captures": () => node.captures.list(),
    "GET /captures/*": (_, url) => {
      const name = nameOf(url);
      return { name, content: Buffer.from(node.captures.read(name)).toString("base64") };
    },
    "POST /cluster/switch": async () => {
      await node.switchOver();
      return {};
    },
    "PUT /cluster/maintenance": async (request) => {
      const { on } = (await bodyOf(request)) as { on?: unknown };
      if (typeof on !== "boolean") throw new Failure("bad-request", "on must be true or false.");
      await node.maintain(on);
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
}

export function serveControl(node: Node, path: string) {
  const streams = new Streams(() => node.status(), node.events);
  const routes: Routes = { ...controlRoutes(node), "GET /events/stream": () => eventStream(streams) };
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
        const value = await handler(request, url);
        return value instanceof Response ? value : answer(200, value);
      } catch (error) {
        if (error instanceof Failure) return answer(409, { code: error.code, message: error.message });
        return answer(500, { code: "internal", message: sentence(error) });
      }
    },
  });
  chmodSync(path, 0o600);
  return server;
}

/** What an open page hears (web-stream.ts), for as long as the caller listens. */
function eventStream(streams: Streams): Response {
  const stream = streams.open(() => null);
  if (stream === null) throw new Failure("too-many-streams", "Too many programs follow the events; end some of them.");
  return new Response(stream, { headers: { "content-type": "text/event-stream" } });
}

function answer(status: number, value: unknown): Response {
  return Response.json(value, { status });
}
