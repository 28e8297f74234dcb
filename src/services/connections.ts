/** conntrackd as a service of this node: found, configured by the settings and the cluster, and told what it needs to know. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { runProgram } from "../control/program.ts";
import { scrubbedEnvironment } from "../environment.ts";
import { PROC_SYS } from "../kernel/sysctl.ts";
import {
  ConntrackDuties,
  configurationFile,
  conntrackConfiguration,
  controlSocket,
  isNameable,
  lockFile,
  ORDER_WORDS,
  type Order,
} from "./conntrack.ts";
import type { Launch } from "./hands.ts";
import { isUnixSocket, type Plan, type Standing, type Work } from "./work.ts";

export interface ConnectionsHost {
  /** Null: it is looked for on the path. */
  conntrackd: string | null;
  /** Of the node, with or without prefix. */
  addresses(): string[];
  /** Both nodes' addresses on the cluster network; null outside a cluster. */
  cluster(): { nic: string; own_address: string; peer_address: string } | null;
}

const ORDER_MS_MAX = 30_000;
const CONNECTIONS_MAX_USUAL = 262_144;
/** Where Debian has its daemons, which are on nobody's path but root's. */
const DAEMON_PATHS = "/usr/local/sbin:/usr/sbin:/sbin";
const SO = "so connections through this node break at a switch";

export class Connections implements Work {
  readonly #host: ConnectionsHost;
  readonly #directory: string;
  readonly #duties = new ConntrackDuties();
  #program = "";
  #text = "";
  #telling = false;

  constructor(host: ConnectionsHost, directory: string) {
    this.#host = host;
    this.#directory = directory;
  }

  plan(): Plan {
    const cluster = this.#host.cluster();
    if (cluster === null) return null;
    const { conntrackd } = this.#host;
    const program = Bun.which(conntrackd ?? "conntrackd", { PATH: `${process.env["PATH"] ?? ""}:${DAEMON_PATHS}` });
    if (program === null)
      return {
        missing:
          conntrackd === null
            ? `conntrackd is not installed, ${SO}; install Debian's package conntrackd, or name the program with --conntrackd.`
            : `${conntrackd} is no program that can be run, ${SO}; name conntrackd with --conntrackd.`,
      };
    if (!isNameable(cluster.nic))
      return {
        missing: `conntrackd cannot use a card that is called ${cluster.nic}, ${SO}; give the card of the cluster network another name.`,
      };
    this.#program = program;
    this.#text = conntrackConfiguration({
      ...cluster,
      ignored: this.#host.addresses(),
      connections_max: figureOf("nf_conntrack_max") ?? CONNECTIONS_MAX_USUAL,
      directory: this.#directory,
    });
    return { mark: `${program}\n${this.#text}` };
  }

  launch(): Launch {
    const directory = this.#directory;
    return {
      command: [this.#program, "-C", configurationFile(directory)],
      prepare: () => {
        writeFileSync(configurationFile(directory), this.#text, { mode: 0o600 });
        // Of one that was killed.
        for (const path of [lockFile(directory), controlSocket(directory)]) rmSync(path, { force: true });
        // Where the kernel tells only of what began while somebody listened, the end of older connections is never told.
        if (PROC_SYS.read("net/netfilter/nf_conntrack_events") === "2")
          PROC_SYS.write("net/netfilter/nf_conntrack_events", "1");
      },
      isReady: () => isUnixSocket(controlSocket(directory)),
    };
  }

  attend(now_ms: number, standing: Standing, sick: (why: string) => void): void {
    if (this.#telling) return;
    const orders = this.#duties.step(now_ms, { ...standing, connections: figureOf("nf_conntrack_count") ?? 0 });
    if (orders.length === 0) return;
    this.#telling = true;
    void this.#tell(orders, sick).finally(() => {
      this.#telling = false;
    });
  }

  async #tell(orders: Order[], sick: (why: string) => void): Promise<void> {
    for (const order of orders) {
      const words = [this.#program, "-C", configurationFile(this.#directory), ...ORDER_WORDS[order]];
      const failure = await runProgram(words, scrubbedEnvironment(), ORDER_MS_MAX);
      if (failure !== null) return sick(`does not take orders: \`${ORDER_WORDS[order].join(" ")}\` ${failure}`);
    }
  }
}

/** Undefined where the kernel tracks no connections yet. */
function figureOf(name: string): number | undefined {
  try {
    return Number(readFileSync(`/proc/sys/net/netfilter/${name}`, "utf8"));
  } catch {
    return undefined;
  }
}
