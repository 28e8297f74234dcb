/** Replication as the node sees it: there while the node is in a cluster, and out of the way where it is not. */
import { Failure, sentence } from "../errors.ts";
import type { Snapshot, Tuning } from "../heart/messages.ts";
import { parseSettings, tuningOf } from "../settings/model.ts";
import { fromShared, type SharedSettings } from "../settings/shared.ts";
import type { Events } from "./events.ts";
import { type EndedSession, Replication, type SyncStatus, type UpdateLink, type UpdateMessage } from "./replication.ts";
import type { Confirm, SettingsService } from "./settings-service.ts";
import type { ClusterState } from "./store.ts";

export interface ReplicatorHost {
  events: Pick<Events, "add">;
  settings: SettingsService;
  saveTimings: (timings: Tuning[]) => void;
  reconfigure: () => void;
  maintain: (on: boolean) => void;
  endedSessions: () => EndedSession[];
  takeEndedSessions: (ended: EndedSession[]) => void;
  update: UpdateLink;
}

export class Replicator {
  readonly #host: ReplicatorHost;
  #replication: Replication | null = null;
  #id: string | null = null;
  readonly #standalone_since = new Date().toISOString();

  constructor(host: ReplicatorHost) {
    this.#host = host;
  }

  /** The cluster that the node is in now, or none. Before the heart is configured for it. */
  follow(cluster: ClusterState | null): void {
    if ((cluster?.id ?? null) === this.#id) return;
    this.stop();
    if (cluster === null) return;
    this.#id = cluster.id;
    const { settings, events } = this.#host;
    const { id, node, nic, peer_name, tls, timings } = cluster;
    if (tls === undefined) {
      const message = `Settings do not replicate, as the cluster with ${peer_name} was made by an earlier version; destroy it and create it again.`;
      return events.add("settings-not-replicated", "warning", message);
    }
    const now = [tuningOf(settings.current)];
    // From the first moment on: the settings alone would not tell after a restart by what the peer may still run.
    if (timings === undefined) this.#host.saveTimings(now);
    try {
      this.#replication = new Replication({
        cluster: { id, node, nic, peer_name, tls },
        chain: settings.database,
        events,
        moved: () => this.#moved(),
        objection: (content) => this.#objectionTo(content),
        timings: timings ?? now,
        saveTimings: this.#host.saveTimings,
        reconfigure: this.#host.reconfigure,
        maintain: this.#host.maintain,
        endedSessions: this.#host.endedSessions,
        takeEndedSessions: this.#host.takeEndedSessions,
        uptime_s: () => process.uptime(),
        update: this.#host.update,
      });
    } catch (error) {
      return events.add("settings-not-replicated", "error", `Settings do not replicate: ${sentence(error)}.`);
    }
    this.#replication.start();
  }

  stop(): void {
    this.#replication?.stop();
    this.#replication = null;
    this.#id = null;
  }

  readonly confirm: Confirm = async (revision, local, { alone }) => {
    if (this.#replication === null && this.#id !== null)
      throw new Failure(
        "not-replicated",
        "The change was refused, as the settings do not replicate in this cluster; see the events, or destroy the cluster and create it again.",
      );
    if (this.#replication === null) this.#host.settings.database.append([revision], local);
    else await this.#replication.confirm({ revision, local, alone });
  };

  takeSnapshot(snapshot: Snapshot): void {
    this.#replication?.takeSnapshot(snapshot);
  }

  tuning(target: Tuning): Tuning {
    return this.#replication?.tuning(target) ?? target;
  }

  /** False where the peer cannot be told. */
  tellMaintenance(on: boolean): boolean {
    return this.#replication?.tellMaintenance(on) ?? false;
  }

  tellEndedSessions(ended: EndedSession[]): void {
    this.#replication?.tellEndedSessions(ended);
  }

  /** Null where it is not known. */
  peerUptime_s(): number | null {
    return this.#replication?.peerUptime_s() ?? null;
  }

  /** False where the peer cannot be told. */
  tellUpdate(message: UpdateMessage): boolean {
    return this.#replication?.tellUpdate(message) ?? false;
  }

  /** Configures the heart with what `tuning` said last; the peer is told once it runs by it. */
  async whileConfiguring(configure: () => Promise<boolean>): Promise<boolean> {
    const replication = this.#replication;
    const generation = replication?.tuning_generation;
    const is_done = await configure();
    if (is_done && generation !== undefined) replication?.heartRuns(generation);
    return is_done;
  }

  sync(): SyncStatus {
    if (this.#replication !== null) return this.#replication.sync();
    const { revision } = this.#host.settings;
    return { state: "standalone", revision, peer_revision: null, since: this.#standalone_since };
  }

  #moved(): void {
    try {
      this.#host.settings.refresh();
    } catch (error) {
      this.#host.events.add(
        "settings-unusable",
        "error",
        `The settings of the peer are not usable: ${sentence(error)}`,
      );
    }
  }

  #objectionTo(content: string): string | null {
    try {
      parseSettings(fromShared(JSON.parse(content) as SharedSettings, this.#host.settings.database.local()));
      return null;
    } catch (error) {
      return error instanceof Failure ? error.message.replace(/\.$/, "") : "they are no settings";
    }
  }
}
