/** Plain HTTP: where it leads, and that its answers say the same to a browser as all the others. */
import { expect, test } from "bun:test";
import { refusal } from "./headers.ts";
import { parseHead } from "./http/message.ts";
import { redirect } from "./redirect.ts";

async function answerTo(host: string) {
  const head = parseHead(Buffer.from(`GET /a?b=c HTTP/1.1\r\nhost: ${host}\r\n\r\n`));
  if ("refused" in head) throw new Error(head.why);
  const signal = new AbortController().signal;
  return await redirect.answer({ ...head, body: Buffer.alloc(0), remote: "10.1.0.9", signal });
}

test("the way to HTTPS has every header that other answers have, and runs nothing", async () => {
  const { status, headers } = await answerTo("10.1.0.1");
  expect([status, headers["location"]]).toEqual([308, "https://10.1.0.1/a?b=c"]);
  const { "content-type": _, ...always } = refusal(400, "a", "b").headers;
  expect(headers).toMatchObject(always);
  expect(headers["content-security-policy"]).toStartWith("default-src 'none'");
});

test("a host that is none is sent nowhere", async () => expect((await answerTo("x y")).status).toBe(400));
