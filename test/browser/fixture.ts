/**
 * A node made of canned answers: it serves the real user interface under the real content policy, and plays what the
 * administrator does with it, one situation after the other. For screenshots of every state, and for work on the pages:
 *
 *   bun test/browser/fixture.ts active 8080
 */
import { ASSETS } from "../../src/web/assets.ts";
import { type Answers, pairing, SITUATIONS, type Situation, WAITING_PEER } from "./situations.ts";

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const API = "/api/v1";
export const PASSWORD = "correct horse battery";
export const CODE = "204719";
const STATUS_MS = 100;
const ALIVE_MS = 1000;

class Refused extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

type Body = Record<string, unknown>;

export class Fixture {
  answers: Answers;
  logged_in: boolean;
  /** Nobody answers, as while an address moves from one node to the other. */
  silent = false;
  /** What the next one of these is refused with, by "METHOD /path". */
  readonly refusals = new Map<string, { code: string; message: string }>();
  /** What was asked for, as "METHOD /path". */
  readonly asked: string[] = [];
  readonly #server: ReturnType<typeof Bun.serve>;
  readonly #streams = new Set<ReadableStreamDefaultController>();

  constructor(situation: Situation, { logged_in = true, port = 0 } = {}) {
    this.answers = structuredClone(SITUATIONS[situation]) as Answers;
    this.logged_in = logged_in;
    this.#server = Bun.serve({
      hostname: "127.0.0.1",
      port,
      idleTimeout: 0,
      fetch: (request) => this.#answer(request),
    });
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#server.port}`;
  }

  async stop(): Promise<void> {
    this.dropStreams();
    await this.#server.stop(true);
  }

  /** Changes the node's state as a browser sees it. */
  become(change: Partial<Answers["status"]>): void {
    this.answers = { ...this.answers, status: { ...this.answers.status, ...change } };
  }

  dropStreams(): void {
    for (const stream of this.#streams) {
      try {
        stream.close();
      } catch {
        // The browser has closed it already.
      }
    }
    this.#streams.clear();
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (this.silent) return new Response(null, { status: 502 });
    if (!pathname.startsWith(API)) return page(pathname);
    const route = `${request.method} ${pathname.slice(API.length)}`;
    this.asked.push(route);
    try {
      if (request.method !== "GET" && request.headers.get("x-understudy") !== "1")
        throw new Refused(403, "foreign-origin", "This request does not come from the page.");
      const body = request.body === null ? {} : ((await request.json()) as Body);
      if (route === "GET /events/stream") return this.#stream();
      return Response.json(await this.#route(route, body));
    } catch (error) {
      const { status, code, message } = error instanceof Refused ? error : new Refused(500, "internal", String(error));
      return Response.json({ code, message }, { status });
    }
  }

  #stream(): Response {
    this.#demandSession();
    const encoder = new TextEncoder();
    let timer: Timer;
    let own: ReadableStreamDefaultController;
    const stream = new ReadableStream({
      start: (controller) => {
        own = controller;
        this.#streams.add(controller);
        let said = "";
        let said_ms = 0;
        const say = () => {
          const text = JSON.stringify(this.#liveStatus());
          const now_ms = performance.now();
          if (text === said && now_ms - said_ms < ALIVE_MS) return;
          try {
            controller.enqueue(encoder.encode(text === said ? ": alive\n\n" : `event: status\ndata: ${text}\n\n`));
          } catch {
            clearInterval(timer);
          }
          said = text;
          said_ms = now_ms;
        };
        say();
        timer = setInterval(say, STATUS_MS);
      },
      cancel: () => {
        clearInterval(timer);
        this.#streams.delete(own);
      },
    });
    return new Response(stream, { headers: { "content-type": "text/event-stream", "cache-control": "no-store" } });
  }

  /** Figures move a little, so that the charts have something to draw. */
  #liveStatus(): Answers["status"] {
    const { status } = this.answers;
    const beat = Math.floor(performance.now() / 500);
    const paths = status.paths.map((path, index) => {
      const wave = Math.abs(Math.sin(beat * 0.9 + index)) * 0.12;
      return path.latency_ms === null ? path : { ...path, latency_ms: path.latency_ms + wave };
    });
    return { ...status, paths };
  }

  #demandSession(): void {
    if (!this.logged_in) throw new Refused(401, "no-session", "Log in first.");
  }

  async #route(route: string, body: Body): Promise<unknown> {
    const { answers } = this;
    const { status } = answers;
    if (route === "GET /public")
      return {
        name: status.name,
        version: status.version,
        build: status.build,
        role: status.role,
        first_password: answers.first_password,
        active: answers.active,
      };
    if (route === "POST /session") return this.#logIn(body);
    this.#demandSession();
    switch (route) {
      case "GET /session":
        return { name: "admin", since: "2026-11-24T10:00:00Z", expires: "2026-11-24T22:00:00Z" };
      case "DELETE /session":
        this.logged_in = false;
        return {};
      case "GET /status":
        return status;
      case "GET /events":
        return answers.events;
      case "GET /settings":
        return answers.settings;
      case "GET /cards":
        return answers.cards;
      case "GET /doctor":
        return answers.checks;
      case "GET /license":
        return answers.license;
      case "GET /captures":
        return answers.captures;
      case "GET /captures/2026-11-24T10-12-03.411Z-became-active.pcapng":
        return { content: btoa("\u0000\u00ff") };
      case "GET /backups":
        return answers.backups;
      case "GET /administrators":
        return answers.settings.administrators.map(({ name }) => ({ name, password: "set" }));
      case "GET /tokens":
        return answers.tokens;
      case "GET /certificate":
        return answers.certificate;
      default:
        return this.#change(route, body);
    }
  }

  #logIn({ name, password, first }: Body): unknown {
    if (first === true) {
      if (String(password).length < 12)
        throw new Refused(
          409,
          "weak-password",
          "That password has fewer than 12 characters; a sentence of some words is easy to remember; choose another one.",
        );
      this.answers = { ...this.answers, first_password: false };
    } else if (name !== "admin" || password !== PASSWORD)
      throw new Refused(401, "wrong-password", "The name or the password is wrong.");
    this.logged_in = true;
    return { name: "admin", since: "2026-11-24T10:00:00Z", expires: "2026-11-24T22:00:00Z" };
  }

  async #change(route: string, body: Body): Promise<unknown> {
    const { answers } = this;
    if (answers.status.role === "backup")
      throw new Refused(409, "not-active", "Only the active node of a cluster takes changes; make this one there.");
    const refusal = this.refusals.get(route);
    if (this.refusals.delete(route) && refusal !== undefined) throw new Refused(409, refusal.code, refusal.message);
    switch (route) {
      case "PATCH /settings":
        return this.#patch(body["set"] as Record<string, unknown>);
      case "POST /cluster/search":
        return this.#search();
      case "POST /cluster/code":
        return this.#code(String(body["code"]));
      case "POST /cluster/test":
        return this.#test(String(body["mine"]), String(body["theirs"]));
      case "POST /cluster/apply":
        return this.#apply();
      case "DELETE /cluster/pairing":
        this.become({ pairing: null });
        return {};
      case "POST /cluster/switch":
        return this.#switch();
      case "PUT /cluster/maintenance": {
        const { peer } = answers.status;
        if (peer !== null) this.become({ peer: { ...peer, unwilling: body["on"] === true } });
        return {};
      }
      case "POST /cluster/destroy":
        this.answers = { ...structuredClone(SITUATIONS.standalone), backups: answers.backups } as Answers;
        return {};
      case "POST /backups/restore":
      case "POST /administrators/password":
        if (body["current"] !== PASSWORD)
          throw new Refused(401, "wrong-password", "The name or the password is wrong.");
        return {};
      case "POST /tokens":
        return { id: "t2", token: "ust_4hV9xQb2mT7kLw0cYp3RzN8sDf6Ja1Ge" };
      default:
        throw new Refused(404, "unknown-route", `There is no ${route}.`);
    }
  }

  #patch(set: Record<string, unknown>): unknown {
    const settings = structuredClone(this.answers.settings) as Record<string, unknown>;
    for (const [place, value] of Object.entries(set)) {
      const words = place.split(".");
      const last = words.pop() ?? "";
      let target: Record<string, unknown> = settings;
      for (const word of words) {
        const next: unknown = Array.isArray(target)
          ? target.find((entry: { nic?: string }) => entry.nic === word)
          : target[word];
        target = (next ?? {}) as Record<string, unknown>;
      }
      if (value === null) delete target[last];
      else target[last] = value;
    }
    const { status } = this.answers;
    this.answers = { ...this.answers, settings: settings as unknown as Answers["settings"] };
    this.become({ settings_revision: status.settings_revision + 1 });
    return {};
  }

  async #search(): Promise<unknown> {
    this.become({ pairing: pairing("searching") });
    await Bun.sleep(400);
    this.become({ pairing: pairing("found") });
    return { peer: WAITING_PEER };
  }

  #code(code: string): unknown {
    if (code !== CODE) {
      this.become({ pairing: null });
      throw new Refused(
        409,
        "wrong-code",
        "That is not the code that node-b shows; it shows a new one now, type that.",
      );
    }
    this.become({ pairing: pairing("confirmed") });
    return {};
  }

  #test(mine: string, theirs: string): unknown {
    if (this.answers.status.pairing == null)
      throw new Refused(
        409,
        "peer-gone",
        "node-b is not heard any more; see its console and the cable, and search again.",
      );
    const good = mine === theirs;
    const way = { good, arrived_at: [] };
    const advice = good
      ? null
      : `Nothing that leaves ${mine} of node-a arrives at ${theirs} of node-b: they are not in one segment; match other cards, or correct the cabling.`;
    return { matches: [{ mine, theirs, there: way, back: way, advice }] };
  }

  async #apply(): Promise<unknown> {
    this.become({ pairing: pairing("applying") });
    await Bun.sleep(300);
    const { status } = SITUATIONS["peer-away"];
    this.answers = { ...structuredClone(SITUATIONS.active), status: { ...status, pairing: null } } as Answers;
    setTimeout(() => this.become(SITUATIONS.active.status), 1200);
    return {};
  }

  /** The address goes to the other node, where the same session counts. */
  #switch(): unknown {
    this.silent = true;
    this.dropStreams();
    setTimeout(() => {
      const { status } = this.answers;
      const other = { ...status, name: "node-b", term: status.term + 1 };
      if (status.peer !== null) other.peer = { ...status.peer, name: "node-a" };
      this.answers = { ...this.answers, status: other };
      this.silent = false;
    }, 700);
    throw new Refused(502, "no-node", "The node does not answer.");
  }
}

function page(pathname: string): Response {
  const asset = ASSETS.get(pathname);
  if (asset === undefined) return new Response("There is no such page.", { status: 404 });
  return new Response(asset.bytes as Uint8Array<ArrayBuffer>, {
    headers: {
      "content-type": asset.type,
      "content-security-policy": POLICY,
      "x-content-type-options": "nosniff",
      "cache-control": "no-cache",
    },
  });
}

if (import.meta.main) {
  const [, , name = "active", port = "8080"] = process.argv;
  if (!(name in SITUATIONS)) {
    console.error(`Unknown situation ${name}; there are: ${Object.keys(SITUATIONS).join(", ")}.`);
    process.exit(2);
  }
  const fixture = new Fixture(name as Situation, { port: Number(port) });
  console.log(`${name}: ${fixture.origin}`);
}
