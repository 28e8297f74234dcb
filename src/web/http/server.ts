/**
 * Listening: so many connections and no more, so many from one address, and none through an interface that is shut. Where
 * there is no room, who only waits gives way: idle connections cost nothing, and must not shut anybody out.
 */
import { type Budget, Connection, type Handler, PATIENCE, type Patience } from "./connection.ts";

export interface Limits {
  connections: number;
  /** From one address. */
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
    const by_address = new Map<string, number>();
    for (const { remote: from } of this.#connections) by_address.set(from, (by_address.get(from) ?? 0) + 1);
    const countOf = (from: string) => by_address.get(from) ?? 0;
    if (countOf(remote) >= this.#limits.connections_per_address)
      return this.#makeRoom(({ remote: from }) => (from === remote ? 1 : 0));
    return this.#connections.size < this.#limits.connections || this.#makeRoom(({ remote: from }) => countOf(from));
  }

  /** Drops one that waits: of the highest rank above 0, and of these the one that does so for longest. False where none does. */
  #makeRoom(rankOf: (connection: Connection) => number): boolean {
    let dropped: Connection | null = null;
    let highest = { rank: 0, since_ms: Number.POSITIVE_INFINITY };
    for (const connection of this.#connections) {
      const rank = rankOf(connection);
      const since_ms = connection.waiting_since_ms;
      if (since_ms === null || rank === 0 || rank < highest.rank) continue;
      if (rank === highest.rank && since_ms >= highest.since_ms) continue;
      dropped = connection;
      highest = { rank, since_ms };
    }
    if (dropped === null) return false;
    this.#connections.delete(dropped);
    dropped.close();
    return true;
  }
}

/** IPv4 addresses of a socket that listens for both families come mapped into IPv6. */
export function plainAddress(address: string | undefined): string {
  return (address ?? "").replace(/^::ffff:/i, "");
}
