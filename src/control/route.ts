/** What the routes of the control socket have in common. */
import { Failure } from "../errors.ts";

export type Handler = (request: Request, url: URL) => unknown;

/** By method and path; a path that ends in `/*` stands for any one name there. */
export type Routes = Record<string, Handler>;

export function handlerOf(routes: Routes, method: string, path: string): Handler | undefined {
  return routes[`${method} ${path}`] ?? routes[`${method} ${path.replace(/[^/]+$/, "*")}`];
}

/** The name that a route's `*` stands for. */
export function nameOf(url: URL): string {
  try {
    return decodeURIComponent(url.pathname.split("/").at(-1) ?? "");
  } catch {
    throw new Failure("bad-request", "The name in the address is not valid.");
  }
}

export async function bodyOf(request: Request): Promise<unknown> {
  try {
    const body: unknown = await request.json();
    if (typeof body === "object" && body !== null) return body;
  } catch {
    // Said below, as for any other body that is no object.
  }
  throw new Failure("bad-json", "The request's body is not a JSON object.");
}

export function textOf(value: unknown, name: string): string {
  if (typeof value !== "string" || value === "") throw new Failure("bad-request", `${name} must be a text.`);
  return value;
}
