import { afterEach, expect, test } from "bun:test";
import * as net from "node:net";
import * as tls from "node:tls";
import { until } from "../../test/lab/shell.ts";
import { makeCertificate } from "../control/certificate.ts";
import { frameOf, Unframer } from "./framing.ts";
import { MESSAGE_BYTES_MAX, type Message } from "./messages.ts";
import { Transport, type TransportOptions } from "./transport.ts";

const ONE = makeCertificate("node-1");
const TWO = makeCertificate("node-2");
const STRANGER = makeCertificate("node-2");
const HOST = "::1";
const HEAD: Message = { type: "head", id: "0", number: 0, active: false, term: 0 };

const open: { stop(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.stop();
});

function end(options: Pick<TransportOptions, "node" | "port" | "key" | "certificate" | "peer_certificate">) {
  const seen = { connected: 0, disconnected: 0, messages: [] as Message[], refused: [] as string[] };
  const transport = new Transport(
    { own_host: HOST, peer_host: HOST, ...options },
    {
      connected: () => seen.connected++,
      disconnected: () => seen.disconnected++,
      message: (message) => seen.messages.push(message),
      refused: (why) => seen.refused.push(why),
    },
  );
  open.push(transport);
  transport.start();
  return { transport, seen };
}

/** A port that nobody uses at the moment. */
async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, HOST);
  await new Promise((resolve) => server.on("listening", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const first = (port: number) => end({ node: 1, port, ...ONE, peer_certificate: TWO.certificate });
const second = (port: number) => end({ node: 2, port, ...TWO, peer_certificate: ONE.certificate });

test("two nodes find each other, whoever starts first, and again after one has gone", async () => {
  const port = await freePort();
  const b = second(port);
  await Bun.sleep(100);
  const a = first(port);
  await until("both are connected", () => a.seen.connected === 1 && b.seen.connected === 1);
  a.transport.send(HEAD);
  b.transport.send(HEAD);
  await until("each heard the other", () => a.seen.messages.length === 1 && b.seen.messages.length === 1);
  a.transport.stop();
  await until("the other one noticed", () => b.seen.disconnected === 1);
  const again = first(port);
  await until("they found each other again", () => again.seen.connected === 1 && b.seen.connected === 2);
});

test("a stranger's certificate is refused on either side, also one of the same name", async () => {
  const port = await freePort();
  const a = first(port);
  end({ node: 2, port, ...STRANGER, peer_certificate: ONE.certificate });
  await until("the stranger was refused", () => a.seen.refused.length > 0);
  const other = await freePort();
  end({ node: 1, port: other, ...STRANGER, peer_certificate: TWO.certificate });
  const b = second(other);
  await Bun.sleep(500);
  expect([a.seen.connected, b.seen.connected]).toEqual([0, 0]);
});

test("nobody speaks without a certificate, or in an older TLS", async () => {
  const port = await freePort();
  const a = first(port);
  for (const extra of [{}, { key: TWO.key, cert: TWO.certificate, maxVersion: "TLSv1.2" as const }]) {
    await until("the server listens", async () => {
      const refusals = a.seen.refused.length;
      const socket = tls.connect(port, HOST, { rejectUnauthorized: false, ...extra });
      socket.on("error", () => {});
      await new Promise((resolve) => socket.on("close", resolve));
      return a.seen.refused.length > refusals;
    });
  }
  expect(a.seen.connected).toBe(0);
});

const NONSENSE: [string, Buffer][] = [
  ["no JSON", Buffer.from([0, 0, 0, 2, 0x7b, 0x7b])],
  ["a message without a kind", frameOf({ id: "0" } as unknown as Message)],
  ["a missing field", frameOf({ type: "head", id: "0" } as unknown as Message)],
  ["a message that is too large", Buffer.from([0x7f, 0, 0, 0])],
];
for (const [what, bytes] of NONSENSE)
  test(`${what} ends the connection, and is told once`, async () => {
    const port = await freePort();
    const a = first(port);
    let socket: tls.TLSSocket | undefined;
    await until("connected", async () => {
      socket?.destroy();
      socket = tls.connect(port, HOST, { key: TWO.key, cert: TWO.certificate, rejectUnauthorized: false });
      socket.on("error", () => {});
      await Bun.sleep(50);
      return a.seen.connected > 0;
    });
    socket?.write(bytes);
    await until("it was ended", () => a.seen.disconnected >= 1 && a.seen.refused.length === 1);
    expect(a.seen.messages).toEqual([]);
  });

test("what a later version may say is passed over", async () => {
  const port = await freePort();
  const a = first(port);
  let socket: tls.TLSSocket | undefined;
  await until("connected", async () => {
    socket?.destroy();
    socket = tls.connect(port, HOST, { key: TWO.key, cert: TWO.certificate, rejectUnauthorized: false });
    socket.on("error", () => {});
    await Bun.sleep(50);
    return a.seen.connected > 0;
  });
  socket?.write(frameOf({ type: "surrender", terms: "none" } as unknown as Message));
  socket?.write(frameOf({ ...HEAD, extra: 1 } as Message));
  await until("it was heard", () => a.seen.messages.length === 1);
  expect([a.seen.messages, a.seen.refused]).toEqual([[HEAD], []]);
});

test("a silent peer is given up", async () => {
  const port = await freePort();
  const a = first(port);
  const b = second(port);
  await until("connected", () => a.seen.connected === 1 && b.seen.connected === 1);
  await until("given up and connected again", () => a.seen.disconnected >= 1 && a.seen.connected >= 2);
});

test("messages come out of a stream as they went in, however it is cut", () => {
  const messages: Message[] = [HEAD, { type: "fetch", after: "0" }, { type: "common", id: null }];
  const stream = Buffer.concat(messages.map(frameOf));
  for (let size = 1; size <= stream.length; size++) {
    const unframer = new Unframer();
    const out: unknown[] = [];
    for (let at = 0; at < stream.length; at += size) out.push(...unframer.push(stream.subarray(at, at + size)));
    expect(out).toEqual(messages);
  }
  const large = Buffer.alloc(4);
  large.writeUInt32BE(MESSAGE_BYTES_MAX + 1);
  expect(() => new Unframer().push(large)).toThrow("too large");
});

test("whoever holds connections open without a word keeps the peer out for a moment only", async () => {
  const port = await freePort();
  const a = first(port);
  await Bun.sleep(50);
  const idle = Array.from({ length: 20 }, () => net.connect(port, HOST).on("error", () => {}));
  open.push({ stop: () => idle.forEach((socket) => socket.destroy()) });
  await Bun.sleep(50);
  const b = second(port);
  await until("the peer is connected", () => a.seen.connected === 1 && b.seen.connected === 1);
}, 20_000);
