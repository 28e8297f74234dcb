/** Listening: so many connections and no more, so many from one address, and none through an interface that is shut. */
import { type Budget, Connection, type Handler, PATIENCE, type Patience } from "./connection.ts";

export interface Limits {
  connections: number;
  /** From one address: a single client must not shut everybody else out. */
  connections_per_address: number;
  /** Bodies that are being received, together. */
  body_bytes: number;
  patience: Patience;
}

export const LIMITS: Limits = {
  connections: 256,
  connections_per_address: 64,
  body_bytes: 32 << 20,
  patience: PATIENCE,
};

const SWEEP_INTERVAL_MS = 500;

export interface ListenOptions {
  hostname: string;
  port: number;
  tls?: { key: string; cert: string };
}

/** Connections of all listeners together. */
export class Server {
  readonly #limits: Limits;
  readonly #connections = new Set<Connection>();
  readonly #budget: Budget;
  /** Local addresses at which nobody is answered. */
  refused_addresses: ReadonlySet<string> = new Set();

  constructor(limits: Limits = LIMITS) {
    this.#limits = limits;
    let room = limits.body_bytes;
    this.#budget = {
      take: (bytes) => {
        if (bytes > room) return false;
        room -= bytes;
        return true;
      },
      give: (bytes) => {
        room += bytes;
      },
    };
    setInterval(() => {
      for (const connection of this.#connections) connection.sweep();
    }, SWEEP_INTERVAL_MS).unref();
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Throws what the kernel says where the port cannot be had. */
  listen({ hostname, port, tls }: ListenOptions, handler: Handler) {
    const connections = this.#connections;
    return Bun.listen<{ connection: Connection | null }>({
      hostname,
      port,
      ...(tls === undefined ? {} : { tls }),
      data: { connection: null },
      socket: {
        open: (socket) => {
          const remote = plainAddress(socket.remoteAddress);
          socket.data = { connection: null };
          if (!this.#mayConnect(remote, plainAddress(socket.localAddress))) return void socket.terminate();
          const wire = {
            write: (bytes: Uint8Array) => socket.write(bytes),
            end: () => void socket.end(),
            terminate: () => void socket.terminate(),
          };
          const connection = new Connection(remote, wire, handler, this.#budget, { patience: this.#limits.patience });
          socket.data = { connection };
          connections.add(connection);
        },
        // With this one, `open` comes with the connection; without it, only after a handshake that may never come.
        handshake: () => {},
        data: (socket, bytes) => socket.data.connection?.take(bytes),
        drain: (socket) => socket.data.connection?.drain(),
        end: (socket) => void socket.end(),
        close: (socket) => {
          const { connection } = socket.data ?? {};
          if (!connection) return;
          connection.ended();
          connections.delete(connection);
        },
        error: (socket) => void socket.terminate(),
      },
    });
  }

  #mayConnect(remote: string, local: string): boolean {
    if (this.refused_addresses.has(local)) return false;
    if (this.#connections.size >= this.#limits.connections) return false;
    let from_there = 0;
    for (const connection of this.#connections) if (connection.remote === remote) from_there += 1;
    return from_there < this.#limits.connections_per_address;
  }
}

/** IPv4 addresses of a socket that listens for both families come mapped into IPv6. */
export function plainAddress(address: string | undefined): string {
  return (address ?? "").replace(/^::ffff:/i, "");
}
