/**
 * The connection of the two control processes: TLS 1.3 between two certificates that were exchanged at pairing, each
 * compared byte by byte, so that no authority and no name counts. Node 1 listens, node 2 connects, both on link-local
 * addresses of the reserved card only. There is one connection at most; a newer one takes the place of an older one.
 *
 * Whoever is silent for `SILENCE_MS_MAX` is gone, and so is whoever does not read what is sent.
 */
import { X509Certificate } from "node:crypto";
import * as tls from "node:tls";
import { sentence } from "../errors.ts";
import type { NodeNumber } from "../heart/messages.ts";
import { frameOf, Unframer } from "./framing.ts";
import { MESSAGE_BYTES_MAX, type Message, readMessage } from "./messages.ts";

export const REPLICATION_PORT = 7414;
/** Longer than the peer's words are apart (HEAD_INTERVAL_MS), three times over. */
export const SILENCE_MS_MAX = 2000;
const BACK_OFF_MS_MIN = 50;
const BACK_OFF_MS_MAX = 1000;
const CHECK_INTERVAL_MS = 250;
/** Connections that have not shown a certificate yet. */
const NAMELESS_MAX = 8;

export interface TransportOptions {
  node: NodeNumber;
  /** Both with their scope, `fe80::1%eth2`. */
  own_host: string;
  peer_host: string;
  port?: number;
  /** PEM. */
  key: string;
  certificate: string;
  peer_certificate: string;
}

export interface TransportListener {
  connected(): void;
  disconnected(): void;
  message(message: Message): void;
  /** The other end is not the peer, or speaks nonsense: why, as a sentence's end. */
  refused(why: string): void;
}

export class Transport {
  readonly #options: TransportOptions;
  readonly #listener: TransportListener;
  readonly #pinned: Buffer;
  #server: tls.Server | null = null;
  #dialing: tls.TLSSocket | null = null;
  #socket: tls.TLSSocket | null = null;
  #heard_ms = 0;
  #back_off_ms = BACK_OFF_MS_MIN;
  #retry: ReturnType<typeof setTimeout> | null = null;
  #check: ReturnType<typeof setInterval> | null = null;
  #stopped = false;

  constructor(options: TransportOptions, listener: TransportListener) {
    this.#options = options;
    this.#listener = listener;
    this.#pinned = new X509Certificate(options.peer_certificate).raw;
  }

  start(): void {
    this.#check = setInterval(() => this.#checkAlive(), CHECK_INTERVAL_MS);
    this.#open();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#check !== null) clearInterval(this.#check);
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#server?.close();
    this.#dialing?.destroy();
    this.#drop();
  }

  /** False where there is no connection. */
  send(message: Message): boolean {
    const socket = this.#socket;
    if (socket === null) return false;
    socket.write(frameOf(message));
    // It would take longer than the silence that is allowed to send so much: the peer does not read.
    if (socket.writableLength > 2 * MESSAGE_BYTES_MAX) this.#drop();
    return this.#socket !== null;
  }

  /** Ends the connection; it is made anew, not at once. */
  hangUp(): void {
    this.#back_off_ms = BACK_OFF_MS_MAX;
    this.#drop();
  }

  #open(): void {
    if (this.#stopped) return;
    if (this.#options.node === 1) this.#listen();
    else this.#dial();
  }

  #listen(): void {
    const { key, certificate, peer_certificate, own_host, port = REPLICATION_PORT } = this.#options;
    const server = tls.createServer(
      { key, cert: certificate, ca: [peer_certificate], requestCert: true, rejectUnauthorized: true, ...VERSION },
      (socket) => {
        nameless.delete(socket);
        this.#accept(socket);
      },
    );
    // The oldest one that has not shown its certificate gives way: whoever holds many open keeps nobody out.
    const nameless = new Set<{ destroy(): void }>();
    server.on("connection", (socket) => {
      nameless.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => nameless.delete(socket));
      const [oldest] = nameless;
      if (nameless.size <= NAMELESS_MAX || oldest === undefined) return;
      nameless.delete(oldest);
      oldest.destroy();
    });
    server.on("tlsClientError", (error, socket) => {
      nameless.delete(socket);
      socket.destroy();
      this.#listener.refused(sentence(error));
    });
    server.on("error", () => {
      // The address is not there yet, or not any more.
      if (this.#server === server) this.#server = null;
      this.#openLater();
    });
    server.on("listening", () => {
      this.#back_off_ms = BACK_OFF_MS_MIN;
    });
    server.listen({ host: own_host, port });
    this.#server = server;
  }

  #dial(): void {
    const { key, certificate, peer_certificate, peer_host, port = REPLICATION_PORT } = this.#options;
    const socket = tls.connect({
      host: peer_host,
      port,
      key,
      cert: certificate,
      ca: [peer_certificate],
      rejectUnauthorized: true,
      // The whole certificate is compared below; a name in it says nothing more.
      checkServerIdentity: () => undefined,
      ...VERSION,
    });
    this.#dialing = socket;
    const slow = setTimeout(() => socket.destroy(), SILENCE_MS_MAX);
    socket.on("secureConnect", () => {
      clearTimeout(slow);
      this.#accept(socket);
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(slow);
      if (this.#dialing === socket) this.#dialing = null;
      this.#openLater();
    });
  }

  #openLater(): void {
    if (this.#stopped || this.#retry !== null) return;
    this.#retry = setTimeout(() => {
      this.#retry = null;
      this.#open();
    }, this.#back_off_ms);
    this.#back_off_ms = Math.min(BACK_OFF_MS_MAX, this.#back_off_ms * 2);
  }

  #accept(socket: tls.TLSSocket): void {
    const theirs = socket.getPeerX509Certificate()?.raw;
    if (this.#stopped || theirs === undefined || !theirs.equals(this.#pinned)) {
      socket.on("error", () => {});
      socket.destroy();
      if (!this.#stopped) this.#listener.refused("the certificate is not the one that was agreed on at pairing");
      return;
    }
    this.#drop();
    this.#socket = socket;
    this.#heard_ms = performance.now();
    const unframer = new Unframer();
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.#take(socket, unframer, chunk));
    socket.on("error", () => {});
    socket.on("close", () => this.#socket === socket && this.#drop());
    this.#listener.connected();
  }

  #take(socket: tls.TLSSocket, unframer: Unframer, chunk: Buffer): void {
    if (this.#socket !== socket) return;
    this.#heard_ms = performance.now();
    let messages: Message[];
    try {
      messages = unframer.push(chunk).flatMap((value) => readMessage(value) ?? []);
    } catch (error) {
      this.#drop();
      this.#back_off_ms = BACK_OFF_MS_MAX;
      return this.#listener.refused(sentence(error));
    }
    for (const message of messages) {
      // Whoever speaks well is called again at once.
      this.#back_off_ms = BACK_OFF_MS_MIN;
      if (this.#socket === socket) this.#listener.message(message);
    }
  }

  #checkAlive(): void {
    if (this.#socket !== null && performance.now() - this.#heard_ms > SILENCE_MS_MAX) this.#drop();
  }

  #drop(): void {
    const socket = this.#socket;
    if (socket === null) return;
    this.#socket = null;
    socket.destroy();
    this.#listener.disconnected();
  }
}

const VERSION = { minVersion: "TLSv1.3", maxVersion: "TLSv1.3" } as const;
