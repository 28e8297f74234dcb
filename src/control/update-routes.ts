/** Updates over the control socket. Bundles come in pieces, each with its place, so that nobody holds a whole one in memory. */
import { Failure } from "../errors.ts";
import { ORDERS } from "../update/plan.ts";
import { bodyOf, type Routes } from "./route.ts";
import type { Updater } from "./updater.ts";

/** Pieces of a bundle. */
const PIECE_BYTES_MAX = 2 << 20;

export function updateRoutes(updater: Updater): Routes {
  return {
    "GET /update": () => updater.status(),
    "POST /update/check": async (request) => updater.check(await bytesOf(request)),
    "PUT /update/bundle": async (request, url) => {
      const text = url.searchParams.get("offset") ?? "";
      if (!/^\d{1,15}$/.test(text))
        throw new Failure("bad-request", "offset must say which byte of the update is the first one here.");
      return updater.upload(Number(text), await bytesOf(request));
    },
    "POST /update/start": async (request) => {
      const { order = "active-first", alone = false } = (await bodyOf(request)) as { order?: unknown; alone?: unknown };
      const known = ORDERS.find((name) => name === order);
      if (known === undefined) throw new Failure("bad-request", `order must be one of ${ORDERS.join(" and ")}.`);
      updater.begin({ order: known, alone: alone === true });
      return updater.status();
    },
    "POST /update/pause": () => done(() => updater.pause()),
    "POST /update/resume": () => done(() => updater.resume()),
    "POST /update/abort": () => done(() => updater.abort()),
    "POST /update/restore": async (request) => {
      const { confirm, alone } = (await bodyOf(request)) as { confirm?: unknown; alone?: unknown };
      if (confirm !== true)
        throw new Failure("bad-request", "confirm must be true: settings changed since may be lost.");
      return done(() => updater.restore({ alone: alone === true }));
    },
  };
}

function done(work: () => void): object {
  work();
  return {};
}

async function bytesOf(request: Request): Promise<Buffer> {
  const bytes = Buffer.from(await request.arrayBuffer());
  if (bytes.length === 0 || bytes.length > PIECE_BYTES_MAX)
    throw new Failure("bad-request", `Send between 1 and ${PIECE_BYTES_MAX} bytes at once.`);
  return bytes;
}
