/** Talking to the node over its control socket. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../errors.ts";

/** One request; the answer's JSON. Throws Failure with the node's own code and sentence. */
export async function ask<T>(run: string, method: string, path: string, body?: unknown): Promise<T> {
  const socket = join(run, "control.sock");
  if (!existsSync(socket))
    throw new Failure(
      "no-node",
      `No node is running at ${run}; start one with \`understudy node\`, or name its directory with --run.`,
    );
  let response: Response;
  try {
    response = await fetch(`http://node${path}`, {
      method,
      unix: socket,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      // Pairing waits for a person at the other node: up to an hour.
      timeout: false,
    } as RequestInit);
  } catch {
    throw new Failure("no-node", `The node at ${run} does not answer; is it still running?`);
  }
  const value = (await response.json()) as { code?: string; message?: string };
  if (!response.ok)
    throw new Failure(value.code ?? "internal", value.message ?? `The node answered ${response.status}.`);
  return value as T;
}
