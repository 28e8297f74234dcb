/** The table of routes, and the description made from it. */
import { describe, expect, test } from "bun:test";
import { openApi } from "./openapi.ts";
import { API, findRoute, ROUTES } from "./routes.ts";

test("no route is listed twice, and each finds itself", () => {
  const names = ROUTES.map(({ method, path }) => `${method} ${path}`);
  expect(new Set(names).size).toBe(names.length);
  for (const route of ROUTES)
    expect(findRoute(route.method, route.path.replaceAll(/\{\w+\}/g, "some-name"))).toBe(route);
});

test("public is what a login needs, and nothing else", () => {
  const open = ROUTES.filter(({ access }) => access === "public").map(({ method, path }) => `${method} ${path}`);
  expect(open).toEqual(["GET /public", "POST /session"]);
});

test("whatever changes something is no GET, and the other way round", () => {
  for (const { method, path, access } of ROUTES)
    if (access === "change") expect([path, method]).not.toEqual([path, "GET"]);
    else if (access === "read") expect([path, method]).toEqual([path, "GET"]);
});

test("tokens, passwords, sessions and keys are for people", () => {
  const secret = /^\/(tokens|session|administrators\/password|backups\/(restore|\{name\}))/;
  const strays = ROUTES.filter(
    ({ path, access, people_only, method }) =>
      access !== "public" &&
      (secret.test(path) || (path === "/certificate" && method !== "GET")) &&
      !people_only &&
      method !== "DELETE",
  );
  expect(strays.map(({ path }) => path)).toEqual([]);
});

describe("a part of a path is a name and no way out", () => {
  for (const name of ["..", ".", "%2e%2e", "a%2fb", "a%5cb", "%00", "%zz", "a b", "", "x".repeat(256)])
    test(JSON.stringify(name.slice(0, 20)), () => expect(findRoute("GET", `/backups/${name}`)).toBeNull());
  test("a usual one", () => expect(findRoute("GET", "/backups/2026-11-24T10:00:00Z_a%20b.txt")).not.toBeNull());
});

test("the description has every route, with what it takes, and who may use it", () => {
  const { paths } = openApi() as { paths: Record<string, Record<string, Record<string, unknown>>> };
  for (const route of ROUTES) {
    const described = paths[`${API}${route.path}`]?.[route.method.toLowerCase()];
    expect(described).toMatchObject({ summary: route.summary });
    expect("requestBody" in (described ?? {})).toBe(route.body !== undefined);
    expect(described?.["security"]).toEqual(
      route.access === "public" ? [] : [{ session: [] }, ...(route.people_only ? [] : [{ token: [] }])],
    );
  }
  expect(JSON.parse(JSON.stringify(openApi()))).toEqual(openApi());
});
