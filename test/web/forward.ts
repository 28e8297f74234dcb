/** In the appliance's namespace: from a Unix socket, which the test reaches, to the web interface, which it does not. */
const [path = "", address = "", port = ""] = process.argv.slice(2);

type Other = { write(bytes: Uint8Array): number; end(): void; terminate(): void };

/** Bytes that the other side does not take yet; tests send little. */
function sender(other: () => Other | null) {
  let waiting: Buffer[] = [];
  const flush = () => {
    for (;;) {
      const next = waiting[0];
      const to = other();
      if (next === undefined || to === null) return;
      const written = to.write(next);
      if (written < next.length) {
        waiting[0] = next.subarray(Math.max(0, written));
        return;
      }
      waiting.shift();
    }
  };
  return {
    flush,
    send: (bytes: Uint8Array) => {
      waiting.push(Buffer.from(bytes));
      flush();
    },
    forget: () => {
      waiting = [];
    },
  };
}

interface Link {
  client: Other;
  server: Other | null;
  to_server: ReturnType<typeof sender>;
  to_client: ReturnType<typeof sender>;
}

Bun.listen<Link | null>({
  unix: path,
  data: null,
  socket: {
    open(client) {
      const link: Link = {
        client,
        server: null,
        to_server: sender(() => link.server),
        to_client: sender(() => link.client),
      };
      client.data = link;
      Bun.connect({
        hostname: address,
        port: Number(port),
        socket: {
          open(server) {
            link.server = server;
            link.to_server.flush();
          },
          data: (_, bytes) => link.to_client.send(bytes),
          drain: () => link.to_server.flush(),
          close: () => void client.end(),
          error: () => client.terminate(),
        },
      }).catch(() => client.terminate());
    },
    data: (client, bytes) => client.data?.to_server.send(bytes),
    drain: (client) => client.data?.to_client.flush(),
    close: (client) => client.data?.server?.terminate(),
    error: () => {},
  },
});
console.log("ready");
