/** What two nodes tell each other beside their settings, and what they do not tell a node of another version. */
import { afterEach, expect, test } from "bun:test";
import * as net from "node:net";
import { until } from "../../test/lab/shell.ts";
import { DEFAULT_TUNING } from "../core/tuning.ts";
import type { NodeNumber } from "../heart/messages.ts";
import { type Message, PROTOCOL } from "../replication/messages.ts";
import { Transport } from "../replication/transport.ts";
import { MemoryChain } from "../settings/memory-chain.ts";
import { BUILD, VERSION } from "../version.ts";
import { makeCertificate } from "./certificate.ts";
import { Replication } from "./replication.ts";

const HOST = "::1";
const [ONE, TWO] = [makeCertificate("node-1"), makeCertificate("node-2")];

const open: { stop(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.stop();
});

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, HOST);
  await new Promise((resolve) => server.on("listening", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function node(number: NodeNumber, port: number, uptime_s: () => number): Replication {
  const [own, other] = number === 1 ? [ONE, TWO] : [TWO, ONE];
  const tls = { ...own, peer_certificate: other.certificate };
  const replication = new Replication({
    cluster: { id: "5a5a5a5a", node: number, nic: "lo", peer_name: "peer", tls },
    chain: new MemoryChain(),
    events: { add: () => {} },
    moved: () => {},
    objection: () => null,
    timings: [DEFAULT_TUNING],
    saveTimings: () => {},
    reconfigure: () => {},
    maintain: () => {},
    endedSessions: () => [],
    takeEndedSessions: () => {},
    update: { connected: () => {}, disconnected: () => {}, message: () => {} },
    uptime_s,
    hosts: { own: HOST, peer: HOST, port },
  });
  open.push(replication);
  replication.start();
  return replication;
}

/** A peer that says what it is told to. */
function peer(port: number, build: number) {
  const heard: Message[] = [];
  const transport = new Transport(
    { node: 2, own_host: HOST, peer_host: HOST, port, ...TWO, peer_certificate: ONE.certificate },
    {
      connected: () => transport.send({ type: "hello", protocol: PROTOCOL, version: VERSION, build }),
      disconnected: () => {},
      message: (message) => heard.push(message),
      refused: () => {},
    },
  );
  open.push(transport);
  transport.start();
  return { transport, heard };
}

test("each knows how long the other has been running, and for how much longer, until it is gone", async () => {
  const port = await freePort();
  const [a, b] = [node(1, port, () => 70), node(2, port, () => 5000)];
  expect(a.peerUptime_s()).toBeNull();
  await until("both know", () => a.peerUptime_s() !== null && b.peerUptime_s() !== null);
  expect([a.peerUptime_s(), b.peerUptime_s()]).toEqual([5000, 70]);
  await until("it goes on", () => a.peerUptime_s() === 5001);
  b.stop();
  await until("it is gone", () => a.peerUptime_s() === null);
});

test("a peer of another version is told nothing that it may not understand, and what it says is not taken", async () => {
  const port = await freePort();
  const a = node(1, port, () => 70);
  const { transport, heard } = peer(port, BUILD + 1);
  await until("it is greeted", () => heard.some(({ type }) => type === "hello"));
  transport.send({ type: "uptime", uptime_s: 9 });
  // Two of these are half a second apart: what was to be said at the greeting has been said.
  await until("it has heard more", () => heard.filter(({ type }) => type === "head").length >= 3);
  expect(heard.some(({ type }) => type === "uptime")).toBe(false);
  expect(a.peerUptime_s()).toBeNull();
});
