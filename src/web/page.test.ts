/** Files of the page: compressed for whoever accepts it, and not sent again to whoever has them. */
import { expect, test } from "bun:test";
import { gunzipSync, gzipSync } from "node:zlib";
import type { Asset } from "./assets.ts";
import type { Head } from "./http/message.ts";
import { answerPage } from "./page.ts";
import { redirect } from "./redirect.ts";

const bytes = Buffer.from("<!doctype html>");
const asset: Asset = { type: "text/html; charset=utf-8", bytes, gzip: gzipSync(bytes), etag: '"abc"' };
const assets = new Map([["/", asset]]);

function head(path: string, headers: Record<string, string> = {}, method = "GET"): Head {
  return {
    method,
    path,
    query: new URLSearchParams(),
    headers: new Map(Object.entries(headers)),
    content_length: 0,
    keep_alive: true,
    expects_continue: false,
  };
}

test("as it is, or compressed, each with its own strong tag", () => {
  const plain = answerPage(assets, head("/"));
  expect([plain.status, plain.body, plain.headers["etag"]]).toEqual([200, bytes, '"abc"']);
  const packed = answerPage(assets, head("/", { "accept-encoding": "br, gzip;q=0.5" }));
  expect(gunzipSync(packed.body as Uint8Array)).toEqual(bytes);
  expect(packed.headers).toMatchObject({ etag: '"abc-gz"', "content-encoding": "gzip", vary: "accept-encoding" });
  expect(answerPage(assets, head("/", { "accept-encoding": "gzip;q=0" })).headers["content-encoding"]).toBeUndefined();
});

test("not again to whoever has it", () => {
  const of = (tag: string, accept = "") =>
    answerPage(assets, head("/", { "if-none-match": tag, "accept-encoding": accept })).status;
  expect([of('"abc"'), of('"x", W/"abc"'), of('"abc-gz"', "gzip"), of('"abc"', "gzip"), of('"x"')]).toEqual([
    304, 304, 304, 200, 200,
  ]);
});

test("nothing that is not there, and only to be read", () => {
  for (const path of ["/nowhere", "/../etc/passwd", "/%2e%2e/x", "/constructor", "/__proto__"])
    expect(answerPage(assets, head(path)).status).toBe(404);
  expect(answerPage(assets, head("/", {}, "POST")).status).toBe(405);
});

test("plain HTTP leads to HTTPS at the same place, and to no other host", async () => {
  const to = async (host: string, path = "/a") =>
    await redirect.answer({
      ...head(path, { host }),
      body: Buffer.alloc(0),
      remote: "",
      signal: new AbortController().signal,
    });
  expect((await to("10.1.0.1:80")).headers["location"]).toBe("https://10.1.0.1/a");
  expect((await to("[fd00::1]")).headers["location"]).toBe("https://[fd00::1]/a");
  expect((await to("gateway.example", "//evil.example")).headers["location"]).toBe(
    "https://gateway.example//evil.example",
  );
  for (const host of ["", "a b", "evil.example/x", "x@y", "x#"]) expect((await to(host)).status).toBe(400);
});
