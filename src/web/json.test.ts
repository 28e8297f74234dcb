import { expect, test } from "bun:test";
import { DEPTH_MAX, isTooDeep } from "./json.ts";

const nested = (depth: number) => Buffer.from("[{".repeat(depth / 2) + "}]".repeat(depth / 2));

test("nesting is bounded, and brackets in texts are none", () => {
  expect([DEPTH_MAX, DEPTH_MAX + 2].map((depth) => isTooDeep(nested(depth)))).toEqual([false, true]);
  expect(isTooDeep(Buffer.from(JSON.stringify({ a: '[\\"['.repeat(100), b: "{" })))).toBe(false);
  expect(isTooDeep(Buffer.from("[],".repeat(100)))).toBe(false);
});
