/** Talking to the node over its control socket. */
import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { Failure } from "../errors.ts";

/** The server's own answer where a body is too large: it has no JSON. */
const TOO_LARGE = 413;

/** One request; the answer's JSON. Throws Failure with the node's own code and sentence. `signal` gives it up. */
export function ask<T>(run: string, method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  return askWith(run, method, path, body === undefined ? undefined : JSON.stringify(body), signal);
}

/** The same, with a body as it is. */
export async function askWith<T>(
  run: string,
  method: string,
  path: string,
  body?: string | Uint8Array,
  signal?: AbortSignal,
): Promise<T> {
  const response = await request(run, method, path, {
    ...(body === undefined ? {} : { body }),
    ...(signal === undefined ? {} : { signal }),
  });
  if (response.status === TOO_LARGE)
    throw new Failure("too-large", "That is more than a node takes in one request; make it smaller.");
  return (await answerOf(response)) as T;
}

/** An answer that goes on for as long as the node runs: its bytes. Throws Failure as `ask` does. */
export async function listen(run: string, path: string): Promise<ReadableStream<Uint8Array>> {
  const response = await request(run, "GET", path, {});
  if (!response.ok) await answerOf(response);
  return response.body ?? new ReadableStream<Uint8Array>();
}

async function request(run: string, method: string, path: string, more: RequestInit): Promise<Response> {
  const socket = join(run, "control.sock");
  demandSocket(run, socket);
  try {
    // Pairing waits for a person at the other node: up to an hour.
    return await fetch(`http://node${path}`, { method, unix: socket, timeout: false, ...more } as RequestInit);
  } catch {
    throw new Failure("no-node", `The node at ${run} does not answer; is it still running?`);
  }
}

async function answerOf(response: Response): Promise<unknown> {
  const value = (await response.json()) as { code?: string; message?: string };
  if (response.ok) return value;
  throw new Failure(value.code ?? "internal", value.message ?? `The node answered ${response.status}.`);
}

function demandSocket(run: string, socket: string): void {
  try {
    accessSync(socket, constants.R_OK | constants.W_OK);
  } catch (error) {
    if ((error as { code?: string }).code === "EACCES")
      throw new Failure("not-permitted", `This user may not speak to the node at ${run}; run the command as root.`);
    throw new Failure(
      "no-node",
      `No node is running at ${run}; start one with \`understudy node\`, or name its directory with --run.`,
    );
  }
}
