/**
 * `understudy node`: the control process. It has the disk, the control socket, pairing and the
 * administrator, and keeps the heart alive. Nothing here can delay a heartbeat: that is another process.
 */
import type { Agreement } from "../core/pairing/messages.ts";
import { Failure, sentence } from "../errors.ts";
import type { HeartConfiguration, Snapshot, SwitchCause, Tuning } from "../heart/messages.ts";
import { listLinks, setLinkUp } from "../kernel/links.ts";
import { Services } from "../services/services.ts";
import type { ServiceReport } from "../services/supervisor.ts";
import { parseSettings, type Settings, tuningOf } from "../settings/model.ts";
import { openShim } from "../shim.ts";
import { BUILD, VERSION } from "../version.ts";
import { Administration } from "./administration.ts";
import { Captures } from "./captures.ts";
import { CardKeeper } from "./card-keeper.ts";
import { demandCard } from "./cluster-card.ts";
import { diagnose, type Finding } from "./doctor.ts";
import { gatherFacts } from "./doctor-facts.ts";
import { Erasure } from "./erasure.ts";
import { Events } from "./events.ts";
import { FIREWALL_KERNEL, FIREWALL_LOOK_MS, FirewallKeeper, firewallOf } from "./firewall-keeper.ts";
import { heartConfiguration } from "./heart-configuration.ts";
import { HeartProcess, spawnHeart } from "./heart-process.ts";
import { Hooks, settledRole } from "./hooks.ts";
import {
  InterfaceWatch,
  WATCH_INTERVAL_MS,
  type WatchedInterface,
  watchedInterfaces,
  watchedKernel,
} from "./interface-watch.ts";
import type { LicenseReport } from "./license.ts";
import { Pairing, type PairingHost } from "./pairing.ts";
import { clusterOf, demandMatches, slotsOf } from "./pairing-outcome.ts";
import type { Identity, PairingStatus } from "./pairing-session.ts";
import { endWith, type PowerWay, powerCommand } from "./power.ts";
import { addressOf, type EndedSession, type SyncStatus } from "./replication.ts";
import { Replicator } from "./replicator.ts";
import { demandChangeAllowed, demandFitForCluster, type Situation } from "./rules.ts";
import type { Sessions } from "./sessions.ts";
import { inherited, SettingsService } from "./settings-service.ts";
import { openSettings } from "./settings-start.ts";
import { type ClusterState, Store } from "./store.ts";
import { surroundingsOf } from "./update-surroundings.ts";
import { Updater, type UpdaterHost, type UpdateStatus } from "./updater.ts";
import { disarmWatchdog } from "./watchdog.ts";

export interface NodeOptions {
  state: string;
  run: string;
  reboot_command: string | null;
  poweroff_command?: string | null;
  /** The device of a hardware watchdog, which the heart feeds. */
  watchdog?: string | null;
  /** Of the web interface; external networks may be let in there. */
  web_port?: number | null;
  /** The directory of the programs that are told what becomes of this node. */
  hooks?: string | null;
  /** Where the firmware's partition with the system's slots is mounted. */
  boot?: string | null;
  /** The program that replicates connections; null or absent: found on the path. */
  conntrackd?: string | null;
}

/** Everything that `status` shows. */
export interface Status extends Omit<Snapshot, "role" | "peer"> {
  name: string;
  version: string;
  build: number;
  /** Since this process was started. */
  uptime_s: number;
  role: Snapshot["role"] | "starting" | "joining";
  /** `uptime_s` is null where the peer is not connected over the cluster network, or of another version. */
  peer: (NonNullable<Snapshot["peer"]> & { uptime_s: number | null }) | null;
  settings_revision: number;
  sync: SyncStatus;
  /** This node does not take over (`cluster maintenance`). */
  maintenance: boolean;
  pairing: PairingStatus | null;
  switches: Switch[];
  license: LicenseReport;
  update: UpdateStatus;
  /** Null without a web interface; `fingerprint` is SHA-256 of its certificate. */
  web: { address: string; port: number; fingerprint: string } | null;
  services: ServiceReport[];
}

/** One change of this node's role, oldest first in the status. */
export interface Switch {
  at: string;
  code: string;
  message: string;
  /** Why this node became active; null where it stopped being so. */
  cause: SwitchCause | null;
  /** As HeartEvent says; null where it is not known. */
  outage_ms: number | null;
}

export const SWITCH_EVENTS = ["became-active", "handed-over", "yielded"];
/** The last announcement of the shared addresses has left by then (core/announcer.ts). */
const ANNOUNCED_MS = 3000;
/** The backup has answered by then, with its heartbeats. */
const MAINTENANCE_MS_MAX = 3000;
/** A heart that did not answer is told its configuration again. */
const CONFIGURE_RETRY_MS = 1000;
/** A heart that lives speaks five times a second. */
const HEART_MS_MAX = 2000;
const NOTHING_YET = "The heartbeat process has not reported yet.";

export class Node {
  readonly #options: NodeOptions;
  readonly store: Store;
  readonly events: Events;
  readonly settings: SettingsService;
  readonly administration: Administration;
  readonly pairing: Pairing;
  readonly captures: Captures;
  readonly cards: CardKeeper;
  web: Status["web"] = null;
  /** Of the web interface; null without one. */
  sessions: Pick<Sessions, "ended" | "takeEnded"> | null = null;
  readonly #heart: HeartProcess;
  readonly #replicator: Replicator;
  readonly #erasure: Erasure;
  readonly #hooks: Hooks;
  readonly #firewall: FirewallKeeper;
  readonly updater: Updater;
  /** A request to the own web interface; true where there is none. */
  probeWeb: () => Promise<boolean> = async () => true;
  readonly #services: Services;
  #cluster: ClusterState | null;
  #term: number;
  #snapshot: Snapshot | null = null;
  #snapshot_ms = Number.NEGATIVE_INFINITY;
  #ending = false;
  #forgetting = false;
  #watching: Timer | undefined;
  #keeping: Timer | undefined;
  #configuring = 0;

  constructor(options: NodeOptions) {
    this.#options = options;
    this.store = new Store(options.state);
    const database = openSettings(this.store);
    this.events = new Events(options.state);
    this.#cluster = this.store.cluster();
    this.#term = this.store.term();
    this.#hooks = new Hooks(
      options.hooks ?? null,
      () => ({ term: this.#term, settings_revision: this.settings.revision, run: options.run }),
      (code, severity, message) => this.events.add(code, severity, message),
    );
    this.#firewall = new FirewallKeeper(FIREWALL_KERNEL, (code, severity, message) =>
      this.events.add(code, severity, message),
    );
    this.settings = new SettingsService(database, {
      term: () => this.#term,
      demand: (before, after) => this.#demandChange(before, after),
      changed: ({ number, author }) => {
        void this.#configureHeart({ settings_only: true });
        this.#services.changed();
        this.events.add("settings-changed", "info", `The settings were changed by ${author} (revision ${number}).`);
        this.#hooks.settingsChanged();
      },
    });
    this.administration = new Administration(options.state, this.settings, () => this.situation());
    this.updater = new Updater(this.#updaterHost());
    this.#replicator = new Replicator({
      update: this.updater.link,
      events: this.events,
      settings: this.settings,
      saveTimings: (timings) => this.#saveTimings(timings),
      reconfigure: () => void this.#configureHeart(),
      maintain: (on) => this.#maintain(on),
      endedSessions: () => this.sessions?.ended() ?? [],
      takeEndedSessions: (ended) => this.sessions?.takeEnded(ended),
    });
    this.settings.confirm = this.#replicator.confirm;
    if (database.went_back !== null)
      this.events.add(
        "settings-went-back",
        "warning",
        `The settings of before the update apply, revision ${this.settings.revision}; what was changed after it, up to revision ${database.went_back.from_revision}, is set aside.`,
      );
    for (const warning of this.store.warnings) this.events.add("state-damaged", "warning", warning);
    this.pairing = new Pairing(this.#pairingHost());
    this.captures = this.#newCaptures();
    this.cards = new CardKeeper(
      options.state,
      () => ({ interfaces: this.settings.current.interfaces, cluster_nic: this.#membership()?.nic ?? null }),
      this.events,
    );
    this.#erasure = this.#newErasure();
    this.#heart = new HeartProcess(
      {
        snapshot: (snapshot) => this.#takeSnapshot(snapshot),
        event: ({ code, severity, message, cause, outage_ms }) =>
          this.events.add(code, severity, message, {
            ...(cause === undefined ? {} : { cause }),
            ...(outage_ms === undefined ? {} : { outage_ms }),
          }),
        capture: (piece) => this.captures.take(piece),
      },
      () => spawnHeart(options.watchdog ?? null),
    );
    this.#services = this.#newServices();
  }

  #newServices(): Services {
    return new Services({
      run: this.#options.run,
      conntrackd: this.#options.conntrackd ?? null,
      addresses: () => this.settings.current.interfaces.flatMap(({ addresses }) => addresses),
      cluster: () => {
        const cluster = this.#membership();
        if (cluster === null) return null;
        const { id, nic, node } = cluster;
        return { nic, own_address: addressOf(id, node), peer_address: addressOf(id, node === 1 ? 2 : 1) };
      },
      handOverFor: () => this.settings.current.services.hand_over,
      report: (code, severity, message) => this.events.add(code, severity, message),
      unfit: (reason) => {
        this.#heart.unfit = reason;
      },
      switchOver: () => this.switchOver(),
    });
  }

  start(): void {
    this.events.add("started", "info", `understudy ${VERSION} build ${BUILD} starts.`);
    this.#hooks.started();
    this.#replicator.follow(this.#membership());
    // Before the heart brings interfaces up and gives them addresses.
    this.#applyFirewall();
    this.#keeping = setInterval(() => this.#firewall.check(), FIREWALL_LOOK_MS);
    this.#heart.start(this.#configuration(false));
    this.#setLinks(false);
    this.#services.start();
    const watch = new InterfaceWatch(
      watchedKernel(() => void this.#configureHeart()),
      (code, severity, message) => this.events.add(code, severity, message),
    );
    this.#watching = setInterval(() => {
      // Links follow new settings in an order of their own.
      if (this.#configuring === 0) watch.check(this.#watched());
    }, WATCH_INTERVAL_MS);
    this.pairing.resume();
    void this.updater.start();
    this.cards.look();
    for (const { code, message } of this.cards.alarms) this.events.add(code, "warning", message);
  }

  #watched(): WatchedInterface[] {
    const is_fresh = performance.now() - this.#snapshot_ms < WATCH_INTERVAL_MS;
    const holds = is_fresh && (this.#snapshot?.addresses.some(({ held }) => held) ?? false);
    const situation = { cluster_nic: this.#membership()?.nic, holds, is_pairing: this.pairing.active };
    return watchedInterfaces(this.settings.current.interfaces, situation);
  }

  async stop(): Promise<void> {
    this.#ending = true;
    this.updater.stop();
    clearInterval(this.#watching);
    clearInterval(this.#keeping);
    this.pairing.stop();
    this.#erasure.stop();
    // Beside the hand-over, which waits for nobody.
    const told = this.#hooks.stop();
    await this.#heart.stop();
    // Only now: until the peer has taken over it is told of connections.
    await this.#services.stop();
    disarmWatchdog(openShim(), this.#options.watchdog ?? null);
    this.#replicator.stop();
    await told;
    this.settings.close();
  }

  status(): Status {
    const snapshot = this.#snapshot;
    const pairing = this.pairing.status();
    return {
      name: this.settings.current.server.name,
      version: VERSION,
      build: BUILD,
      uptime_s: Math.floor(process.uptime()),
      term: 0,
      operational: false,
      paths: [],
      addresses: [],
      dropped: {},
      gate: "none",
      realtime: false,
      memory_locked: false,
      watchdog: null,
      ...snapshot,
      alarms: [
        ...(snapshot?.alarms ?? []),
        ...this.cards.alarms,
        ...this.#firewallAlarms(),
        ...this.#services.alarms(),
      ],
      peer: this.#shownPeer(),
      role: this.#shownRole(),
      reason: pairing?.waiting ?? (snapshot === null ? NOTHING_YET : snapshot.reason),
      settings_revision: this.settings.revision,
      sync: this.#replicator.sync(),
      maintenance: this.#membership()?.maintenance ?? false,
      pairing,
      switches: this.events
        .latest(500)
        .filter(({ code }) => SWITCH_EVENTS.includes(code))
        .slice(-5)
        .map(({ at, code, message, cause = null, outage_ms = null }) => ({ at, code, message, cause, outage_ms })),
      license: this.administration.license(),
      update: this.updater.status(),
      web: this.web,
      services: this.#services.reports(),
    };
  }

  #firewallAlarms(): Snapshot["alarms"] {
    const { trouble } = this.#firewall;
    return trouble === null ? [] : [{ code: "firewall-failed", message: trouble }];
  }

  #shownRole(): Status["role"] {
    if (this.pairing.status()?.side === "joiner") return "joining";
    const role = this.#snapshot?.role ?? "starting";
    return role === "departed" ? "standalone" : role;
  }

  #shownPeer(): Status["peer"] {
    const peer = this.#snapshot?.peer ?? null;
    return peer === null ? null : { ...peer, uptime_s: peer.heard ? this.#replicator.peerUptime_s() : null };
  }

  doctor(): Finding[] {
    this.cards.look();
    const status = this.status();
    return diagnose(
      gatherFacts({
        ...this.cards.use(),
        state_directory: this.#options.state,
        status,
        firewall_trouble: this.#firewall.trouble,
      }),
    );
  }

  /** The peer ends them too. */
  tellEndedSessions(ended: EndedSession[]): void {
    this.#replicator.tellEndedSessions(ended);
  }

  /** What both nodes know and nobody else; null while this one is alone. */
  clusterKey(): string | null {
    return this.#membership()?.key ?? null;
  }

  /** What the rules of a cluster look at. */
  situation(): Situation {
    const peer = this.#snapshot?.peer ?? null;
    return {
      in_cluster: this.#membership() !== null,
      active: this.#snapshot?.role === "active",
      versions_differ: peer?.heard === true && (peer.version !== VERSION || peer.build !== BUILD),
    };
  }

  /** Throws Failure `pairing`, or the code of a rule (rules.ts). */
  #demandChange(before: Settings, after: Settings): void {
    // The peer takes over the settings as they were when pairing began, and matched. What comes after replicates.
    if (this.pairing.active && this.#membership() === null)
      throw new Failure(
        "pairing",
        "This node is pairing, which fixes its settings; wait for its end or cancel it first.",
      );
    demandChangeAllowed(before, after, this.situation(), this.#membership()?.nic ?? null);
  }

  switchOver(): Promise<void> {
    if (this.#membership() === null)
      throw new Failure("standalone", "This node is in no cluster; there is nobody to switch to.");
    return this.#heart.switchOver();
  }

  /**
   * The backup does not take over, or does again: asked on the active node or on the backup itself. Throws Failure
   * `standalone`, `peer-silent`, or `no-answer`.
   */
  async maintain(on: boolean): Promise<void> {
    const cluster = this.#membership();
    if (cluster === null)
      throw new Failure("standalone", "This node is in no cluster; there is no backup that could take over.");
    if (this.#snapshot?.role !== "active") return this.#maintain(on);
    const { peer_name } = cluster;
    if (!this.#snapshot.peer?.heard || !this.#replicator.tellMaintenance(on))
      throw new Failure(
        "peer-silent",
        `${peer_name} cannot be reached over the cluster network; run \`understudy cluster maintenance ${on ? "on" : "off"}\` there.`,
      );
    const deadline_ms = performance.now() + MAINTENANCE_MS_MAX;
    while (this.#snapshot.peer?.unwilling !== on) {
      if (performance.now() >= deadline_ms)
        throw new Failure(
          "no-answer",
          `${peer_name} does not say that it ${on ? "is in maintenance" : "takes over again"}; see its status.`,
        );
      await Bun.sleep(50);
    }
  }

  #maintain(on: boolean): void {
    const cluster = this.#membership();
    if (cluster === null || this.#snapshot?.role === "active" || (cluster.maintenance ?? false) === on) return;
    this.#saveCluster({ ...cluster, maintenance: on });
    void this.#configureHeart();
    const message = on
      ? "This node is in maintenance and does not take over, whatever happens to the active one."
      : "Maintenance has ended; this node takes over again.";
    this.events.add(on ? "maintenance" : "maintenance-ended", on ? "warning" : "info", message);
  }

  /**
   * This node goes on alone with its settings; the other one is reset to a fresh install, now or when it returns (S20).
   * Throws Failure `standalone`, `not-active`, or what kept the peer from handing over.
   */
  async destroy(): Promise<void> {
    const cluster = this.#membership();
    if (cluster === null) throw new Failure("standalone", "This node is in no cluster; there is nothing to destroy.");
    if (this.#snapshot?.role === "backup") await this.#heart.takeOver();
    else if (this.#snapshot?.role !== "active")
      throw new Failure(
        "not-active",
        "This node is not active and hears no active peer; see its status, and try again when one of the two is active.",
      );
    this.#saveCluster({ ...cluster, departed: true });
    void this.#configureHeart();
    this.events.add(
      "cluster-destroyed",
      "warning",
      `The cluster was destroyed; this node goes on alone, and ${cluster.peer_name} is reset to a fresh install.`,
    );
  }

  /** The cluster that this node is a part of: not one that it has left. */
  #membership(): ClusterState | null {
    return this.#cluster?.departed ? null : this.#cluster;
  }

  /** What updates need of this node. */
  #updaterHost(): UpdaterHost {
    return {
      state_directory: this.#options.state,
      boot: this.#options.boot ?? null,
      events: this.events,
      surroundings: () => {
        const cluster = this.#membership();
        const snapshot = this.#snapshot;
        return surroundingsOf(snapshot, {
          cluster,
          heart: performance.now() - this.#snapshot_ms < HEART_MS_MAX,
          in_sync: cluster !== null && this.#replicator.sync().state === "in-sync",
        });
      },
      probeWeb: () => this.probeWeb(),
      handOver: () => this.#heart.switchOver(),
      reboot: () => this.power("reboot"),
      tell: (message) => this.#replicator.tellUpdate(message),
    };
  }

  /** What pairing needs of this node. */
  #pairingHost(): PairingHost {
    const node = this;
    return {
      store: this.store,
      get in_cluster() {
        return node.#membership() !== null;
      },
      identify: (nic, name) => {
        demandCard(
          nic,
          this.settings.current.interfaces.map((entry) => entry.nic),
        );
        const { server } = parseSettings({
          ...this.settings.current,
          server: { name: name ?? this.settings.current.server.name },
        });
        return { name: server.name, nic, license: this.settings.current.license };
      },
      demandMatches: (matches) => {
        demandFitForCluster(this.settings.current);
        demandMatches(this.settings.current, matches);
      },
      bequest: () => ({ settings: this.settings.bequest(), settings_revision: this.settings.revision }),
      joined: (agreement, identity) => this.#joined(agreement, identity),
      created: (agreement, identity) => this.#created(agreement, identity),
      // While this node looks for a new peer it tells the one before nothing; on that cable it would be a third node.
      pairingChanged: async () => {
        if (this.#cluster?.departed) await this.#configureHeart();
      },
      restart: () => this.#restartInPlaceOrReboot(),
      warn: (code, message) => this.events.add(code, "warning", message),
    };
  }

  #joined(agreement: Agreement, identity: Identity): void {
    const cluster = clusterOf(agreement, identity, 2);
    const { settings } = agreement.bequest;
    const taken = inherited(settings, slotsOf(agreement, "creator"), slotsOf(agreement, "joiner"), identity.name);
    this.store.saveJoined(cluster, taken, () => {
      this.settings.inherit(taken);
      // Never the one without the other, whatever the disk says next: these settings hold the peer's addresses.
      this.#term = 0;
      this.#cluster = cluster;
    });
    this.events.add("cluster-joined", "info", `This node is now the backup of ${agreement.peer.name}.`);
  }

  #created(agreement: Agreement, identity: Identity): void {
    this.settings.bequeath(agreement.bequest.settings, slotsOf(agreement, "creator"));
    this.#saveCluster(clusterOf(agreement, identity, 1));
    void this.#configureHeart({ bootstrap: true });
    this.events.add(
      "cluster-created",
      "info",
      `Communication with the server ${agreement.peer.name} has been established; it is the backup of this node.`,
    );
  }

  /**
   * A driver takes its time to bring a link up or down, longer than a lease lasts; so that is done here, before
   * the heart uses it, or once the heart has let go of it.
   */
  async #configureHeart({ bootstrap = false, settings_only = false } = {}): Promise<void> {
    this.#configuring++;
    try {
      // First, so that an interface that is new or has another role is never without its rules.
      this.#applyFirewall();
      this.#setLinks(true);
      // A cluster that the node has entered or left since.
      this.#replicator.follow(this.#membership());
      this.#services.changed();
      const configuration = this.#configuration(bootstrap);
      const is_done = await this.#replicator.whileConfiguring(() =>
        settings_only ? this.#heart.follow(configuration) : this.#heart.configure(configuration),
      );
      this.#setLinks(false);
      if (!is_done) setTimeout(() => this.#ending || void this.#configureHeart(), CONFIGURE_RETRY_MS);
    } finally {
      this.#configuring--;
    }
  }

  #applyFirewall(): void {
    const { web_port = null } = this.#options;
    this.#firewall.apply(firewallOf(this.settings.current, this.#membership()?.nic, web_port));
  }

  /** Links of enabled interfaces up, or those of disabled ones down: these must not carry traffic past the gate. */
  #setLinks(up: boolean): void {
    const shim = openShim();
    try {
      const links = listLinks(shim);
      for (const { nic, enabled = true } of this.settings.current.interfaces) {
        const link = links.find(({ name }) => name === nic);
        if (enabled === up && link !== undefined && link.up !== up) setLinkUp(shim, link, up);
      }
    } catch (error) {
      this.events.add("link-refused", "error", `An interface cannot be set ${up ? "up" : "down"}: ${sentence(error)}.`);
    }
  }

  /** Reboots the server or turns it off: the peer takes over first, by the clean stop. Throws Failure `no-command`. */
  power(way: PowerWay): void {
    const command = powerCommand(this.#options, way);
    if (this.#ending) return;
    this.#ending = true;
    this.events.add(way, "warning", way === "reboot" ? "This server reboots." : "This server turns off.");
    endWith(command, () => this.stop());
  }

  #restartInPlaceOrReboot(): void {
    const command = this.#options.reboot_command;
    if (command === null) {
      this.#hooks.settingsChanged();
      return void this.#configureHeart();
    }
    endWith(command, () => this.stop());
  }

  #takeSnapshot(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    this.#snapshot_ms = performance.now();
    this.#replicator.takeSnapshot(snapshot);
    this.#hooks.role(snapshot.role);
    this.#services.situation(settledRole(snapshot.role), snapshot.peer);
    if (this.#cluster !== null && snapshot.term > this.#term) this.#saveTerm(snapshot.term);
    if (snapshot.role === "departed" && snapshot.peer?.role === "erased") this.#forgetCluster();
    if (snapshot.role === "erased") this.#erasure.start();
    else this.#erasure.forget();
  }

  /** The peer knows that the cluster is gone: nothing is left to tell, once the addresses have been announced again. */
  #forgetCluster(): void {
    if (this.#forgetting) return;
    this.#forgetting = true;
    setTimeout(() => {
      this.#forgetting = false;
      if (this.#cluster?.departed) this.#tryToStore(() => this.#saveCluster(null));
      if (this.#cluster === null) void this.#configureHeart();
    }, ANNOUNCED_MS);
    if (this.#cluster === null) return;
    this.events.add(
      "peer-erased",
      "info",
      `${this.#cluster.peer_name} knows that the cluster is gone, and resets itself.`,
    );
  }

  /** Told by the peer that the cluster is gone: back to a fresh install, once the peer had time to hear that we know. */
  #newErasure(): Erasure {
    return new Erasure({
      begin: () => this.store.beginErasure(),
      erase: () => this.settings.erase(() => this.store.erase()),
      done: () => {
        this.#cluster = null;
        this.#term = 0;
        this.#restartInPlaceOrReboot();
      },
      failed: (message) => this.events.add("state-unwritable", "error", message),
    });
  }

  #newCaptures(): Captures {
    const version = `version ${VERSION} build ${BUILD}`;
    return new Captures(this.#options.state, {
      facts: () => {
        // The heart knows no wall clock: its times are told by the one of this moment.
        const booted_ms = Date.now() - openShim().now();
        return {
          node: `${this.settings.current.server.name}, ${version},`,
          application: `understudy ${version}`,
          wall_ms: (since_boot_ms) => booted_ms + since_boot_ms,
        };
      },
      now_ms: () => performance.now(),
      failed: (message) => this.events.add("state-unwritable", "error", message),
    });
  }

  #saveTerm(term: number): void {
    this.#term = term;
    this.#heart.rememberTerm(term);
    this.#tryToStore(() => this.store.saveTerm(term));
  }

  /** Where nobody waits for an answer: a disk that refuses is an event, not the end of the node. */
  #tryToStore(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.events.add("state-unwritable", "error", sentence(error));
    }
  }

  #saveTimings(timings: Tuning[]): void {
    if (this.#cluster === null) return;
    const cluster = { ...this.#cluster, timings };
    this.#cluster = cluster;
    this.#tryToStore(() => this.store.saveCluster(cluster));
  }

  #saveCluster(cluster: ClusterState | null): void {
    this.store.saveCluster(cluster);
    this.#cluster = cluster;
  }

  #configuration(bootstrap: boolean): HeartConfiguration {
    const { settings } = this;
    const cluster = !this.pairing.active ? this.#cluster : this.#membership();
    return heartConfiguration(settings, cluster, {
      tuning: this.#replicator.tuning(tuningOf(settings.current)),
      term_floor: this.#term,
      bootstrap,
    });
  }
}
