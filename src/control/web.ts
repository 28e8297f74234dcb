/**
 * The web interface, as the control process sees it: a socket of its own for the web process, sessions, tokens, the
 * certificate, and the process itself. The run directory is root's; the web process gets a directory in it as its
 * working directory, from where it reaches the socket and nothing else.
 */
import { chmodSync, chownSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Failure, sentence } from "../errors.ts";
import { readSealed, writeSealed } from "../sealed.ts";
import { API } from "../web/routes.ts";
import type { CertificateAndKey } from "./certificate.ts";
import { Certificates, demandUsable, factsOf, selfMade } from "./certificates.ts";
import { type Counted, metricsOf } from "./metrics.ts";
import { type Node, SWITCH_EVENTS } from "./node.ts";
import type { EndedSession } from "./replication.ts";
import { bodyOf, textOf } from "./route.ts";
import { Sessions } from "./sessions.ts";
import { Tokens } from "./tokens.ts";
import { hostsOf, refusedAddresses } from "./web-addresses.ts";
import { type OwnHandler, WebApi } from "./web-api.ts";
import { WebProcess } from "./web-process.ts";
import { Streams } from "./web-stream.ts";

const NOBODY = 65_534;
const BODY_BYTES_MAX = 4 << 20;
/** Settings come from the peer too: the certificate and the addresses are looked at now and then. */
const LOOK_INTERVAL_MS = 1000;
const ANSWER_MS_MAX = 5000;
/** Who changes settings without being asked to. */
const AUTHOR = "web interface";

export interface WebOptions {
  hostname: string;
  port: number;
  state: string;
  run: string;
}

/** `127.0.0.1:8443` or `[::]:443`. Throws Failure `usage`. */
export function webAddress(text: string): { hostname: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65_535)
    throw new Failure("usage", `--web ${text} is no address with its port; write it like 0.0.0.0:443 or [::]:443.`);
  return { hostname: match[1] ?? match[2] ?? "", port };
}

export class Web {
  readonly #node: Node;
  readonly #options: WebOptions;
  readonly #directory: string;
  readonly #certificates: Certificates;
  readonly #streams: Streams;
  readonly #counted: Counted = { events: { info: 0, warning: 0, error: 0 }, switches: 0, outages: {} };
  #counted_events = 0;
  #sharing = false;
  #process: WebProcess | null = null;
  #server: { stop(now: boolean): unknown } | null = null;
  #timer: ReturnType<typeof setInterval> | null = null;

  constructor(node: Node, options: WebOptions) {
    this.#node = node;
    this.#options = options;
    this.#directory = join(options.run, "web");
    this.#certificates = new Certificates(options.state);
    this.#streams = new Streams(() => node.status(), node.events);
  }

  start(): void {
    this.#serve();
    const configuration = this.#configuration();
    this.#process = new WebProcess(
      { event: (code, severity, message) => this.#node.events.add(code, severity, message) },
      this.#directory,
      configuration,
    );
    this.#process.start();
    this.#timer = setInterval(() => this.#look(), LOOK_INTERVAL_MS);
  }

  /** A request like anybody's, to this node itself: whether the interface answers. */
  async answers(): Promise<boolean> {
    const { hostname, port } = this.#options;
    const host =
      { "0.0.0.0": "127.0.0.1", "::": "[::1]" }[hostname] ?? (hostname.includes(":") ? `[${hostname}]` : hostname);
    try {
      const response = await fetch(`https://${host}:${port}${API}/public`, {
        tls: { rejectUnauthorized: false },
        signal: AbortSignal.timeout(ANSWER_MS_MAX),
      });
      await response.arrayBuffer();
      return response.ok;
    } catch {
      return false;
    }
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#streams.stop();
    this.#process?.stop();
    void this.#server?.stop(true);
  }

  #serve(): void {
    const socket = join(this.#directory, "web.sock");
    mkdirSync(this.#directory, { recursive: true });
    // Ours, or a web process that was broken into could put a link in the socket's place before it is given away.
    chownSync(this.#directory, process.getuid?.() ?? 0, process.getgid?.() ?? 0);
    chmodSync(this.#directory, 0o711);
    rmSync(socket, { force: true });
    const settings = this.#node.settings;
    const ended = join(this.#options.state, "web-sessions.json");
    const sessions = new Sessions({
      clusterKey: () => this.#node.clusterKey(),
      passwordHash: (name) =>
        settings.current.administrators.find((entry) => entry.name === name)?.password_hash ?? null,
      loadEnded: () => (readSealed(ended) as EndedSession[] | null | undefined) ?? [],
      saveEnded: (list) => this.#tryToStore(() => writeSealed(ended, list)),
      tellEnded: (list) => this.#node.tellEndedSessions(list),
    });
    this.#node.sessions = sessions;
    const api = new WebApi({
      node: this.#node,
      streams: this.#streams,
      own: this.#routes(),
      sessions,
      tokens: new Tokens({
        list: () => settings.current.web.tokens ?? [],
        save: async (tokens, author) => {
          await settings.change((now) => ({ ...now, web: { ...now.web, tokens } }), { author });
        },
      }),
    });
    this.#server = Bun.serve({
      unix: socket,
      maxRequestBodySize: BODY_BYTES_MAX,
      fetch: (request, server) => {
        // Streams and searches for a peer are silent for longer than any time-out.
        server.timeout(request, 0);
        return api.answer(request);
      },
    });
    chmodSync(socket, 0o600);
    this.#giveAway(socket);
  }

  /** To the user that the web process becomes; where there is none, the process stays ours, and so does this. */
  #giveAway(socket: string): void {
    try {
      chownSync(socket, NOBODY, NOBODY);
    } catch {
      // The web process says so when it cannot become that user.
    }
  }

  #configuration() {
    const { hostname, port } = this.#options;
    const { certificate, key } = this.#certificate();
    const { fingerprint } = factsOf({ certificate });
    this.#node.web = { address: hostname, port, fingerprint };
    return { hostname, port, certificate, key, refused_addresses: refusedAddresses(this.#node.settings.current) };
  }

  #certificate(): CertificateAndKey {
    const { current } = this.#node.settings;
    return this.#certificates.current(current.web.certificate ?? null, () => hostsOf(current));
  }

  #look(): void {
    this.#count();
    this.#tryToStore(() => this.#process?.configure(this.#configuration()));
    void this.#share();
  }

  /** Often enough that no event is forgotten meanwhile. */
  #count(): Counted {
    for (const { severity, code, cause, outage_ms } of this.#node.events.since(this.#counted_events)) {
      this.#counted.events[severity] += 1;
      if (SWITCH_EVENTS.includes(code)) this.#counted.switches += 1;
      if (cause === undefined || outage_ms === undefined) continue;
      const { count, sum_ms } = this.#counted.outages[cause] ?? { count: 0, sum_ms: 0 };
      this.#counted.outages[cause] = { count: count + 1, sum_ms: sum_ms + outage_ms };
    }
    this.#counted_events = this.#node.events.added;
    return this.#counted;
  }

  /** In a cluster both nodes have the same certificate: the active one puts its own among the settings. */
  async #share(): Promise<void> {
    const { in_cluster, active } = this.#node.situation();
    if (!in_cluster || !active || this.#sharing || this.#node.settings.current.web.certificate !== undefined) return;
    this.#sharing = true;
    // Refused while the nodes cannot store it: tried again, as long as there is none.
    await this.#useCertificate(this.#certificate(), AUTHOR).catch(() => {});
    this.#sharing = false;
  }

  async #useCertificate(certificate: CertificateAndKey, author: string): Promise<void> {
    await this.#node.settings.change((now) => ({ ...now, web: { ...now.web, certificate } }), { author });
  }

  #routes(): Record<string, OwnHandler> {
    return {
      "GET /metrics": () => metricsOf(this.#node.status(), this.#count()),
      "GET /certificate": () => factsOf(this.#certificate()),
      "PUT /certificate": async (request, _, who) => {
        const { certificate, key } = (await bodyOf(request)) as Record<string, unknown>;
        const usable = demandUsable({ certificate: textOf(certificate, "certificate"), key: textOf(key, "key") });
        await this.#useCertificate(usable, who.name);
        return this.#changed(who.name);
      },
      "DELETE /certificate": async (_request, _, who) => {
        await this.#useCertificate(selfMade(hostsOf(this.#node.settings.current)), who.name);
        return this.#changed(who.name);
      },
    };
  }

  #changed(name: string): object {
    const { fingerprint } = factsOf(this.#certificate());
    this.#node.events.add(
      "certificate-changed",
      "info",
      `${name} changed the web interface's certificate; its fingerprint is ${fingerprint}.`,
    );
    return {};
  }

  #tryToStore(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#node.events.add("state-unwritable", "error", sentence(error));
    }
  }
}
