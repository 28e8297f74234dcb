/** What the network may ask: routes of the table, each with what it must show, passed on to the control process. */
import { z } from "zod";
import {
  BYTES,
  isBytes,
  isFromOurPage,
  isJson,
  refusal,
  sessionCookie,
  sessionOf,
  tokenOf,
  withHeaders,
} from "./headers.ts";
import type { Request } from "./http/connection.ts";
import type { Answer, Head } from "./http/message.ts";
import { isTooDeep } from "./json.ts";
import { API, BODY_BYTES_MAX, findRoute, type Route } from "./routes.ts";
import type { Upstream, UpstreamAnswer } from "./upstream.ts";

export class Api {
  readonly #upstream: Upstream;

  constructor(upstream: Upstream) {
    this.#upstream = upstream;
  }

  static takes(path: string): boolean {
    return path === "/metrics" || path === "/api" || path.startsWith("/api/");
  }

  bodyLimit(head: Head): number {
    const route = routeOf(head);
    return route?.body === undefined ? 0 : (route.body_bytes_max ?? BODY_BYTES_MAX);
  }

  async answer(request: Request): Promise<Answer> {
    const route = routeOf(request);
    if (route === null) return refusal(404, "unknown-route", "There is no such route.");
    const token = tokenOf(request);
    if (token === null && request.method !== "GET" && !isFromOurPage(request))
      return refusal(403, "foreign-origin", "Changes are taken from this server's own page only.");
    const bearer = token ?? sessionOf(request);
    if (route.access !== "public" && (bearer === null || bearer === ""))
      return refusal(401, "no-session", "Log in first.");
    if (token !== null && route.people_only)
      return refusal(403, "people-only", "This is for people who have logged in, not for tokens.");
    const { body, refused } = bodyOf(route, request);
    if (refused !== null) return refused;
    // How many streams there may be, the control process knows: only it can tell who may have one.
    const is_stream = route.media_type === "text/event-stream";
    const path = route.path === "/metrics" ? route.path : request.path.slice(API.length);
    const query = queryOf(route, request.query);
    // Anything else that has begun goes on when its caller goes away: pairing is resumed by whoever comes back.
    const signal = is_stream ? request.signal : null;
    const meant_for = request.headers.get("x-understudy-node") ?? null;
    return fromUpstream(
      await this.#upstream({ method: request.method, path: path + query, bearer, body, meant_for, signal }),
    );
  }
}

function routeOf({ method, path }: Head): Route | null {
  if (path === "/metrics") return findRoute(method, path);
  return path.startsWith(`${API}/`) ? findRoute(method, path.slice(API.length)) : null;
}

type Body = { body: string | Uint8Array | null; refused: null } | { body: null; refused: Answer };

/** What to pass on, null where the route takes nothing, or the refusal. */
function bodyOf(route: Route, request: Request): Body {
  const refused = (status: number, code: string, message: string): Body => ({
    body: null,
    refused: refusal(status, code, message),
  });
  if (route.body === undefined) return { body: null, refused: null };
  if (route.raw) {
    if (!isBytes(request)) return refused(415, "not-bytes", `Send bytes, with content-type: ${BYTES}.`);
    return { body: request.body, refused: null };
  }
  if (!isJson(request)) return refused(415, "not-json", "Send JSON, with content-type: application/json.");
  if (isTooDeep(request.body)) return refused(400, "bad-json", "The body is nested too deeply.");
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(request.body));
  } catch {
    return refused(400, "bad-json", "The body is not JSON.");
  }
  const parsed = route.body.safeParse(value);
  if (!parsed.success) return refused(400, "bad-request", inWords(parsed.error));
  return { body: JSON.stringify(parsed.data), refused: null };
}

function inWords(error: z.ZodError): string {
  const [issue] = error.issues;
  const place = issue?.path.join(".") ?? "";
  return `The request is not understood: ${place === "" ? "" : `${place}: `}${issue?.message ?? z.prettifyError(error)}.`;
}

function queryOf(route: Route, query: URLSearchParams): string {
  const passed = new URLSearchParams();
  for (const name of route.query ?? []) {
    const value = query.get(name);
    if (value !== null) passed.set(name, value);
  }
  const text = passed.toString();
  return text === "" ? "" : `?${text}`;
}

function fromUpstream({ status, media_type, session, body }: UpstreamAnswer): Answer {
  return withHeaders({
    status,
    headers: {
      "content-type": media_type,
      ...(session === null ? {} : { "set-cookie": sessionCookie(session) }),
    },
    body,
  });
}
