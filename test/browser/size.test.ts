/** What the user interface is made of, as the build leaves it. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ASSETS } from "../../src/web/assets.ts";

const COMPRESSED_BYTES_MAX = 150 << 10;
const UI = join(import.meta.dir, "../../src/web/ui");

test("all of it together is at most 150 kB, compressed", () => {
  const bytes = [...ASSETS.values()].reduce((sum, { gzip }) => sum + gzip.length, 0);
  console.log(`user interface: ${bytes} bytes compressed`);
  expect(bytes).toBeLessThanOrEqual(COMPRESSED_BYTES_MAX);
});

test("the page names its files, and each of them is there", () => {
  const page = new TextDecoder().decode(ASSETS.get("/")?.bytes);
  const named = [...page.matchAll(/(?:href|src)="([^"]+)"/g)].map((match) => match[1] ?? "");
  expect(named.sort()).toEqual(["/app.css", "/app.js", "/icon.svg"]);
  for (const path of named) expect(ASSETS.has(path)).toBe(true);
});

test("no HTML from strings, no inline styles, no code of the server, no request but through one door", () => {
  const files = [...new Bun.Glob("**/*.{ts,tsx}").scanSync(UI)];
  const text = (file: string) => readFileSync(join(UI, file), "utf8");
  const banned =
    /dangerouslySetInnerHTML|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\bstyle=|\beval\(|new Function/;
  expect(files.filter((file) => banned.test(text(file)))).toEqual([]);
  expect(files.filter((file) => /\bfetch\(|EventSource|XMLHttpRequest|WebSocket/.test(text(file)))).toEqual([
    "lib/http.ts",
  ]);
  // Types come from everywhere; what runs comes from here, and the rules of a cluster from their one table.
  const running = files.flatMap((file) =>
    [...text(file).matchAll(/^import (?!type\b)[^;]*?from "(\.\.\/\.\.\/[^"]+)";/gms)].map((match) => match[1] ?? ""),
  );
  expect(running.filter((name) => !name.endsWith("control/rules.ts"))).toEqual([]);
  expect(files.length).toBeGreaterThan(30);
});
