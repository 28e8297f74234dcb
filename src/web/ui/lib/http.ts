/** Requests to the node. What it refuses comes back as its own sentence. */

const BASE = "/api/v1";
/** Longer than the node takes to give up on its peer. */
const TIMEOUT_MS = 20_000;

const PIECE_BYTES = 1 << 20;
const TRIES_MAX = 5;

export class Refusal extends Error {
  readonly code: string;
  /** HTTP status; 0 where no answer came. */
  readonly status: number;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export interface Ask {
  body?: unknown;
  timeout_ms?: number;
  signal?: AbortSignal;
}

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** Called where the session has ended; set by lib/session.ts. */
let onLoggedOut: () => void = () => {};
export function whenLoggedOut(callback: () => void): void {
  onLoggedOut = callback;
}

/** The node that is shown, and that changes are meant for. */
let meant_for: string | null = null;
export function setMeantFor(name: string | null): void {
  meant_for = name;
}

export async function ask<T>(method: Method, path: string, options: Ask = {}): Promise<T> {
  const response = await send(method, path, options);
  const text = await response.text();
  const value: unknown = text === "" ? {} : parsed(text);
  if (response.ok) return value as T;
  const { code, message } = value as { code?: unknown; message?: unknown };
  // A wrong password that was asked for once more ends nothing.
  if (code === "no-session" && path !== "/session") onLoggedOut();
  throw new Refusal(
    response.status,
    typeof code === "string" ? code : "unknown",
    typeof message === "string" ? message : `The server answered with status ${response.status}.`,
  );
}

/** A file in pieces, each behind the one before; after a gap in the connection it goes on where the node says. */
export async function sendPieces(path: string, file: Blob, told: (bytes: number) => void): Promise<void> {
  let tries = 0;
  for (let at = 0; at < file.size; ) {
    const body = file.slice(at, at + PIECE_BYTES);
    try {
      const answer = await ask<{ received_bytes: number; complete: boolean }>("PUT", `${path}?offset=${at}`, { body });
      at = answer.received_bytes;
      if (at === file.size && !answer.complete)
        throw new Refusal(409, "bundle-damaged", "The file is cut off; copy or download it again, as a whole.");
      tries = 0;
    } catch (error) {
      // No answer: whether the piece arrived is said by the answer to the next one.
      if (!(error instanceof Refusal) || error.status !== 0 || at === 0 || ++tries > TRIES_MAX) throw error;
      const { staged } = await ask<{ staged: { received_bytes: number } | null }>("GET", "/update");
      at = staged?.received_bytes ?? 0;
    }
    told(at);
  }
}

async function send(method: Method, path: string, { body, timeout_ms = TIMEOUT_MS, signal }: Ask): Promise<Response> {
  const limit = AbortSignal.timeout(timeout_ms);
  const headers: Record<string, string> = { accept: "application/json", "x-understudy": "1" };
  const is_bytes = body instanceof Blob;
  if (body !== undefined) headers["content-type"] = is_bytes ? "application/octet-stream" : "application/json";
  // A browser repeats by itself what it had no answer to, and after a switch another node would take it.
  if (method !== "GET" && meant_for !== null) headers["x-understudy-node"] = encodeURIComponent(meant_for);
  try {
    return await fetch(BASE + path, {
      method,
      headers,
      cache: "no-store",
      credentials: "same-origin",
      redirect: "error",
      signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
      ...(body === undefined ? {} : { body: is_bytes ? body : JSON.stringify(body) }),
    });
  } catch {
    throw new Refusal(0, "no-answer", "The server does not answer; check the connection to it and try again.");
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

/** Events as the server sends them. Ends, or throws Refusal, where the stream does, or where it is silent for too long. */
export async function readStream(
  path: string,
  signal: AbortSignal,
  silence_ms: number,
  take: (event: string, data: unknown) => void,
): Promise<void> {
  const silent = new AbortController();
  let timer = setTimeout(() => silent.abort(), silence_ms);
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silent.abort(), silence_ms);
  };
  try {
    const response = await fetch(BASE + path, {
      headers: { accept: "text/event-stream", "x-understudy": "1" },
      cache: "no-store",
      credentials: "same-origin",
      redirect: "error",
      signal: AbortSignal.any([signal, silent.signal]),
    });
    if (response.status === 401) onLoggedOut();
    if (!response.ok || response.body === null)
      throw new Refusal(response.status, "no-stream", "The server sends no live figures at the moment.");
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      heard();
      const blocks = (rest + value).split(/\r?\n\r?\n/);
      rest = blocks.pop() ?? "";
      for (const block of blocks) takeBlock(block, take);
    }
  } finally {
    clearTimeout(timer);
  }
}

function takeBlock(block: string, take: (event: string, data: unknown) => void): void {
  const lines = block.split(/\r?\n/);
  const field = (name: string) =>
    lines.filter((line) => line.startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).replace(/^ /, ""));
  const data = field("data").join("\n");
  if (data !== "") take(field("event")[0] ?? "message", parsed(data));
}
