/** `understudy node` from its first check to its last breath: rights, directories, one process per state, signals. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Failure, sentence } from "../errors.ts";
import { openShim } from "../shim.ts";
import { fileTrouble } from "../trouble.ts";
import { serveControl } from "./api.ts";
import { Node, type NodeOptions } from "./node.ts";
import { endWith } from "./power.ts";
import { demandRights } from "./rights.ts";
import { ServiceManager } from "./service-manager.ts";
import { Store } from "./store.ts";
import { failTrial } from "./update-trial.ts";
import { Web, webAddress } from "./web.ts";

/** A Unix socket's path has room for 107 bytes and a zero (unix(7)). */
const SOCKET_PATH_BYTES_MAX = 107;

export async function runNode(options: NodeOptions & { web: string | null }): Promise<void> {
  const address = options.web === null ? null : webAddress(options.web);
  demandRights();
  const socket = join(options.run, "control.sock");
  prepareRun(options.run, socket);
  // Made before it is held, so that a directory that cannot be used is refused as such.
  new Store(options.state);
  holdAlone(options.state);
  const node = await startable({ ...options, web_port: address?.port ?? null });
  let server: ReturnType<typeof serveControl>;
  try {
    server = serveControl(node, socket);
  } catch (error) {
    throw runTrouble(options.run, error);
  }
  node.start();
  const manager = new ServiceManager(openShim(), process.env);
  manager.ready();
  const web = address === null ? null : new Web(node, { ...address, state: options.state, run: options.run });
  web?.start();
  if (web !== null) node.probeWeb = () => web.answers();
  const end = (): void => {
    manager.stopping();
    web?.stop();
    server.stop(true);
    void node.stop().then(() => {
      manager.stop();
      rmSync(join(options.state, "node.pid"), { force: true });
      process.exit(0);
    });
  };
  process.on("SIGTERM", end);
  process.on("SIGINT", end);
}

/** A version on trial that cannot even begin, as its settings do not load, gives way to the one before. */
async function startable(options: NodeOptions): Promise<Node> {
  try {
    return new Node(options);
  } catch (error) {
    const { boot = null, state, reboot_command } = options;
    if (boot !== null && reboot_command !== null && (await failTrial(state, boot, sentence(error)))) {
      console.error(sentence(error));
      endWith(reboot_command, async () => {});
      await new Promise(() => {});
    }
    throw error;
  }
}

function prepareRun(run: string, socket: string): void {
  if (Buffer.byteLength(socket) > SOCKET_PATH_BYTES_MAX)
    throw new Failure(
      "run-unusable",
      `The run directory ${run} has too long a name for the control socket; name a shorter one with --run.`,
    );
  try {
    mkdirSync(run, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw runTrouble(run, error);
  }
}

function runTrouble(run: string, error: unknown): Failure {
  return new Failure("run-unusable", `The run directory ${run} cannot be used: ${fileTrouble(error)}.`);
}

/** One node process per state directory: the pid in it belongs to a living `understudy node`, or to nobody. */
function holdAlone(state: string): void {
  const path = join(state, "node.pid");
  if (existsSync(path)) {
    const pid = Number(readFileSync(path, "utf8"));
    if (pid !== process.pid && isNode(pid)) {
      throw new Failure(
        "already-running",
        `Another node (process ${pid}) uses the state directory ${state}; stop it first, or name another directory with --state.`,
      );
    }
  }
  writeFileSync(path, String(process.pid), { mode: 0o600 });
}

function isNode(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes("node");
  } catch {
    return false;
  }
}
