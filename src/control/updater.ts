/**
 * Updates of this node and of its cluster: looks at the facts once a second, and does what update/plan.ts says that follows from
 * them. All of it is in the control process; the heart, which carries the traffic, is another one.
 */
import { Failure, sentence } from "../errors.ts";
import { SETTINGS_SCHEMA } from "../settings/migration.ts";
import { BootDirectory, selectedEntry } from "../update/boot-files.ts";
import { demandSuitable, type Manifest, readHeader } from "../update/bundle.ts";
import { Trial } from "../update/health.ts";
import type { Release } from "../update/image.ts";
import {
  type Action,
  type Facts,
  isUnderWay,
  nextAction,
  type Order,
  type PeerFacts,
  type Plan,
  type Report,
} from "../update/plan.ts";
import { type BootFiles, isOnTrial, isUsedUp, SlotStore, type Slots, startedNext } from "../update/slots.ts";
import { Staging } from "../update/staging.ts";
import { BUILD, VERSION } from "../version.ts";
import type { Events } from "./events.ts";
import type { UpdateLink, UpdateMessage } from "./replication.ts";
import { Download } from "./update-download.ts";
import { PlanKeeper } from "./update-plan.ts";
import { bootClock, TrialNotes } from "./update-trial.ts";
import { stepOf } from "./update-words.ts";

const TICK_MS = 1000;
const TELL_INTERVAL_MS = 2000;
/** What failed for a passing reason is tried again then. */
const RETRY_MS = 5000;
/** A reboot, its firmware and a trial that ends well are over by then. */
const LONG_AWAY_MS = 600_000;
const SWITCHES_MAX = 20;

/** The node and its cluster at this moment. */
export interface Surroundings extends Pick<Facts, "node" | "role" | "cluster" | "in_sync" | "maintenance"> {
  peer: Omit<PeerFacts, "report" | "long_away"> | null;
  /** The heart's word is fresh. */
  heart: boolean;
}

export interface UpdaterHost {
  state_directory: string;
  /** The firmware's partition; null where this node's software is not updated by itself. */
  boot: string | BootFiles | null;
  events: Pick<Events, "add" | "latest">;
  surroundings(): Surroundings;
  /** A request to this node's own page; true where it has none. */
  probeWeb(): Promise<boolean>;
  handOver(): Promise<void>;
  /** Throws Failure `no-command`. */
  reboot(): void;
  tell(message: UpdateMessage): boolean;
  /** What runs, and the clock that goes on while this process is started again; others for tests. */
  running?: { version: string; build: number };
  now_ms?: () => number;
}

export interface UpdateStatus {
  /** Why there are no updates here; null where there are. */
  unavailable: string | null;
  running: Omit<Release, "commit"> & { blessed: boolean };
  /** In the other slot. */
  other: (Release & { state: "blessed" | "next" | "refused" | "failed" }) | null;
  staged: { version: string; build: number; received_bytes: number; total_bytes: number } | null;
  plan: Plan | null;
  /** What this node does or waits for. */
  step: string | null;
  peer: Report | null;
  /** Each takeover since the plan began: who became active, and for how long nobody was. */
  switches: ({ node: "this" | "peer" } & Report["switches"][number])[];
}

export class Updater {
  readonly #host: UpdaterHost;
  readonly #now_ms: () => number;
  readonly #running: { version: string; build: number };
  readonly #staging: Staging;
  readonly #download: Download;
  readonly #notes: TrialNotes;
  readonly #plans: PlanKeeper;
  readonly link: UpdateLink;
  #store: SlotStore | null = null;
  #slots: Slots | null = null;
  #unavailable: string | null = "The node is starting.";
  #trial: Trial | null = null;
  #peer_report: Report | null = null;
  #step: string | null = null;
  #told_report = "";
  #told_ms = Number.NEGATIVE_INFINITY;
  #peer_heard_ms: number;
  #retry_ms = Number.NEGATIVE_INFINITY;
  #busy = false;
  #leaving = false;
  #timer: Timer | undefined;

  constructor(host: UpdaterHost) {
    this.#host = host;
    this.#now_ms = host.now_ms ?? bootClock;
    this.#peer_heard_ms = this.#now_ms();
    this.#running = host.running ?? { version: VERSION, build: BUILD };
    this.#notes = new TrialNotes(host.state_directory);
    this.#plans = new PlanKeeper(host.state_directory, host.events, (plan) => this.#planChanged(plan));
    this.#staging = new Staging(host.state_directory, { demand: (manifest) => this.#demandSuitable(manifest) });
    this.#download = new Download(this.#staging, (message) => host.tell(message));
    this.link = {
      connected: () => this.#tell(true),
      disconnected: () => {
        this.#peer_report = null;
        this.#download.disconnected();
      },
      message: (message) => this.#take(message),
    };
  }

  /** Finds out what runs, and ends what a power cut has interrupted; then goes on by itself. */
  async start(): Promise<void> {
    await this.prepare();
    this.#timer = setInterval(() => void this.tick(), TICK_MS);
  }

  async prepare(): Promise<void> {
    const { boot } = this.#host;
    if (boot === null) {
      this.#unavailable = "This node was started without --boot, so its software is updated by whoever maintains it.";
      return;
    }
    try {
      const files = typeof boot === "string" ? new BootDirectory(boot) : boot;
      this.#store = new SlotStore(files, { build: this.#running.build, selected: selectedEntry() });
      await this.#store.cleanUp();
      await this.#look();
      await this.#staging.resume();
      this.#unavailable = null;
    } catch (error) {
      this.#store = null;
      this.#unavailable = sentence(error);
      return this.#event("update-unavailable", "warning", this.#unavailable);
    }
    const { running, other } = this.#demandSlots();
    if (isOnTrial(running)) {
      this.#trial = new Trial(this.#notes.begin(running.name, this.#now_ms()));
      this.#event(
        "update-trial",
        "info",
        `${this.#name()} runs on trial, and goes back by itself unless it proves itself.`,
      );
    }
    if (other?.release && isUsedUp(other)) this.#concludeFailure(other.release);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#leaving = true;
    this.#download.disconnected();
  }

  #concludeFailure({ version, build }: Release): void {
    const { failure, is_news } = this.#notes.concludeFailure(build, this.#plans.current?.id ?? null);
    if (!is_news) return;
    this.#event(
      "update-fell-back",
      "error",
      `${version} build ${build} did not prove itself on this node (${failure.reason}); ${this.#name()} is back.`,
    );
  }

  /** One look at everything, and what follows from it. */
  async tick(): Promise<void> {
    if (this.#busy || this.#leaving || this.#store === null) return;
    this.#busy = true;
    try {
      await this.#judgeTrial();
      if (!this.#isLeaving()) await this.#goOn();
    } catch (error) {
      this.#trouble(error);
    } finally {
      this.#busy = false;
    }
  }

  #isLeaving(): boolean {
    return this.#leaving;
  }

  async #judgeTrial(): Promise<void> {
    const trial = this.#trial;
    if (trial === null) return;
    const { heart, cluster, peer } = this.#host.surroundings();
    const vitals = {
      heart,
      settings: true,
      peer: cluster === null || peer?.heard === true || this.#plans.current?.alone === true,
      web: await this.#host.probeWeb(),
    };
    const verdict = trial.judge(this.#now_ms(), vitals);
    if (verdict.kind === "wait") return;
    if (verdict.kind === "bless") {
      await this.#store?.bless();
      await this.#look();
      this.#notes.end();
      this.#trial = null;
      return this.#event("update-proved", "info", `${this.#name()} has proved itself on this node.`);
    }
    this.#trial = null;
    const { build } = this.#running;
    this.#notes.noteFailure({ build, reason: verdict.reason, plan: this.#plans.current?.id ?? null, told: false });
    this.#event("update-unwell", "error", `${this.#name()} has not proved itself in time (${verdict.reason}).`);
    this.#reboot();
  }

  async #goOn(): Promise<void> {
    const facts = this.#facts();
    const action = nextAction(facts);
    const waits = this.#now_ms() < this.#retry_ms;
    if (!waits || action.kind === "wait" || action.kind === "finish") this.#say(action, facts.peer);
    this.#tell(false);
    if (!waits) await this.#carryOut(action);
  }

  #facts(): Facts {
    const { peer, heart: _, ...surroundings } = this.#host.surroundings();
    if (peer?.heard) this.#peer_heard_ms = this.#now_ms();
    const long_away = this.#now_ms() - this.#peer_heard_ms > LONG_AWAY_MS;
    return {
      ...surroundings,
      plan: this.#plans.current,
      me: this.#report(),
      peer: peer === null ? null : { ...peer, long_away, report: this.#peer_report },
    };
  }

  async #carryOut(action: Action): Promise<void> {
    const plan = this.#plans.current;
    const store = this.#store;
    if (plan === null || store === null) return;
    switch (action.kind) {
      case "fetch":
        return this.#download.run(plan.target.sha256, () => this.#plans.current?.state === "running" && !this.#leaving);
      case "write": {
        const manifest = this.#staging.staged?.manifest;
        if (manifest === undefined) return;
        await store.write(manifest, this.#staging.chunks());
        return this.#look();
      }
      case "hand-over":
        return this.#host.handOver();
      case "refuse-other":
        await store.refuseOther();
        return this.#look();
      case "reboot":
        if (action.prepare === "other") await store.preferOther();
        return this.#reboot();
      case "finish":
        return this.#plans.change({ state: action.state, reason: action.reason });
    }
  }

  #reboot(): void {
    this.#leaving = true;
    try {
      this.#host.reboot();
    } catch (error) {
      this.#leaving = false;
      throw error;
    }
  }

  /** What may pass is tried again, and anything else ends the plan. */
  #trouble(error: unknown): void {
    const passing = error instanceof Failure && !["slot-damaged", "bundle-chunk", "no-command"].includes(error.code);
    this.#retry_ms = this.#now_ms() + RETRY_MS;
    const text = sentence(error);
    if (this.#step !== text) this.#event("update-waits", "warning", text);
    this.#step = text;
    if (!passing && isUnderWay(this.#plans.current) && this.#plans.current?.state !== "aborting")
      this.#plans.change({ state: "failed", reason: text });
  }

  // What administrators ask for.

  status(): UpdateStatus {
    const slots = this.#slots;
    const { staged } = this.#staging;
    const other = slots?.other;
    return {
      unavailable: this.#unavailable,
      running: { ...this.#running, blessed: this.#isBlessed() },
      other: !other?.release ? null : { ...other.release, state: this.#stateOfOther() },
      staged:
        staged === null
          ? null
          : {
              version: staged.manifest.version,
              build: staged.manifest.build,
              received_bytes: staged.received_bytes,
              total_bytes: staged.total_bytes,
            },
      plan: this.#plans.current,
      step: this.#step,
      peer: this.#peer_report,
      switches: [
        ...this.#switches().map((entry) => ({ node: "this" as const, ...entry })),
        ...(this.#peer_report?.switches ?? []).map((entry) => ({ node: "peer" as const, ...entry })),
      ].sort((one, other) => one.at.localeCompare(other.at)),
    };
  }

  #isBlessed(): boolean {
    return this.#slots === null || !isOnTrial(this.#slots.running);
  }

  #stateOfOther(): "blessed" | "next" | "refused" | "failed" {
    const other = this.#slots?.other;
    if (!other || other.tries === null) return "blessed";
    if (isUsedUp(other)) return "failed";
    return other.tries.left > 0 ? "next" : "refused";
  }

  /** What a bundle with these first bytes would do here. Throws what speaks against it. */
  async check(beginning: Buffer): Promise<Omit<Manifest, "chunks_sha256">> {
    const header = readHeader(beginning);
    if (header === null)
      throw new Failure("bundle-damaged", "The beginning of the update is cut off; give the whole file.");
    await this.#demandSuitable(header.manifest);
    const { chunks_sha256: _, ...manifest } = header.manifest;
    return manifest;
  }

  async upload(offset: number, bytes: Buffer): Promise<{ received_bytes: number; complete: boolean }> {
    this.#demandAvailable();
    this.#demandIdle();
    return await this.#staging.put(offset, bytes);
  }

  begin({ order, alone }: { order: Order; alone: boolean }): void {
    this.#demandAvailable();
    this.#demandIdle();
    const { staged } = this.#staging;
    if (staged === null)
      throw new Failure("no-bundle", "There is no whole update on this node; give it the file first.");
    const { manifest, received_bytes, total_bytes } = staged;
    if (!this.#staging.has(manifest.sha256))
      throw new Failure(
        "bundle-damaged",
        `The update is cut off, ${received_bytes} of ${total_bytes} bytes are here; copy or download the file again, as a whole.`,
      );
    const { version, build, sha256 } = manifest;
    demandSuitable(manifest, { build: this.#running.build, settings_schema: SETTINGS_SCHEMA });
    const { node, peer, cluster } = this.#demandServing();
    if (peer !== null) this.#demandPeer(peer, manifest, alone);
    const other = node === 1 ? 2 : 1;
    this.#notes.forgetFailure();
    this.#plans.make({
      cluster,
      target: { version, build, sha256 },
      order,
      first: peer?.heard && order === "backup-first" ? other : node,
      alone,
      state: "running",
      reason: null,
    });
  }

  #demandPeer(
    { name, heard }: Pick<PeerFacts, "name" | "heard">,
    { from_build_min, build }: Manifest,
    alone: boolean,
  ): void {
    if (alone) return;
    if (!heard)
      throw new Failure(
        "peer-away",
        `${name} is not heard, so nobody would serve while this node restarts; wait for it, or start the update with --alone.`,
      );
    const report = this.#peer_report;
    if (report === null)
      throw new Failure(
        "peer-silent",
        `${name} cannot be told of the update over the cluster network; see the status of both nodes, or start it with --alone.`,
      );
    if (report.build !== build && report.build < from_build_min)
      throw new Failure(
        "update-too-far",
        `${name} runs build ${report.build}, and the update needs ${from_build_min}; update it first.`,
      );
  }

  pause(): void {
    if (this.#plans.current?.state !== "running")
      throw new Failure("no-update", "No update is under way that could be paused.");
    this.#plans.change({ state: "paused", reason: "Paused by an administrator." });
  }

  resume(): void {
    if (this.#plans.current?.state !== "paused") throw new Failure("no-update", "No update is paused.");
    this.#plans.change({ state: "running", reason: null });
  }

  /** Both nodes go back to where they came from. */
  abort(): void {
    const plan = this.#plans.current;
    if (plan === null || !["running", "paused", "failed"].includes(plan.state))
      throw new Failure(
        "no-update",
        "No update is under way; `understudy update restore` goes back from a finished one.",
      );
    this.#plans.change({ state: "aborting", reason: "An administrator aborted it." });
  }

  /** Back to the version in the other slot, on both nodes. Settings that were changed since may be lost. */
  restore({ alone }: { alone: boolean }): void {
    this.#demandAvailable();
    this.#demandIdle();
    const other = this.#slots?.other;
    if (!other?.release) throw new Failure("no-previous", "There is no other version on this node to go back to.");
    if (isUsedUp(other))
      throw new Failure(
        "no-previous",
        `The other version on this node, build ${other.release.build}, did not prove itself.`,
      );
    const { node, peer, cluster } = this.#demandServing();
    if (peer !== null && !alone && !peer.heard)
      throw new Failure("peer-away", `${peer.name} is not heard; wait for it, or restore with --alone.`);
    const report = this.#peer_report;
    if (report !== null && report.build === this.#running.build && report.other_build === null)
      throw new Failure("no-previous", `There is no other version on ${peer?.name} to go back to.`);
    this.#plans.make({
      cluster,
      target: { ...this.#running, sha256: "0".repeat(64) },
      order: "backup-first",
      first: node,
      alone,
      state: "aborting",
      reason: "The previous version was restored.",
    });
  }

  #demandAvailable(): void {
    if (this.#unavailable !== null) throw new Failure("no-updates", this.#unavailable);
  }

  #demandIdle(): void {
    if (isUnderWay(this.#plans.current))
      throw new Failure(
        "update-under-way",
        "An update is under way; wait for its end, or abort it with `understudy update abort`.",
      );
    if (this.#trial !== null)
      throw new Failure("update-trial", `${this.#name()} still proves itself on this node; wait for that.`);
  }

  /** In a cluster updates are asked for on the active node. */
  #demandServing(): Surroundings {
    const surroundings = this.#host.surroundings();
    if (surroundings.role === "active" || surroundings.role === "standalone") return surroundings;
    throw new Failure("not-active", "Updates are started on the active node; this one is told by it what to do.");
  }

  async #demandSuitable(manifest: Manifest): Promise<void> {
    demandSuitable(manifest, { build: this.#running.build, settings_schema: SETTINGS_SCHEMA });
    await this.#store?.demandRoom(manifest.size_bytes);
  }

  #take(message: UpdateMessage): void {
    if (message.type === "bundle-part") return this.#download.take(message);
    if (message.type === "bundle-wanted") return void this.#download.answer(message.sha256, message.offset);
    this.#peer_report = message.report;
    try {
      this.#plans.merge(message.plan, this.#host.surroundings().cluster);
    } catch (error) {
      this.#trouble(error);
    }
  }

  #planChanged(plan: Plan): void {
    this.#retry_ms = Number.NEGATIVE_INFINITY;
    if (!isUnderWay(plan)) this.#step = null;
    if (plan.state === "done" || plan.state === "aborted") void this.#staging.discard().catch(() => {});
    this.#tell(true);
  }

  /** Whoever cannot be updated has nothing to say, and is asked for nothing. */
  #tell(at_once: boolean): void {
    if (this.#store === null) return;
    const report = this.#report();
    const text = JSON.stringify([this.#plans.current, report]);
    const now_ms = this.#now_ms();
    if (!at_once && text === this.#told_report && now_ms - this.#told_ms < TELL_INTERVAL_MS) return;
    if (!this.#host.tell({ type: "update", plan: this.#plans.current, report })) return;
    this.#told_report = text;
    this.#told_ms = now_ms;
  }

  #report(): Report {
    const slots = this.#slots;
    const other_build = slots?.other?.release?.build ?? null;
    const next = slots === null ? null : startedNext([slots.running, ...(slots.other === null ? [] : [slots.other])]);
    const failure = this.#notes.failure();
    const sha256 = this.#staging.staged?.manifest.sha256 ?? null;
    return {
      ...this.#running,
      blessed: this.#isBlessed(),
      staged: sha256 !== null && this.#staging.has(sha256) ? sha256 : null,
      other_build,
      other_next: next !== null && next.letter !== slots?.running.letter,
      failure:
        failure === null || !failure.told || failure.plan !== (this.#plans.current?.id ?? null)
          ? null
          : { build: failure.build, reason: failure.reason.slice(0, 500) },
      step: (this.#step ?? "").slice(0, 500),
      switches: this.#switches(),
    };
  }

  #switches(): Report["switches"] {
    const since = this.#plans.current?.started_at;
    if (since === undefined) return [];
    return this.#host.events
      .latest(500)
      .filter(({ code, at }) => code === "became-active" && at >= since)
      .map(({ at, cause = null, outage_ms = null }) => ({ at, cause, outage_ms }))
      .slice(-SWITCHES_MAX);
  }

  #say(action: Action, peer: PeerFacts | null): void {
    const step = stepOf(action, peer?.name ?? "");
    if (step !== null && step !== this.#step) this.#event("update-step", "info", step);
    this.#step = step;
  }

  async #look(): Promise<void> {
    this.#slots = (await this.#store?.look()) ?? null;
  }

  #demandSlots(): Slots {
    if (this.#slots !== null) return this.#slots;
    throw new Failure("no-slots", "The system's slots have not been looked at yet.");
  }

  #name(): string {
    return `${this.#running.version} build ${this.#running.build}`;
  }

  #event(code: string, severity: "info" | "warning" | "error", message: string): void {
    this.#host.events.add(code, severity, message);
  }
}
