/** One connection without a network: what is kept of what it is sent. */
import { heapStats } from "bun:jsc";
import { expect, test } from "bun:test";
import { refusal } from "../headers.ts";
import { Connection, type Handler } from "./connection.ts";

test("a body in pieces of one byte takes no more memory than the same in one piece", async () => {
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const handler: Handler = {
    bodyLimit: () => 1 << 20,
    refuse: refusal,
    answer: async ({ body }) => {
      resolve(body);
      return { status: 200, headers: {}, body: "" };
    },
  };
  const wire = { write: ({ length }: Uint8Array) => length, end() {}, terminate() {} };
  const connection = new Connection("10.1.0.9", wire, handler, { take: () => true, give() {} });
  const arrays = () => {
    Bun.gc(true);
    return heapStats().objectTypeCounts["Uint8Array"] ?? 0;
  };
  const count = 20_000;
  connection.take(Buffer.from(`PUT / HTTP/1.1\r\nhost: x\r\ncontent-length: ${count + 1}\r\n\r\n`));
  const before = arrays();
  const piece = Buffer.from("x");
  for (let at = 0; at < count; at += 1) connection.take(piece);
  expect(arrays() - before).toBeLessThan(100);
  connection.take(Buffer.from("yGET"));
  expect((await promise).toString()).toBe(`${"x".repeat(count)}y`);
  connection.close();
});
