/** The server on loopback, with little patience: what it takes, and whom it drops. */
import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { until } from "../../../test/lab/shell.ts";
import { makeCertificate } from "../../control/certificate.ts";
import { refusal } from "../headers.ts";
import type { Handler } from "./connection.ts";
import { LIMITS, type Limits, plainAddress, Server } from "./server.ts";

const PATIENCE = { head_ms: 300, idle_ms: 600, transfer_ms: 300, transfer_bytes_per_s: 1 << 20 };
/** More than the kernel's buffers of a connection hold. */
const LARGE_BYTES = 32 << 20;
const { key, certificate } = makeCertificate("test", ["127.0.0.1"]);

const handler: Handler = {
  bodyLimit: ({ path }) => (path === "/echo" ? 1000 : 0),
  refuse: refusal,
  answer: async (request) => {
    if (request.path === "/mistake") throw new Error("a secret");
    const body =
      request.path === "/large" ? "x".repeat(LARGE_BYTES) : request.path === "/stream" ? endless(request.signal) : null;
    return { status: 200, headers: {}, body: body ?? `${request.method} ${request.path} ${request.body}` };
  },
};

let cancelled = 0;
function endless(signal: AbortSignal): ReadableStream<Uint8Array> {
  signal.addEventListener("abort", () => cancelled++);
  return new ReadableStream({
    async pull(controller) {
      await Bun.sleep(1);
      controller.enqueue(new Uint8Array(64 << 10));
    },
  });
}

const listeners: { stop(now: boolean): void }[] = [];
const clients: Client[] = [];

function serve(limits: Partial<Limits> = {}, tls = false): { server: Server; port: number } {
  const server = new Server({ ...LIMITS, patience: PATIENCE, ...limits });
  const options = { hostname: "127.0.0.1", port: 0, ...(tls ? { tls: { key, cert: certificate } } : {}) };
  const listener = server.listen(options, handler);
  listeners.push(listener);
  return { server, port: listener.port };
}

/** A client that says just what it is told to. */
class Client {
  received = "";
  closed = false;
  #socket: Awaited<ReturnType<typeof Bun.connect>> | null = null;

  static async to(port: number, { reads = true, from = "127.0.0.1" } = {}): Promise<Client> {
    const client = new Client();
    clients.push(client);
    // Bun's types do not know that the end of ours may be chosen too.
    const options = {
      hostname: "127.0.0.1",
      port,
      localAddress: from,
      socket: {
        open: (socket: Bun.Socket) => void (reads || socket.pause()),
        data: (_: Bun.Socket, bytes: Buffer) => {
          client.received += bytes.toString("latin1");
        },
        close: () => {
          client.closed = true;
        },
        error: () => {},
      },
    };
    client.#socket = await Bun.connect(options);
    return client;
  }

  say(text: string): this {
    this.#socket?.write(text);
    this.#socket?.flush();
    return this;
  }

  end(): void {
    this.#socket?.terminate();
  }

  untilClosed(): Promise<void> {
    return until("the connection is closed", () => this.closed, 5000);
  }

  untilSaid(text: string): Promise<void> {
    return until(`the server says ${text}`, () => this.received.includes(text), 5000);
  }
}

afterEach(() => {
  for (const client of clients.splice(0)) client.end();
});
afterAll(() => {
  for (const listener of listeners) listener.stop(true);
});

const request = (line: string, body = "") =>
  `${line} HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`;

describe("a request", () => {
  test("is answered, and the connection stays for the next one, in whatever pieces they come", async () => {
    const { port } = serve();
    const client = await Client.to(port);
    for (const piece of [...request("POST /echo", "first")]) client.say(piece);
    await client.untilSaid("POST /echo first");
    client.say(`${request("POST /echo", "second")}${request("GET /third")}`);
    await client.untilSaid("GET /third");
    expect(client.received).toContain("POST /echo second");
    expect(client.closed).toBe(false);
  });

  test("that is malformed is answered, and the connection ends", async () => {
    const client = (await Client.to(serve().port)).say("GET / HTTP/1.1\r\n\r\n");
    await client.untilClosed();
    expect(client.received).toStartWith("HTTP/1.1 400 ");
  });

  test("with too large a head, or a body where none is taken, or more than is taken, is refused", async () => {
    const { port } = serve();
    const rows: [string, string][] = [
      [`GET /${"x".repeat(20_000)}`, "431"],
      [request("POST /other", "x"), "413"],
      [request("POST /echo", "x".repeat(1001)), "413"],
    ];
    for (const [text, status] of rows) {
      const client = (await Client.to(port)).say(text);
      await client.untilClosed();
      expect(client.received).toStartWith(`HTTP/1.1 ${status} `);
    }
  });

  test("that waits to be told to go on with its body is told", async () => {
    const client = await Client.to(serve().port);
    client.say("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n");
    await client.untilSaid("HTTP/1.1 100 Continue\r\n\r\n");
    await client.say("ab").untilSaid("POST /echo ab");
  });

  test("that makes the server err is answered without a word about why", async () => {
    const client = (await Client.to(serve().port)).say(request("GET /mistake"));
    await client.untilSaid("internal");
    expect(client.received).toStartWith("HTTP/1.1 500 ");
    expect(client.received).not.toContain("a secret");
  });
});

describe("dropped is", () => {
  test("who says nothing", async () => (await Client.to(serve().port)).untilClosed());

  test("who says a head a byte at a time", async () => {
    const client = await Client.to(serve().port);
    let said = 0;
    const text = request(`GET /${"slow".repeat(1000)}`);
    await until(
      "it is dropped",
      () => {
        if (said < text.length - 1) client.say(text[said++] ?? "");
        return client.closed;
      },
      5000,
    );
    expect([client.received, said < text.length - 1]).toEqual(["", true]);
  });

  test("who stops in the middle of a body", async () => {
    const client = (await Client.to(serve().port)).say(
      "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhalf",
    );
    await client.untilClosed();
    expect(client.received).toBe("");
  });

  test("who has nothing more to say", async () => {
    const client = (await Client.to(serve().port)).say(request("GET /once"));
    await client.untilSaid("GET /once");
    await client.untilClosed();
  });

  test("who does not take the answer", async () => {
    const { server, port } = serve({ patience: { ...PATIENCE, transfer_bytes_per_s: 1 << 30 } });
    (await Client.to(port, { reads: false })).say(request("GET /large"));
    await until("it is connected", () => server.connections === 1);
    await until("it is dropped", () => server.connections === 0);
  });

  test("who does not read a stream, and the stream ends with it", async () => {
    const { server, port } = serve();
    const before = cancelled;
    (await Client.to(port, { reads: false })).say(request("GET /stream"));
    await until("it is connected", () => server.connections === 1);
    await until("it is dropped", () => server.connections === 0);
    expect(cancelled).toBe(before + 1);
  });

  test("who begins no handshake", async () => {
    const { server, port } = serve({}, true);
    const client = await Client.to(port);
    await client.untilClosed();
    await until("it is forgotten", () => server.connections === 0);
  });
});

describe("limits", () => {
  const patience = { ...PATIENCE, head_ms: 60_000, idle_ms: 60_000 };
  /** Connections that have said nothing yet. */
  const idle = async (port: number, count: number, from = "127.0.0.1") =>
    await Promise.all(Array.from({ length: count }, () => Client.to(port, { from })));
  const closed = (idlers: Client[]) => idlers.filter((client) => client.closed).length;

  test("so many connections and no more, of which the one that waits for longest gives way", async () => {
    const { server, port } = serve({ connections: 3, patience });
    const [first, second, third] = [await Client.to(port), await Client.to(port), await Client.to(port)];
    await until("all are connected", () => server.connections === 3);
    for (const client of [first, third]) await client.say(request("GET /used")).untilSaid("GET /used");
    await (await Client.to(port)).say(request("GET /room")).untilSaid("GET /room");
    await second.untilClosed();
    expect([first.closed, third.closed, server.connections]).toEqual([false, false, 3]);
  });

  test("four addresses with all the idle connections they may have shut nobody else out", async () => {
    const { server, port } = serve({ connections: 16, connections_per_address: 4, patience });
    const [early] = await idle(port, 1);
    await early?.say(request("GET /early")).untilSaid("GET /early");
    const idlers: Client[] = [];
    for (const host of [2, 3, 4, 5]) idlers.push(...(await idle(port, 4, `127.0.0.${host}`)));
    await until("room was made among them", () => closed(idlers) === 1);
    const [late] = await idle(port, 1, "127.0.0.6");
    await late?.say(request("GET /room")).untilSaid("GET /room");
    // Who waits for longer than all of them, but with one connection, stays.
    await early?.say(request("GET /still")).untilSaid("GET /still");
    expect([closed(idlers), server.connections]).toEqual([2, 16]);
  });

  test("so many from one address, of which its own gives way", async () => {
    const { server, port } = serve({ connections_per_address: 1, patience });
    const [other] = await idle(port, 1, "127.0.0.2");
    const [first] = await idle(port, 1);
    await until("two are connected", () => server.connections === 2);
    await (await Client.to(port)).say(request("GET /room")).untilSaid("GET /room");
    await first?.untilClosed();
    expect(other?.closed).toBe(false);
  });

  test("nobody who is being answered gives way", async () => {
    const { server, port } = serve({ connections: 2, connections_per_address: 1, patience });
    for (const from of ["127.0.0.2", "127.0.0.3"])
      await (await Client.to(port, { from })).say(request("GET /stream")).untilSaid("HTTP/1.1 200");
    await (await Client.to(port)).untilClosed();
    await (await Client.to(port, { from: "127.0.0.2" })).untilClosed();
    expect(server.connections).toBe(2);
  });

  test("so much in bodies that are under way, together", async () => {
    const { port } = serve({ body_bytes: 1000, patience: { ...PATIENCE, transfer_ms: 60_000 } });
    const half = await Client.to(port);
    half.say(request("POST /echo", "x".repeat(900)).slice(0, -1));
    const other = await Client.to(port);
    await Bun.sleep(50);
    await other.say(request("POST /echo", "y".repeat(200))).untilSaid("HTTP/1.1 503 ");
    await half.say("x").untilSaid("POST /echo");
    await (await Client.to(port)).say(request("POST /echo", "z".repeat(200))).untilSaid("POST /echo z");
  });

  test("nobody is answered at a refused address", async () => {
    const { server, port } = serve();
    server.refused_addresses = new Set(["127.0.0.1"]);
    await (await Client.to(port)).untilClosed();
    server.refused_addresses = new Set();
    await (await Client.to(port)).say(request("GET /open")).untilSaid("GET /open");
  });
});

test("IPv4 addresses that come mapped are the plain ones", () => {
  expect([plainAddress("::ffff:10.1.0.1"), plainAddress("fd00::1"), plainAddress(undefined)]).toEqual([
    "10.1.0.1",
    "fd00::1",
    "",
  ]);
});
