/**
 * What the web process may ask the control process: its own socket, on which everything but the login demands a session
 * or a token. Whoever has broken into the web process has nothing here that a visitor does not have.
 */
import { Failure, sentence } from "../errors.ts";
import { openApi } from "../web/openapi.ts";
import { findRoute, type Route } from "../web/routes.ts";
import { controlRoutes } from "./api.ts";
import type { Node } from "./node.ts";
import { withoutSecrets } from "./redaction.ts";
import { bodyOf, handlerOf, type Routes, textOf } from "./route.ts";
import type { Session, Sessions } from "./sessions.ts";
import type { TokenAccess, Tokens } from "./tokens.ts";
import { webSettingsRoutes } from "./web-settings.ts";
import type { Streams } from "./web-stream.ts";

export interface WebParts {
  node: Node;
  sessions: Sessions;
  tokens: Tokens;
  streams: Streams;
  /** Routes of the interface's own matters: certificate, metrics. Their last argument is who asks. */
  own: Record<string, OwnHandler>;
}

export type OwnHandler = (request: Request, url: URL, who: Who) => unknown;

/** Who asks: a person with a session, or a program with a token. */
export interface Who {
  name: string;
  session: Session | null;
  access: TokenAccess;
}

const STATUSES: Record<string, number> = {
  "no-session": 401,
  "wrong-password": 401,
  "read-only-token": 403,
  "people-only": 403,
  "other-route": 403,
  "secrets-refused": 403,
  "not-encrypted": 403,
  "unknown-route": 404,
  "not-found": 404,
  "bad-request": 400,
  "bad-json": 400,
  "too-many-tries": 429,
  "too-many-streams": 429,
  busy: 429,
};
const NO_SESSION = { code: "no-session", message: "Log in first." };

export class WebApi {
  readonly #parts: WebParts;
  readonly #routes: Routes;

  constructor(parts: WebParts) {
    this.#parts = parts;
    this.#routes = { ...controlRoutes(parts.node), ...webSettingsRoutes(parts.node.settings) };
  }

  async answer(request: Request): Promise<Response> {
    try {
      return await this.#answer(request, new URL(request.url));
    } catch (error) {
      if (!(error instanceof Failure)) console.error(error);
      const code = error instanceof Failure ? error.code : "internal";
      const status = error instanceof Failure ? (STATUSES[code] ?? 409) : 500;
      const message =
        error instanceof Failure ? sentence(error) : "This server has made a mistake; its log says which.";
      return Response.json({ code, message }, { status });
    }
  }

  async #answer(request: Request, url: URL): Promise<Response> {
    const route = findRoute(request.method, url.pathname);
    if (route === null) throw new Failure("unknown-route", "There is no such route.");
    if (route.path === "/public") return Response.json(this.#publicFacts());
    if (route.path === "/session" && route.method === "POST") return await this.#login(request);
    const bearer = /^Bearer (\S+)$/.exec(request.headers.get("authorization") ?? "")?.[1] ?? "";
    // Looking at an open page is not being there.
    const use = route.path !== "/events/stream" && !(route.path === "/session" && route.method === "GET");
    const { who, renewed } = this.#demandWho(bearer, use);
    this.#demandAccess(route, who, url);
    if (route.access === "change") this.#demandMeant(request.headers.get("x-understudy-node"));
    const headers = new Headers(renewed === null ? {} : { "x-session": renewed });
    if (route.path === "/events/stream") return this.#stream(bearer, headers);
    return await this.#routed(route, request, url, who, headers);
  }

  async #routed(route: Route, request: Request, url: URL, who: Who, headers: Headers): Promise<Response> {
    const { sessions } = this.#parts;
    const { session } = who;
    if (route.path === "/session" && session !== null) {
      if (route.method === "GET") return Response.json(forBrowser(session), { headers });
      sessions.end(session);
      headers.set("x-session", "");
      return Response.json({}, { headers });
    }
    if (route.path === "/administrators/password" && session !== null) {
      await this.#changePassword(request, session);
      headers.set("x-session", sessions.reissue(session));
      return Response.json({}, { headers });
    }
    if (route.path === "/backups/restore" && session !== null)
      await this.#demandPassword(request.clone() as Request, session);
    const value = await this.#value(route, request, url, who);
    // The cluster's key seals no ticket any more; whoever has destroyed it stays logged in on the node that goes on.
    if (route.path === "/cluster/destroy" && session !== null) headers.set("x-session", sessions.reissue(session));
    if (typeof value === "string") {
      headers.set("content-type", route.media_type ?? "text/plain");
      return new Response(value, { headers });
    }
    return Response.json(withoutSecrets(value ?? {}), { headers });
  }

  /** What the node answers, or the interface itself. */
  async #value(route: Route, request: Request, url: URL, who: Who): Promise<unknown> {
    const { tokens, own } = this.#parts;
    switch (`${route.method} ${route.path}`) {
      case "GET /openapi.json":
        return openApi();
      case "GET /tokens":
        return tokens.list();
      case "POST /tokens": {
        const { name, access } = (await bodyOf(request)) as { name?: unknown; access?: unknown };
        return await tokens.make(textOf(name, "name"), access === "full" ? "full" : "read", who.name);
      }
      case "DELETE /tokens/{id}":
        return await tokens.revoke(url.pathname.split("/").at(-1) ?? "", who.name).then(() => ({}));
    }
    const mine = own[`${route.method} ${route.path}`];
    if (mine !== undefined) return await mine(request, url, who);
    const handler = handlerOf(this.#routes, route.method, url.pathname);
    if (handler === undefined) throw new Failure("unknown-route", "This version has no such route.");
    const value = await handler(await detached(request), addressFor(route, url, who));
    if (route.path === "/backups/{name}") demandEncrypted(value);
    return value;
  }

  #demandWho(bearer: string, use: boolean): { who: Who; renewed: string | null } {
    if (bearer.startsWith("ust_")) {
      const token = this.#parts.tokens.check(bearer);
      if (token === null) throw new Failure("no-session", "This token is not known, or was revoked.");
      return { who: { name: `token ${token.name}`, session: null, access: token.access }, renewed: null };
    }
    const checked = this.#parts.sessions.check(bearer, use);
    if (checked === null) throw new Failure(NO_SESSION.code, NO_SESSION.message);
    const { session, renewed } = checked;
    return { who: { name: session.name, session, access: "full" }, renewed };
  }

  #demandAccess({ access, people_only }: Route, who: Who, url: URL): void {
    if (url.searchParams.has("secrets"))
      throw new Failure("secrets-refused", "Secrets are shown on the server's own socket only.");
    if (who.session === null && people_only)
      throw new Failure("people-only", "This is for people who have logged in, not for tokens.");
    if (access !== "change") return;
    if (who.access === "read") throw new Failure("read-only-token", "This token may only read.");
    const { in_cluster, active } = this.#parts.node.situation();
    if (in_cluster && !active)
      throw new Failure(
        "not-active",
        "This node is not the active one; make the change there, and it comes here by itself.",
      );
  }

  /**
   * A browser whose connection breaks before the answer sends the same request once more, by itself. After an order that
   * moves the address it would go to the other node: a switch would be undone, and turning off would turn off both.
   */
  #demandMeant(meant_for: string | null): void {
    const { name } = this.#parts.node.settings.current.server;
    if (meant_for === null || meant_for === encodeURIComponent(name)) return;
    throw new Failure(
      "other-node",
      `This was meant for another node than ${name}; look at what is shown, and try again.`,
    );
  }

  async #login(request: Request): Promise<Response> {
    const { node, sessions } = this.#parts;
    const { administrators } = node.administration;
    const body = (await bodyOf(request)) as { name?: unknown; password?: unknown; first?: unknown };
    const [name, password] = [textOf(body.name, "name"), textOf(body.password, "password")];
    if (body.first === true) {
      if (administrators.list().length > 0)
        throw new Failure("current-needed", "A password has been set already; log in with it.");
      await administrators.setPassword("web", { name, password });
      node.events.add("first-password", "info", `${name} set the first password, on the web interface.`);
    } else {
      await administrators.verify(name, password).catch((error: unknown) => {
        if (error instanceof Failure && error.code === "wrong-password")
          node.events.add("login-refused", "warning", "Somebody gave a wrong name or password on the web interface.");
        throw error;
      });
    }
    const { session, ticket } = sessions.begin(name);
    return Response.json(forBrowser(session), { headers: { "x-session": ticket } });
  }

  /** A copy brings administrators of its own: a page left open is no way to become one of them. */
  async #demandPassword(request: Request, { name }: Session): Promise<void> {
    const { current } = (await bodyOf(request)) as Record<string, unknown>;
    await this.#parts.node.administration.administrators.verify(name, textOf(current, "current"));
  }

  /** Only one's own, and only with the present one: a page left open is no way to lock its owner out. */
  async #changePassword(request: Request, session: Session): Promise<void> {
    const { name, password, current } = (await bodyOf(request)) as Record<string, unknown>;
    if (name !== session.name) throw new Failure("not-yours", "Only your own password can be changed here.");
    await this.#parts.node.administration.administrators.setPassword("web", {
      name: session.name,
      password: textOf(password, "password"),
      current: textOf(current, "current"),
    });
  }

  #stream(bearer: string, headers: Headers): Response {
    const { sessions, tokens, streams } = this.#parts;
    const lives = () => (bearer.startsWith("ust_") ? tokens.check(bearer) : sessions.check(bearer, false)) !== null;
    const stream = streams.open(() => (lives() ? null : NO_SESSION));
    if (stream === null) throw new Failure("too-many-streams", "Too many pages are open; close some of them.");
    headers.set("content-type", "text/event-stream");
    return new Response(stream, { headers });
  }

  #publicFacts(): object {
    const { node } = this.#parts;
    const { name, version, build, role, peer } = node.status();
    const addresses = node.settings.current.interfaces
      .filter(({ enabled }) => enabled !== false)
      .flatMap((entry) => entry.addresses.map((address) => address.split("/")[0] ?? address));
    const serves = role === "active" || role === "standalone";
    const who = serves ? name : peer?.heard === true && peer.role === "active" ? peer.name : null;
    const first_password = node.administration.administrators.list().length === 0;
    return { name, version, build, role, first_password, active: who === null ? null : { name: who, addresses } };
  }
}

function forBrowser({ name, since, expires }: Session): object {
  return { name, since, expires };
}

/** What has begun goes on when its caller goes away; whoever comes back finds it in the status. */
async function detached(request: Request): Promise<Request> {
  const body = request.method === "GET" ? new ArrayBuffer(0) : await request.arrayBuffer();
  return new Request(request.url, { method: request.method, ...(body.byteLength === 0 ? {} : { body }) });
}

/** The author of a change is whoever is logged in, whatever the request says. */
function addressFor({ query = [] }: Route, url: URL, who: Who): URL {
  const clean = new URL(url.pathname, url);
  for (const name of query) {
    const value = url.searchParams.get(name);
    if (value !== null) clean.searchParams.set(name, value);
  }
  clean.searchParams.set("author", who.name);
  return clean;
}

/** A copy in plain text holds the hashes of passwords and the key of the certificate. */
function demandEncrypted(value: unknown): void {
  const { content } = value as { content?: unknown };
  if (typeof content !== "string" || withoutSecrets(content) !== content)
    throw new Failure(
      "not-encrypted",
      "This backup copy is not encrypted, so it is not given out here; make one with a passphrase.",
    );
}
