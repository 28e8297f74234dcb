/** What a request must show before it may change anything, and what is taken for a session or a token. */
import { describe, expect, test } from "bun:test";
import { isFromOurPage, isJson, refusal, sessionCookie, sessionOf, tokenOf } from "./headers.ts";
import { type Head, parseHead } from "./http/message.ts";

function head(...lines: string[]): Head {
  const parsed = parseHead(Buffer.from(`${["POST / HTTP/1.1", ...lines].join("\r\n")}\r\n\r\n`));
  if ("refused" in parsed) throw new Error(parsed.why);
  return parsed;
}

describe("our own page", () => {
  const host = "host: 10.1.0.1:8443";
  const origin = "origin: https://10.1.0.1:8443";
  const mark = "x-understudy: 1";
  const rows: [string, boolean, string[]][] = [
    ["says where it comes from, with the header that no form can send", true, [host, origin, mark]],
    [
      "and that it is the same site, where the browser says so",
      true,
      [host, origin, mark, "sec-fetch-site: same-origin"],
    ],
    ["is not without the header", false, [host, origin]],
    ["is not with another header", false, [host, origin, "x-understudy: 2"]],
    ["is not without an origin", false, [host, mark]],
    ["is not at another origin", false, [host, "origin: https://evil.example", mark]],
    ["is not at another port of the same host", false, [host, "origin: https://10.1.0.1", mark]],
    ["is not at the same host without TLS", false, [host, "origin: http://10.1.0.1:8443", mark]],
    ["is not in a sandbox", false, [host, "origin: null", mark]],
    ["is not on another site", false, [host, origin, mark, "sec-fetch-site: cross-site"]],
    ["is not on a neighbouring site", false, [host, origin, mark, "sec-fetch-site: same-site"]],
  ];
  for (const [what, expected, lines] of rows) test(what, () => expect(isFromOurPage(head(...lines))).toBe(expected));
});

test("a session is a cookie of just this name and form", () => {
  const of = (cookie: string) => sessionOf(head("host: x", `cookie: ${cookie}`));
  expect(of("__Host-session=us1.ab.cd")).toBe("us1.ab.cd");
  expect(of("a=b; __Host-session=us1.ab.cd; c=d")).toBe("us1.ab.cd");
  for (const cookie of [
    "session=us1",
    "__host-session=us1",
    "__Host-session=",
    '__Host-session="us1"',
    "__Host-session=a b",
  ])
    expect(of(cookie)).toBeNull();
  expect(of(`__Host-session=${"x".repeat(1025)}`)).toBeNull();
});

test("its cookie is for this host alone, over TLS, and out of reach of scripts and of other sites", () => {
  const cookie = sessionCookie("us1.ab.cd");
  expect(cookie).toBe("__Host-session=us1.ab.cd; Path=/; Secure; HttpOnly; SameSite=Strict");
  expect(sessionCookie("")).toBe("__Host-session=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0");
});

test("a token is what was made as one, and a session is none", () => {
  const of = (value: string) => tokenOf(head("host: x", `authorization: ${value}`));
  expect(of("Bearer ust_abc")).toBe("ust_abc");
  for (const value of ["Bearer us1.ab.cd", "Basic YTpi", "ust_abc", "Bearer ust_a b"]) expect(of(value)).toBe("");
  expect(tokenOf(head("host: x"))).toBeNull();
});

test("JSON is what says so", () => {
  for (const [type, expected] of [
    ["application/json", true],
    ["application/json; charset=utf-8", true],
    ["text/plain", false],
    ["application/jsonp", false],
    ["application/x-www-form-urlencoded", false],
  ] as const)
    expect([type, isJson(head("host: x", `content-type: ${type}`))]).toEqual([type, expected]);
});

test("every answer tells the browser to run nothing but our own script, and to show us in no frame", () => {
  const { headers } = refusal(400, "a", "b");
  expect(headers["content-security-policy"]).toStartWith("default-src 'none'; script-src 'self'; style-src 'self';");
  expect(headers["content-security-policy"]).toContain("frame-ancestors 'none'");
  expect(headers["content-security-policy"]).not.toContain("unsafe");
  expect(headers["x-content-type-options"]).toBe("nosniff");
  expect(headers["cache-control"]).toBe("no-store");
});
