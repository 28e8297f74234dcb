/**
 * A way from a browser on this machine to the interface of the lab's nodes, which live in namespaces:
 *
 *   browser ─▶ 127.0.0.1:8443 ─▶ Unix socket ─▶ the client's place ─▶ the shared LAN address ─▶ whoever is active
 *
 * The first half is a process outside of the lab's world, opened before that is entered and ended with the program.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { forward } from "./forward.ts";
import { LAN_ADDRESS } from "./topology.ts";

const PORT_FIRST = 8443;
const PORTS_TRIED = 20;
/** Says to this program, run again inside the world, which doorway is open under this name. */
const opened = (name: string): string => `UNDERSTUDY_DOORWAY_${name.toUpperCase()}`;
const ONLY = "lan";

export interface Doorway {
  url: string;
  socket: string;
}

/** Null where no port is free. `prefix`: a command that runs it in another place. */
export async function openDoorway(prefix: string[] = [], name = ONLY): Promise<Doorway | null> {
  const open_already = process.env[opened(name)];
  if (open_already !== undefined) return JSON.parse(open_already) as Doorway | null;
  const words = [...prefix, "setpriv", "--pdeathsig", "TERM", process.execPath, import.meta.filename];
  const child = Bun.spawn(words, { stdin: "ignore", stdout: "pipe", stderr: "inherit" });
  child.unref();
  const { value } = await child.stdout.getReader().read();
  const said = value === undefined ? "null" : new TextDecoder().decode(value);
  return JSON.parse(said) as Doorway | null;
}

/** To this program, run again inside the world (world.ts): it takes the same one. */
export function passOn(doorway: Doorway | null, name = ONLY): void {
  process.env[opened(name)] = JSON.stringify(doorway);
}

/** Where the client of a lab is, or of anything built like one. */
type Clients = { inside(place: "client", command: string[]): string[] };

/** The half inside the lab, from the client to `to`; ends with it. */
export function leadInto(lab: Clients, { socket }: Pick<Doorway, "socket">, to = `${LAN_ADDRESS}:443`): void {
  const script = join(import.meta.dir, "forward.ts");
  const words = ["setpriv", "--pdeathsig", "KILL", process.execPath, script, socket, to];
  Bun.spawn(lab.inside("client", words), { stdin: "ignore", stdout: "ignore", stderr: "ignore" }).unref();
}

function serve(): Doorway | null {
  const directory = mkdtempSync(join(tmpdir(), "understudy-door-"));
  const end = () => {
    rmSync(directory, { recursive: true, force: true });
    process.exit(0);
  };
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, end);
  const socket = join(directory, "lan.sock");
  for (let port = PORT_FIRST; port < PORT_FIRST + PORTS_TRIED; port++) {
    try {
      forward(`127.0.0.1:${port}`, socket);
      return { url: `https://127.0.0.1:${port}/`, socket };
    } catch {
      // Somebody else's: the next one.
    }
  }
  rmSync(directory, { recursive: true, force: true });
  return null;
}

if (import.meta.main) console.log(JSON.stringify(serve()));
