/** The way to the control process: one Unix socket, in the directory that this process was started in. */
import { sentence } from "../errors.ts";
import { BYTES } from "./headers.ts";

/** By way of the working directory, because this process may not look into those above it. */
const SOCKET = "/proc/self/cwd/web.sock";

export interface UpstreamRequest {
  method: string;
  /** With its query. */
  path: string;
  bearer: string | null;
  body: string | Uint8Array | null;
  /** The name of the node that the page was looking at when the change was asked for; null where it does not say. */
  meant_for: string | null;
  signal: AbortSignal | null;
}

export interface UpstreamAnswer {
  status: number;
  media_type: string;
  /** A new session for the browser to hold; "" where it is to forget the one that it has. */
  session: string | null;
  body: string | ReadableStream<Uint8Array>;
}

export type Upstream = (request: UpstreamRequest) => Promise<UpstreamAnswer>;

export async function askControl({
  method,
  path,
  bearer,
  body,
  meant_for,
  signal,
}: UpstreamRequest): Promise<UpstreamAnswer> {
  let response: Response;
  try {
    response = await fetch(`http://node${path}`, {
      method,
      unix: SOCKET,
      // Pairing waits for a person at the other node: up to an hour.
      timeout: false,
      redirect: "error",
      headers: {
        ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
        ...(body === null ? {} : { "content-type": typeof body === "string" ? "application/json" : BYTES }),
        ...(meant_for === null ? {} : { "x-understudy-node": meant_for }),
      },
      ...(body === null ? {} : { body }),
      ...(signal === null ? {} : { signal }),
    } as RequestInit);
    const media_type = response.headers.get("content-type") ?? "application/json";
    const session = response.headers.get("x-session");
    const stream = media_type === "text/event-stream" ? response.body : null;
    return { status: response.status, media_type, session, body: stream ?? (await response.text()) };
  } catch (error) {
    if (signal?.aborted !== true) console.error(`The control process does not answer: ${sentence(error)}`);
    const message = "This server is starting or restarting; try again in a moment.";
    return {
      status: 502,
      media_type: "application/json",
      session: null,
      body: JSON.stringify({ code: "no-node", message }),
    };
  }
}
