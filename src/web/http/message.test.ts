/** One request, read; and every way in which it could be understood twice, refused. */
import { describe, expect, test } from "bun:test";
import { answerHead, headEnd, parseHead } from "./message.ts";

const bytes = (...lines: string[]) => Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
const GOOD = "GET /api/v1/events?last=5 HTTP/1.1";
const HOST = "Host: 10.1.0.1";

test("a request is read", () => {
  const head = parseHead(bytes(GOOD, HOST, "Content-Length: 12", "X-Thing:  a \t", "Expect: 100-Continue"));
  expect(head).toMatchObject({
    method: "GET",
    path: "/api/v1/events",
    content_length: 12,
    keep_alive: true,
    expects_continue: true,
  });
  if ("refused" in head) throw new Error(head.why);
  expect(head.query.get("last")).toBe("5");
  expect(head.headers.get("x-thing")).toBe("a");
});

test("the end of a head is its first empty line", () => {
  expect(headEnd(Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n"))).toBe(-1);
  expect(headEnd(Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\nbody\r\n\r\n"))).toBe(27);
});

test("connections stay, unless either side says otherwise", () => {
  const kept = (first: string, ...lines: string[]) => parseHead(bytes(first, HOST, ...lines));
  expect(kept("GET / HTTP/1.1")).toMatchObject({ keep_alive: true });
  expect(kept("GET / HTTP/1.1", "Connection: Close")).toMatchObject({ keep_alive: false });
  expect(kept("GET / HTTP/1.0", "Connection: keep-alive")).toMatchObject({ keep_alive: false });
});

describe("refused is", () => {
  const rows: [string, number, string[]][] = [
    ["another version", 400, ["GET / HTTP/2.0", HOST]],
    ["no version", 400, ["GET /", HOST]],
    ["a whole address", 400, ["GET http://10.1.0.1/ HTTP/1.1", HOST]],
    ["a method in small letters", 400, ["get / HTTP/1.1", HOST]],
    ["two spaces", 400, ["GET  / HTTP/1.1", HOST]],
    ["a control character in the path", 400, ["GET /\x01 HTTP/1.1", HOST]],
    ["a quote in the path", 400, ['GET /" HTTP/1.1', HOST]],
    ["no host", 400, ["GET / HTTP/1.1"]],
    ["two hosts", 400, ["GET / HTTP/1.1", HOST, HOST]],
    ["two lengths", 400, ["POST / HTTP/1.1", HOST, "Content-Length: 1", "Content-Length: 1"]],
    ["a signed length", 400, ["POST / HTTP/1.1", HOST, "Content-Length: +1"]],
    ["a length in hex", 400, ["POST / HTTP/1.1", HOST, "Content-Length: 0x1"]],
    ["an empty length", 400, ["POST / HTTP/1.1", HOST, "Content-Length:"]],
    ["chunks", 411, ["POST / HTTP/1.1", HOST, "Transfer-Encoding: chunked"]],
    ["chunks and a length", 411, ["POST / HTTP/1.1", HOST, "Content-Length: 1", "Transfer-Encoding: chunked"]],
    ["two cookies' fields", 400, ["GET / HTTP/1.1", HOST, "Cookie: a=b", "Cookie: c=d"]],
    ["a space before the colon", 400, ["GET / HTTP/1.1", HOST, "Content-Length : 1"]],
    ["a length and a space that is none of HTTP's", 400, ["POST / HTTP/1.1", HOST, "Content-Length: 1\xa0"]],
    ["a folded line", 400, ["GET / HTTP/1.1", HOST, "X-A: b", " c"]],
    ["a bare line feed", 400, ["GET / HTTP/1.1", HOST, "X-A: b\nX-B: c"]],
    ["a zero byte", 400, ["GET / HTTP/1.1", HOST, "X-A: b\0"]],
    ["too many fields", 431, ["GET / HTTP/1.1", HOST, ...Array.from({ length: 64 }, (_, i) => `X-${i}: y`)]],
  ];
  for (const [what, refused, lines] of rows)
    test(what, () => expect(parseHead(bytes(...lines))).toMatchObject({ refused }));
});

test("an answer cannot be split by what is in its header fields", () => {
  const answer = (value: string) => answerHead({ status: 200, headers: { "x-a": value }, body: "" }, true, 0);
  expect(answer("b")).toContain("\r\nx-a: b\r\n");
  for (const value of ["b\r\nset-cookie: c=d", "b\n", "b\0"]) expect(() => answer(value)).toThrow(/line break/);
});

test("blanks cost no more than other bytes", () => {
  // With a square of them in each head this would take minutes, and the runner ends it after seconds.
  const head = bytes(GOOD, HOST, `X-A:${"\t ".repeat(8000)}\x01`);
  for (let count = 0; count < 300; count += 1) expect(parseHead(head)).toMatchObject({ refused: 400 });
});
