/**
 * From one place of the lab to another: whatever connects here is connected there, and bytes go both ways. A place is a
 * path of a Unix socket, which reaches across namespaces, or an address with its port, which does not.
 *
 *   bun test/lab/forward.ts /tmp/door.sock 10.1.0.1:443
 */

/** What one side has sent and the other does not take yet; beyond it the connection ends. */
const WAITING_BYTES_MAX = 8 << 20;

type Other = { write(bytes: Uint8Array): number; end(): void; terminate(): void };
type Place = { unix: string } | { hostname: string; port: number };

function sender(other: () => Other | null, tooMuch: () => void) {
  const waiting: Buffer[] = [];
  let waiting_bytes = 0;
  const flush = () => {
    for (;;) {
      const next = waiting[0];
      const to = other();
      if (next === undefined || to === null) return;
      const written = Math.max(0, to.write(next));
      waiting_bytes -= written;
      if (written < next.length) {
        waiting[0] = next.subarray(written);
        return;
      }
      waiting.shift();
    }
  };
  return {
    flush,
    send: (bytes: Uint8Array) => {
      waiting.push(Buffer.from(bytes));
      waiting_bytes += bytes.length;
      flush();
      if (waiting_bytes > WAITING_BYTES_MAX) tooMuch();
    },
  };
}

interface Link {
  client: Other;
  server: Other | null;
  /** The client has gone; a connection that comes about now has nobody to serve. */
  gone: boolean;
  to_server: ReturnType<typeof sender>;
  to_client: ReturnType<typeof sender>;
}

function placeOf(text: string): Place {
  const colon = text.lastIndexOf(":");
  if (text.includes("/") || colon < 0) return { unix: text };
  return { hostname: text.slice(0, colon), port: Number(text.slice(colon + 1)) };
}

/** Throws where one cannot listen at `from`. */
export function forward(from: string, to: string): void {
  const server_socket = (link: Link) => ({
    open(server: Other) {
      if (link.gone) return void server.terminate();
      link.server = server;
      link.to_server.flush();
    },
    data: (_: Other, bytes: Uint8Array) => link.to_client.send(bytes),
    drain: () => link.to_server.flush(),
    close: () => void link.client.end(),
    error: () => link.client.terminate(),
  });
  const client_socket = {
    open(client: Other & { data: Link | null }) {
      const end = () => {
        client.terminate();
        link.server?.terminate();
      };
      const link: Link = {
        client,
        server: null,
        gone: false,
        to_server: sender(() => link.server, end),
        to_client: sender(() => link.client, end),
      };
      client.data = link;
      const place = placeOf(to);
      const connecting =
        "unix" in place
          ? Bun.connect({ ...place, socket: server_socket(link) })
          : Bun.connect({ ...place, socket: server_socket(link) });
      connecting.catch(() => client.terminate());
    },
    data: (client: { data: Link | null }, bytes: Uint8Array) => client.data?.to_server.send(bytes),
    drain: (client: { data: Link | null }) => client.data?.to_client.flush(),
    close(client: { data: Link | null }) {
      if (client.data === null) return;
      client.data.gone = true;
      client.data.server?.terminate();
    },
    error: () => {},
  };
  const place = placeOf(from);
  if ("unix" in place) Bun.listen<Link | null>({ ...place, data: null, socket: client_socket });
  else Bun.listen<Link | null>({ ...place, data: null, socket: client_socket });
}

if (import.meta.main) {
  const [from = "", to = ""] = process.argv.slice(2);
  forward(from, to);
  console.log("ready");
}
