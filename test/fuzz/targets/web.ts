/** Targets: what the network says to the web interface, bytes of requests in any pieces, and tickets of sessions. */
import { Sessions } from "../../../src/control/sessions.ts";
import { refusal } from "../../../src/web/headers.ts";
import { Connection } from "../../../src/web/http/connection.ts";
import { decode, demand, type Target } from "../target.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const BODY_BYTES_MAX = 64;
const PIECE_BYTES_MAX = 40;

/** The bytes arrive in pieces whose sizes they say themselves: everything that is answered was a whole request. */
export const requests: Target = {
  base: {
    get: encode("GET /api/v1/events?last=5 HTTP/1.1\r\nHost: 10.1.0.1\r\nCookie: __Host-session=us1.a.b\r\n\r\n"),
    post: encode('POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n{"a":"b"}'),
    two: encode(
      "GET /a HTTP/1.1\r\nhost: x\r\n\r\nPOST /b HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nconnection: close\r\n\r\nab",
    ),
  },
  next: (mutator, corpus) => mutator.mutated(corpus),
  async check(bytes) {
    let said = "";
    let ended = false;
    let room = 0;
    const connection = new Connection(
      "10.1.0.9",
      {
        write: (part) => {
          demand(!ended, "nothing is said after the end");
          said += decode(part);
          return part.length;
        },
        end: () => {
          ended = true;
        },
        terminate: () => {
          ended = true;
        },
      },
      {
        bodyLimit: () => BODY_BYTES_MAX,
        refuse: refusal,
        async answer({ path, body, content_length, headers }) {
          demand(path.startsWith("/"), "a path is one of ours");
          demand(body.length === content_length && content_length <= BODY_BYTES_MAX, "a body is as long as was said");
          demand(!headers.has("transfer-encoding"), "a body has one length");
          return { status: 200, headers: {}, body: "" };
        },
      },
      {
        take: (size) => {
          room += size;
          return true;
        },
        give: (size) => {
          room -= size;
        },
      },
    );
    for (let at = 0; at < bytes.length && !ended; ) {
      const size = 1 + ((bytes[at] ?? 0) % PIECE_BYTES_MAX);
      connection.take(Buffer.from(bytes.subarray(at, at + size)));
      at += size;
      await Promise.resolve();
    }
    await Bun.sleep(0);
    connection.close();
    demand(room === 0, "room that was taken is given back");
    demand(said === "" || said.startsWith("HTTP/1.1 "), "whatever is said is an answer");
  },
};

/** A ticket is taken as it was issued, or not at all. */
export function tickets(): Target {
  const now_ms = Date.parse("2026-11-24T10:00:00Z");
  const sessions = new Sessions(
    {
      clusterKey: () => "5a".repeat(32),
      passwordHash: () => "hash",
      loadEnded: () => [],
      saveEnded: () => {},
      tellEnded: () => {},
    },
    () => now_ms,
  );
  const { ticket } = sessions.begin("admin");
  return {
    base: { ticket: encode(ticket) },
    next: (mutator, corpus) => mutator.mutated(corpus),
    check(bytes) {
      const text = decode(bytes);
      demand((sessions.check(text, true) !== null) === (text === ticket), "a ticket is taken as it was issued");
    },
  };
}
