/**
 * Many connections at a time through the gateway: from the client to a server in the WAN, each of them watched.
 *
 *   bun test/lab/flows.ts server ADDRESS PORT
 *   bun test/lab/flows.ts client ADDRESS PORT DOWNLOADS IDLE
 *
 * A download is some bytes every `PACE_MS`; the client never says anything in it. An idle connection says nothing at all
 * until a report asks for it: then it has to answer. Beside them the server sends a stream of UDP that the client asked
 * for once. The client prints `ready` when all of them stand, takes `mark`, and answers `report` (FlowsReport).
 */
import { createInterface } from "node:readline";

export interface FlowsReport {
  downloads: { all: number; going: number; median_ms: number; worst_ms: number };
  idle: { all: number; answered: number; median_ms: number; worst_ms: number };
  stream: { going: boolean; worst_ms: number };
}

/** From one piece of a download to the next. */
export const PACE_MS = 100;
const STREAM_MS = 10;
const PIECE = Buffer.alloc(500, "x");
/** Two of the kernel's time-outs for retransmission, and more. */
const PATIENCE_MS = 10_000;
const CONNECTING_AT_ONCE = 50;

function serve(hostname: string, port: number): void {
  const downloads = new Set<{ write(bytes: Uint8Array): number }>();
  Bun.listen<null>({
    hostname,
    port,
    socket: {
      data(socket, bytes) {
        if (bytes.toString().includes("download")) downloads.add(socket);
        else socket.write("pong");
      },
      close: (socket) => void downloads.delete(socket),
      error: () => {},
    },
  });
  setInterval(() => {
    for (const socket of downloads) socket.write(PIECE);
  }, PACE_MS);
  // To whoever asked last; the one before may have gone.
  let stream: Timer | undefined;
  void Bun.udpSocket({
    hostname,
    port,
    socket: {
      data(socket, _, from_port, from) {
        clearInterval(stream);
        stream = setInterval(() => socket.send("tick", from_port, from), STREAM_MS);
      },
      error: () => {},
    },
  });
  console.log("ready");
}

/** The longest time between two arrivals since the mark, the last one still going on included. */
class Watch {
  last_ms = performance.now();
  #worst_ms = 0;

  arrived(): void {
    this.#worst_ms = this.gap_ms();
    this.last_ms = performance.now();
  }

  mark(): void {
    this.#worst_ms = 0;
  }

  gap_ms(): number {
    return Math.max(this.#worst_ms, performance.now() - this.last_ms);
  }
}

function middle(values: number[]): { median_ms: number; worst_ms: number } {
  const sorted = values.toSorted((one, two) => one - two);
  return { median_ms: sorted[Math.floor(sorted.length / 2)] ?? 0, worst_ms: sorted.at(-1) ?? 0 };
}

async function ask(hostname: string, port: number, downloads: number, idle: number): Promise<void> {
  const loads: { watch: Watch; open: boolean }[] = [];
  const idles: { say: () => void; answered_ms: number | null }[] = [];
  const connect = async (is_download: boolean): Promise<void> => {
    const load = { watch: new Watch(), open: true };
    const quiet = { say: () => {}, answered_ms: null as number | null };
    const socket = await Bun.connect({
      hostname,
      port,
      socket: {
        data: () => {
          load.watch.arrived();
          quiet.answered_ms = performance.now();
        },
        close: () => {
          load.open = false;
        },
        error: () => {},
      },
    });
    quiet.say = () => void socket.write("ping");
    socket.write(is_download ? "download" : "ping");
    if (is_download) loads.push(load);
    else idles.push(quiet);
  };
  const wanted = [...Array(downloads).fill(true), ...Array(idle).fill(false)] as boolean[];
  while (wanted.length > 0) await Promise.all(wanted.splice(0, CONNECTING_AT_ONCE).map(connect));
  const stream = new Watch();
  const udp = await Bun.udpSocket({ connect: { hostname, port }, socket: { data: () => stream.arrived() } });
  udp.send("stream");

  const report = async (): Promise<FlowsReport> => {
    const asked_ms = performance.now();
    for (const each of idles) {
      each.answered_ms = null;
      each.say();
    }
    const flows = (load: (typeof loads)[number]): boolean =>
      load.open && performance.now() - load.watch.last_ms < 5 * PACE_MS;
    const all = (): boolean => idles.every(({ answered_ms }) => answered_ms !== null) && loads.every(flows);
    while (!all() && performance.now() - asked_ms < PATIENCE_MS) await Bun.sleep(20);
    const answered = idles.flatMap(({ answered_ms }) => (answered_ms === null ? [] : [answered_ms - asked_ms]));
    const going = loads.filter(flows);
    return {
      downloads: { all: loads.length, going: going.length, ...middle(going.map(({ watch }) => watch.gap_ms())) },
      idle: { all: idles.length, answered: answered.length, ...middle(answered) },
      stream: { going: performance.now() - stream.last_ms < 5 * PACE_MS, worst_ms: stream.gap_ms() },
    };
  };
  console.log("ready");
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === "mark") for (const watch of [stream, ...loads.map((load) => load.watch)]) watch.mark();
    else if (line === "report") console.log(JSON.stringify(await report()));
  }
}

if (import.meta.main) {
  const [side = "", address = "", port = "", downloads = "0", idle = "0"] = process.argv.slice(2);
  if (side === "server") serve(address, Number(port));
  else await ask(address, Number(port), Number(downloads), Number(idle));
}
