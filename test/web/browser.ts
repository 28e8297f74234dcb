/** What a browser does with a web interface, by way of a Unix socket that leads to it (test/lab/forward.ts). */

export const PASSWORD = "four boats in the fog";

export interface Answer {
  status: number;
  /** The code of a refusal. */
  code: string | undefined;
  value: unknown;
  headers: Headers;
}

export interface Asking {
  body?: unknown;
  /** A ticket; the cookie that goes along. */
  session?: string;
  headers?: Record<string, string>;
  /** Headers of our own page, which are sent unless this is false. */
  page?: boolean;
}

export class Browser {
  readonly #socket: string;
  readonly #origin: string;

  /** `origin` as a browser shows it: without the usual port. */
  constructor(socket: string, origin: string) {
    this.#socket = socket;
    this.#origin = origin;
  }

  /** Over the network, as a browser does. Null where there is no answer. */
  async tell(
    method: string,
    path: string,
    { body, session, headers = {}, page = true }: Asking = {},
  ): Promise<Response | null> {
    const origin = this.#origin;
    try {
      return await fetch(`${origin}${path}`, {
        method,
        unix: this.#socket,
        tls: { rejectUnauthorized: false },
        redirect: "manual",
        keepalive: false,
        headers: {
          ...(page && method !== "GET" ? { origin, "x-understudy": "1", "content-type": "application/json" } : {}),
          ...(session === undefined ? {} : { cookie: `__Host-session=${session}` }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      } as RequestInit);
    } catch {
      return null;
    }
  }

  /** A route under /api/v1. */
  async ask(method: string, path: string, asking: Asking = {}): Promise<Answer | null> {
    const response = await this.tell(method, `/api/v1${path}`, asking);
    if (response === null) return null;
    const text = await response.text();
    let value: unknown = text;
    try {
      value = JSON.parse(text);
    } catch {
      // Not JSON: the text itself.
    }
    return { status: response.status, code: (value as { code?: string }).code, value, headers: response.headers };
  }

  /** What a route answers, as its value; throws where it refuses. */
  async value<T>(method: string, path: string, asking: Asking = {}): Promise<T> {
    const answer = await this.ask(method, path, asking);
    if (answer?.status !== 200) throw new Error(`${method} ${path}: ${JSON.stringify(answer?.value ?? "no answer")}`);
    return answer.value as T;
  }

  async codeOf(method: string, path: string, asking: Asking = {}): Promise<string> {
    const answer = await this.ask(method, path, asking);
    return answer === null ? "no answer" : (answer.code ?? String(answer.status));
  }

  /** Logs in, with the first password where there is none; the ticket. */
  async login(): Promise<string> {
    const { first_password } = await this.value<{ first_password: boolean }>("GET", "/public");
    const body = { name: "admin", password: PASSWORD, ...(first_password ? { first: true } : {}) };
    const answer = await this.ask("POST", "/session", { body });
    const ticket = ticketOf(answer);
    if (ticket === null) throw new Error(`no session: ${JSON.stringify(answer?.value)}`);
    return ticket;
  }
}

/** The ticket in an answer's cookie; null where it sets none. */
export function ticketOf(answer: Answer | null): string | null {
  const match = /^__Host-session=([^;]+);/.exec(answer?.headers.get("set-cookie") ?? "");
  return match?.[1] ?? null;
}
