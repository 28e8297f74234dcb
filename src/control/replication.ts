/**
 * Replication at work: the engine's decisions carried out on the database, the connection to the peer and the
 * cluster's card, with the clock and the heart's word brought to it. Lives as long as the node is in its cluster.
 */
import { Failure, sentence } from "../errors.ts";
import type { NodeNumber, Snapshot, Tuning } from "../heart/messages.ts";
import { dropCardAddress, keepCardAddress } from "../kernel/card-address.ts";
import { Engine } from "../replication/engine.ts";
import { isKnownTo, type Message, type MessageOf } from "../replication/messages.ts";
import { JointTimings } from "../replication/timings.ts";
import { Transport } from "../replication/transport.ts";
import type { Output, Proposal, SyncState } from "../replication/types.ts";
import type { Chain } from "../settings/chain.ts";
import { openShim } from "../shim.ts";
import { BUILD, VERSION } from "../version.ts";
import type { Events } from "./events.ts";

const TICK_MS = 250;
const UPDATE = { type: "update" } as Message;
const ADDRESS_CHECK_MS = 1000;
/** A session of the web interface that was ended early, and until when that must be remembered. */
export type EndedSession = MessageOf<"sessions-ended">["ended"][number];

export type UpdateMessage = MessageOf<"update" | "bundle-wanted" | "bundle-part">;

export interface UpdateLink {
  /** The peer can be told of updates now; `UpdateLink.disconnected` follows in the end. */
  connected(): void;
  disconnected(): void;
  message(message: UpdateMessage): void;
}

/** The heart speaks five times a second; when it is silent for so long, nobody knows who is active. */
const SNAPSHOT_AGE_MS_MAX = 1500;
/** The same refusal is told again after so long. */
const REFUSAL_SILENCE_MS = 60_000;

export interface ReplicationOptions {
  cluster: {
    /** 8 hex digits. */
    id: string;
    node: NodeNumber;
    nic: string;
    peer_name: string;
    tls: { key: string; certificate: string; peer_certificate: string };
  };
  chain: Chain;
  events: Pick<Events, "add">;
  /** The settings became others by the peer's doing. */
  moved: () => void;
  /** As the engine's. */
  objection: (content: string) => string | null;
  /** Timings as stored last, the newest one last; see timings.ts. */
  timings: Tuning[];
  saveTimings: (timings: Tuning[]) => void;
  /** Timings were dropped: the heart is to run by what is left. */
  reconfigure: () => void;
  /** The active node says whether this one is in maintenance. */
  maintain: (on: boolean) => void;
  /** Sessions that were ended here, and what becomes of those that were ended on the peer. */
  endedSessions: () => EndedSession[];
  takeEndedSessions: (ended: EndedSession[]) => void;
  /** For how long this node has been running. */
  uptime_s: () => number;
  /** Updates go on between two versions (update/plan.ts). */
  update: UpdateLink;
  /** Instead of addresses on the cluster's card. */
  hosts?: { own: string; peer: string; port: number };
}

export interface SyncStatus {
  state: SyncState;
  revision: number;
  peer_revision: number | null;
  /** ISO 8601, UTC: since when it has been in this state. */
  since: string;
}

export class Replication {
  readonly #options: ReplicationOptions;
  readonly #engine: Engine;
  readonly #transport: Transport;
  readonly #timings: JointTimings;
  #heart_runs: number | null = null;
  /** The mark of what `tuning` said first. */
  #first: number | null = null;
  #snapshot_ms = 0;
  #snapshot: Pick<Snapshot, "role" | "term" | "peer"> | null = null;
  #waiting: { resolve: (on: "both" | "alone") => void; reject: (failure: Failure) => void } | null = null;
  #sync: SyncStatus;
  #timers: ReturnType<typeof setInterval>[] = [];
  #refused = new Map<string, number>();
  #address_trouble = "";
  /** The peer is connected, and of this very version: it knows what is told to it. */
  #alike = false;
  /** When the peer was started, on the clock of `performance.now()`; null while it has not said so on this connection. */
  #peer_started_ms: number | null = null;
  /** What it speaks, by its hello; 0 where it has not said it on this connection. */
  #protocol = 0;

  constructor(options: ReplicationOptions) {
    this.#options = options;
    const { cluster, chain, objection, hosts } = options;
    this.#engine = new Engine({
      chain,
      version: VERSION,
      build: BUILD,
      peer_name: cluster.peer_name,
      objection,
      nameKept: () => this.#nameKept(),
    });
    this.#timings = new JointTimings(options.timings, crypto.getRandomValues(new Uint32Array(1))[0] ?? 1);
    this.#transport = new Transport(
      {
        node: cluster.node,
        own_host: hosts?.own ?? `${addressOf(cluster.id, cluster.node)}%${cluster.nic}`,
        peer_host: hosts?.peer ?? `${addressOf(cluster.id, cluster.node === 1 ? 2 : 1)}%${cluster.nic}`,
        ...(hosts === undefined ? {} : { port: hosts.port }),
        ...cluster.tls,
      },
      {
        connected: () => {
          this.#timings.connected();
          this.#carryOut(this.#engine.connected(performance.now()));
        },
        disconnected: () => {
          this.#alike = false;
          this.#peer_started_ms = null;
          if (isKnownTo(this.#protocol, UPDATE)) options.update.disconnected();
          this.#protocol = 0;
          this.#carryOut(this.#engine.disconnected(performance.now()));
        },
        message: (message) => this.#take(message),
        refused: (why) => this.#tellRefusal(why),
      },
    );
    this.#sync = { ...this.#engine.sync(), since: new Date().toISOString() };
  }

  start(): void {
    if (this.#options.hosts === undefined) {
      this.#keepAddress();
      this.#timers.push(setInterval(() => this.#keepAddress(), ADDRESS_CHECK_MS));
    }
    this.#transport.start();
    this.#timers.push(setInterval(() => this.#tick(), TICK_MS));
  }

  /** The address goes with the cluster. */
  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#transport.stop();
    this.#waiting?.reject(new Failure("not-replicated", "The node was stopped before the change was confirmed."));
    this.#waiting = null;
    if (this.#options.hosts !== undefined) return;
    const { id, node, nic } = this.#options.cluster;
    try {
      dropCardAddress(openShim(), nic, addressOf(id, node));
    } catch (error) {
      this.#options.events.add(
        "address-remains",
        "warning",
        `The cluster's address remains on ${nic}: ${sentence(error)}`,
      );
    }
  }

  /** Resolves once the change counts; rejects with the engine's Failure. One at a time. */
  confirm(proposal: Proposal): Promise<"both" | "alone"> {
    const { promise, resolve, reject } = Promise.withResolvers<"both" | "alone">();
    if (this.#waiting !== null) throw new Failure("busy", "Another change of the settings is under way; try again.");
    this.#waiting = { resolve, reject };
    this.#carryOut(this.#engine.propose(performance.now(), proposal));
    return promise;
  }

  takeSnapshot(snapshot: Pick<Snapshot, "role" | "term" | "peer">): void {
    // A heart that was started with the node runs by what it was given then, whatever the settings have become since.
    if (snapshot.role !== "standalone") this.#heart_runs ??= this.#first;
    this.#snapshot = snapshot;
    this.#snapshot_ms = performance.now();
    this.#tellSituation();
  }

  sync(): SyncStatus {
    return this.#sync;
  }

  /** What the heart is to run by, where the settings say `target`; remembered before it is known. */
  tuning(target: Tuning): Tuning {
    if (this.#timings.aimAt(target)) this.#options.saveTimings(this.#timings.all());
    this.#first ??= this.tuning_generation;
    return this.#timings.running();
  }

  /** A mark of what `tuning` said last, for `heartRuns`. */
  get tuning_generation(): number {
    return this.#timings.words().generation;
  }

  /** The heart runs by what `tuning` said at this mark: now it may be told to the peer. */
  heartRuns(generation: number): void {
    this.#heart_runs = generation;
    this.#sayTimings();
  }

  /** False where the peer cannot be told. */
  tellMaintenance(on: boolean): boolean {
    return this.#transport.send({ type: "maintenance", on });
  }

  /** A peer that is not there is told all of them when it comes. */
  tellEndedSessions(ended: EndedSession[]): void {
    if (this.#alike) this.#transport.send({ type: "sessions-ended", ended });
  }

  /** Null where the peer is not connected, or of another version. */
  peerUptime_s(): number | null {
    return this.#peer_started_ms === null ? null : Math.floor((performance.now() - this.#peer_started_ms) / 1000);
  }

  /** False where the peer cannot be told, or is of a version that does not know this. */
  tellUpdate(message: UpdateMessage): boolean {
    return isKnownTo(this.#protocol, message) && this.#transport.send(message);
  }

  #sayTimings(): void {
    const words = this.#timings.words();
    if (words.generation === this.#heart_runs) this.#transport.send(words);
  }

  #take(message: Message): void {
    if (message.type === "maintenance") return this.#options.maintain(message.on);
    if (message.type === "sessions-ended") return this.#options.takeEndedSessions(message.ended);
    if (message.type === "uptime") return this.#takeUptime(message);
    if (message.type === "update" || message.type === "bundle-wanted" || message.type === "bundle-part")
      return this.#options.update.message(message);
    if (message.type === "hello") this.#met(message);
    if (message.type !== "timings") return this.#carryOut(this.#engine.receive(performance.now(), message));
    if (!this.#timings.take(message)) return;
    this.#options.saveTimings(this.#timings.all());
    this.#options.reconfigure();
  }

  #met({ protocol, version, build }: MessageOf<"hello">): void {
    this.#alike = version === VERSION && build === BUILD;
    if (this.#alike) this.#transport.send({ type: "uptime", uptime_s: Math.floor(this.#options.uptime_s()) });
    if (this.#protocol === 0 && isKnownTo(protocol, UPDATE)) this.#options.update.connected();
    this.#protocol = protocol;
    const ended = this.#options.endedSessions();
    if (ended.length > 0) this.tellEndedSessions(ended);
  }

  #takeUptime({ uptime_s }: MessageOf<"uptime">): void {
    if (this.#alike) this.#peer_started_ms = performance.now() - uptime_s * 1000;
  }

  #tick(): void {
    if (performance.now() - this.#snapshot_ms > SNAPSHOT_AGE_MS_MAX) this.#snapshot = null;
    this.#tellSituation();
    this.#carryOut(this.#engine.tick(performance.now()));
    this.#sayTimings();
  }

  #tellSituation(): void {
    const { role, term = 0, peer } = this.#snapshot ?? {};
    // Without the heart's word nobody is known to be away either.
    const situation = { active: role === "active", term, peer_heard: peer?.heard ?? true };
    this.#carryOut(this.#engine.situation(performance.now(), situation));
  }

  #carryOut({ events, moved, messages, close, verdict }: Output): void {
    for (const { code, severity, message } of events) this.#options.events.add(code, severity, message);
    for (const message of messages) this.#transport.send(message);
    const state = this.#engine.sync();
    const since = state.state === this.#sync.state ? this.#sync.since : new Date().toISOString();
    this.#sync = { ...state, since };
    if (close !== null) {
      this.#tellRefusal(`${this.#options.cluster.peer_name}: ${close}`);
      this.#transport.hangUp();
    }
    // The one who waits for a change looks at the settings by himself.
    if (moved && verdict?.ok !== true) this.#options.moved();
    const waiting = this.#waiting;
    if (verdict === null || waiting === null) return;
    this.#waiting = null;
    if (verdict.ok) waiting.resolve(verdict.on);
    else waiting.reject(new Failure(verdict.code, verdict.message));
  }

  #keepAddress(): void {
    const { id, node, nic } = this.#options.cluster;
    try {
      keepCardAddress(openShim(), nic, addressOf(id, node));
      this.#address_trouble = "";
    } catch (error) {
      const trouble = sentence(error);
      if (trouble !== this.#address_trouble)
        this.#options.events.add("address-missing", "warning", `${nic} has no address of the cluster: ${trouble}`);
      this.#address_trouble = trouble;
    }
  }

  #tellRefusal(why: string): void {
    const now_ms = performance.now();
    const last_ms = this.#refused.get(why);
    if (last_ms !== undefined && now_ms - last_ms < REFUSAL_SILENCE_MS) return;
    if (this.#refused.size > 50) this.#refused.clear();
    this.#refused.set(why, now_ms);
    this.#options.events.add("replication-refused", "warning", `A connection for the settings was ended: ${why}.`);
  }

  #nameKept(): string {
    const name = `unshared-${new Date().toISOString().slice(0, 19)}Z`;
    const taken = this.#options.chain.kept().filter((kept) => kept.name.startsWith(name)).length;
    return taken === 0 ? name : `${name}-${taken + 1}`;
  }
}

/** Link-local, of this cluster and this node of it. */
export function addressOf(cluster_id: string, node: NodeNumber): string {
  return `fe80::${cluster_id.slice(0, 4)}:${cluster_id.slice(4, 8)}:${node}`;
}
