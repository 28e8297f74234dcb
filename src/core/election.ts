/**
 * The election: who is active, and in which term.
 *
 *              listen_ms over                peer consents, or is silent and
 *   listening ───────────────▶ backup ─────▶ probing ── the addresses are free ──▶ active
 *        ▲                      ▲  ▲            │                                  │    │
 *      start                    │  └── heard ───┘      hands over, higher claim    │    │ slept longer
 *                               ├──────────────────────────────────────────────────┘    ▼ than its lease
 *                               └──────────── higher claim, or silence ────────── resuming ──▶ active
 *                                                                                 (peer proves it has not claimed)
 *
 * Terms make claims comparable. Odd terms belong to node 1 and even ones to node 2, so two claims
 * never tie, and a term tells who made the claim. A node claims only
 *   - by consent: a fresh heartbeat in which the peer, not active itself, shows a term of ours
 *     (it hands over, or agrees to our wish), or
 *   - by evidence: no path has brought a heartbeat for longer than the peer's lease can last, and
 *     nobody at the peer's MAC answers for the shared addresses (core/evidence.ts).
 * An active node yields at the first heartbeat that shows a higher claim. Consent counts only while it is
 * so fresh that the peer cannot have lost patience and claimed by evidence since it gave it.
 *
 * A node that slept (frozen, stopped, starved) cannot know what happened meanwhile. Heartbeats that
 * lay in its buffers are authentic but old, so from then on only those count as consent that
 * acknowledge a heartbeat it has sent since waking.
 *
 * A cluster ends with a node that is `departed`: it goes on alone, outside all this, and says so to whoever
 * still speaks as its peer. A node that hears that from its peer is `erased`, and never active again.
 *
 * `step` takes what happened and the time, and returns everything that is to be done. It does no
 * I/O, reads no clock and draws no random number.
 */
import type { SwitchCause } from "../heart/messages.ts";
import { macText } from "../wire/bytes.ts";
import { sourceMac } from "../wire/ethernet.ts";
import { type Heartbeat, isHeartbeat, type WireRole } from "../wire/heartbeat.ts";
import { Announcer } from "./announcer.ts";
import { ClusterNetwork } from "./cluster-network.ts";
import type { Conversation } from "./conversation.ts";
import { Evidence } from "./evidence.ts";
import { type Fitness, isBetterLinked, isPreferred } from "./fitness.ts";
import { type Alarm, Journal } from "./journal.ts";
import { countBits, Links } from "./links.ts";
import { Neighbourhood } from "./neighbourhood.ts";
import { Peer } from "./peer.ts";
import { Speaker } from "./speaker.ts";
import { isThirdNode } from "./strangers.ts";
import { nextTerm, other, ownerOf } from "./terms.ts";
import { LEASE_SLACK_MS, PROMPT_MS } from "./tuning.ts";
import { type Answer, type CoreConfiguration, type CorePath, emptyOutput, type Input, type Output } from "./types.ts";

/** A hand-over that the peer has not answered by then is given up. */
const HANDOVER_MS_MAX = 500;
/** Silence with a kernel that answers becomes an alarm after this long. */
const SILENT_PEER_ALARM_MS = 1000;
const STRANGER_ALARM_MS = 60_000;
/** A departed node speaks seldom unless spoken to: only another departed one, joined again, needs to hear it. */
const DEPARTED_INTERVAL_MS = 1000;

interface HandOver {
  reason: string;
  /** The peer must acknowledge this heartbeat first: it is alive and listens now. */
  proof: number;
  since_ms: number;
  id: number | null;
}

export class Election {
  configuration: CoreConfiguration;
  readonly links = new Links();
  readonly #journal: Journal;
  readonly #peer: Peer;
  readonly #evidence: Evidence;
  readonly #announcer: Announcer;
  readonly #neighbourhood: Neighbourhood;
  readonly #speaker = new Speaker();
  readonly #cluster_network = new ClusterNetwork();
  role: WireRole = "listening";
  term: number;
  /** The highest term that was claimed or known before this start: consent to it is no longer worth anything. */
  #spent_term: number;

  #now_ms: number;
  readonly #started_ms: number;
  /** Heartbeats count as consent only if they acknowledge this one or a later one. */
  #proof = 1;
  #hand_over: HandOver | null = null;
  #take_over: { id: number; since_ms: number } | null = null;
  #stop_ids: number[] = [];
  #stopping = false;
  #impaired = false;
  #gate_broken = false;
  #was_heard = false;
  /** When the peer last said that it was active, since this node was. */
  #served_ms: number | null = null;
  #probing_since_ms = Number.POSITIVE_INFINITY;
  #urged_ms = Number.NEGATIVE_INFINITY;
  #output: Output = emptyOutput();

  constructor(configuration: CoreConfiguration, now_ms: number) {
    this.configuration = configuration;
    this.#journal = new Journal(now_ms);
    this.#peer = new Peer(configuration, this.#journal);
    this.#announcer = new Announcer(configuration);
    this.#evidence = new Evidence(configuration.tuning.detect_floor_ms);
    this.#neighbourhood = new Neighbourhood(this.#evidence, this.#announcer, this.#journal);
    this.term = configuration.term_floor;
    this.#spent_term = configuration.term_floor;
    this.#started_ms = now_ms;
    this.#now_ms = now_ms;
    if (configuration.departed) this.#depart();
    else if (configuration.bootstrap) this.#claim(this.#ownTermAbove(this.term), "created");
  }

  /** New settings of the same cluster: role, term and conversation go on. The node's number and keys never change. */
  reconfigure(configuration: CoreConfiguration): void {
    this.configuration = configuration;
    this.#peer.reconfigure(configuration);
    this.#announcer.reconfigure(configuration);
    this.links.keep(configuration.paths.map(({ slot }) => slot));
    this.#evidence.wait_ms = configuration.tuning.detect_floor_ms;
    this.#evidence.reset();
    this.#speaker.changed();
    if (configuration.departed) this.#depart();
    if (this.role === "active") this.#announcer.claimed(this.#now_ms);
  }

  /** Everything that happened since the last step, in order; `now_ms` never goes back. */
  step(now_ms: number, inputs: readonly Input[]): Output {
    const idle_ms = now_ms - this.#now_ms;
    this.#now_ms = now_ms;
    this.#journal.turnTo(now_ms);
    if (idle_ms >= this.configuration.tuning.lease_ms) this.#woke(idle_ms);
    else this.#watchQuiet();
    for (const input of inputs) this.#take(input);
    this.#watchClusterNetwork();
    this.#watchPeer();
    this.#decide();
    this.#speak();
    const output = this.#output;
    this.#output = emptyOutput();
    output.role = this.role;
    output.hold = this.#holds;
    output.events = this.#journal.takeEvents();
    output.wake_ms = this.#wakeAt();
    return output;
  }

  /** The shared addresses are this node's. */
  get #holds(): boolean {
    return this.role === "active" || this.role === "departed";
  }

  // ── what is known ──────────────────────────────────────────────────────────────────────────────

  /** The peer's newest heartbeat, null before the first fresh one. */
  get peer(): Heartbeat | null {
    return this.#peer.heartbeat;
  }

  get heard(): boolean {
    return this.#peer.isHeard(this.#now_ms);
  }

  get conversation(): Conversation {
    return this.#peer.conversation;
  }

  get dropped(): Record<string, number> {
    return this.#journal.dropped;
  }

  pathHeard(slot: number): boolean {
    return this.links.hasCarrier(slot) && this.#peer.pathHeard(slot, this.#now_ms);
  }

  alarms(): Alarm[] {
    return this.#journal.alarms();
  }

  #ownTermAbove(term: number): number {
    return nextTerm(term, this.configuration.node);
  }

  #isOurs(term: number): boolean {
    return term > 0 && ownerOf(term) === this.configuration.node;
  }

  /** Our term is one of ours that nobody has claimed yet. */
  #hasOwnWish(): boolean {
    return this.#isOurs(this.term) && this.term > this.#spent_term;
  }

  #links(): number {
    return this.links.bits(this.#now_ms);
  }

  /** The peer's data links, of those that this node has too. */
  #linksOf(peer: Heartbeat): number {
    const shared = this.configuration.paths.reduce((bits, { slot }) => bits | (1 << slot), 0);
    return peer.links & shared;
  }

  #fitness(): Fitness {
    const { node } = this.configuration;
    return { node, role: this.role, term: this.term, links: this.#links(), unwilling: this.#isUnwilling() };
  }

  #peerIsLessFit(peer: Heartbeat | null): boolean {
    return peer === null || countBits(this.#linksOf(peer)) < countBits(this.#links());
  }

  #isUnwilling(): boolean {
    return this.#stopping || this.#impaired || this.#gate_broken || this.#isInMaintenance();
  }

  /** An active node goes on until it hands over. */
  #isInMaintenance(): boolean {
    return this.configuration.maintenance && this.role !== "active";
  }

  // ── what happens ───────────────────────────────────────────────────────────────────────────────

  #take(input: Input): void {
    switch (input.type) {
      case "frame":
        this.#journal.verdict = "no-matter";
        if (isHeartbeat(input.frame)) this.#takeHeartbeat(input.slot, input.frame);
        else this.#takeOther(input.slot, input.frame);
        return void this.#output.verdicts.push(this.#journal.verdict);
      case "carrier":
        return this.#takeCarrier(input.slot, input.up);
      case "switch":
        return this.#takeSwitch(input.id);
      case "take-over":
        return this.#takeTakeOver(input.id);
      case "stop":
        this.#stopping = true;
        this.#stop_ids.push(input.id);
        return this.#beginHandOver("this node is stopping", null);
      case "impaired":
        if (input.impaired && !this.#impaired) this.#beginHandOver(input.reason ?? "its control process hangs", null);
        this.#impaired = input.impaired;
        return;
      case "gate":
        return this.#takeGate(input.broken);
      case "late":
        return this.#takeLate();
    }
  }

  #takeCarrier(slot: number, up: boolean): void {
    const before = this.links.has(slot) ? this.links.hasCarrier(slot) : up;
    this.links.carrier(slot, up, this.#now_ms);
    if (before === up) return;
    const nic = this.#path(slot)?.nic ?? `slot ${slot}`;
    this.#journal.event(up ? "link-up" : "link-down", nic);
    this.#speaker.changed();
  }

  #takeGate(broken: boolean): void {
    if (broken && !this.#gate_broken && this.role === "active") {
      this.#journal.event("gate-broken");
      this.#stepDown();
    }
    this.#gate_broken = broken;
  }

  /** The lease may have run out before our heartbeat left, and our probes may only just be on their way. */
  #takeLate(): void {
    this.#evidence.reset();
    this.#speaker.late();
    this.#watchQuiet();
    if (this.role === "active") this.#output.open_lease = true;
  }

  /** An active node that may have been silent for so long that its peer suspects it has as good as slept. */
  #watchQuiet(): void {
    const quiet_ms = this.#speaker.quiet_ms(this.#now_ms);
    if (this.role === "active" && quiet_ms >= this.configuration.tuning.detect_floor_ms) this.#woke(quiet_ms);
  }

  #takeSwitch(id: number): void {
    const refusal = this.#switchRefusal();
    if (refusal === null) this.#beginHandOver("an operator asked for it", id);
    else this.#output.answers.push({ id, failure: refusal });
  }

  #switchRefusal(): Answer["failure"] {
    const refused = (code: string, message: string) => ({ code, message });
    if (this.role !== "active") return refused("not-active", "This node is not active; ask the active node to switch.");
    if (!this.heard)
      return refused("peer-silent", "The peer is not heard on any path; switching now would stop all traffic.");
    if (this.peer?.unwilling)
      return refused("peer-unwilling", "The peer cannot become active now; see its status for the reason.");
    if (this.#peerIsLessFit(this.peer))
      return refused("peer-unfit", "The peer has fewer data links than this node; mend its links first.");
    return null;
  }

  #takeTakeOver(id: number): void {
    if (this.role === "active") return void this.#output.answers.push({ id, failure: null });
    if (this.role !== "backup" || !this.heard || this.peer?.role !== "active" || this.#isUnwilling()) {
      const message = "This node cannot take over now: it must be the backup of an active node that it hears.";
      return void this.#output.answers.push({ id, failure: { code: "not-backup", message } });
    }
    if (countBits(this.#links()) < countBits(this.#linksOf(this.peer))) {
      const message = "This node has fewer data links than the active one; mend its links first.";
      return void this.#output.answers.push({ id, failure: { code: "unfit", message } });
    }
    this.#take_over = { id, since_ms: this.#now_ms };
    this.#speaker.ask();
  }

  #takeOther(slot: number, frame: Uint8Array): void {
    const cluster_path = slot === 0 ? this.#path(0) : undefined;
    if (cluster_path !== undefined && isThirdNode(frame, cluster_path)) {
      this.#journal.alarm("third-node", STRANGER_ALARM_MS, macText(sourceMac(frame)), cluster_path.nic);
      this.#journal.verdict = "third-node";
    }
    const defence = this.#neighbourhood.take(this.configuration, slot, frame, this.#now_ms);
    if (this.role === "active") this.#output.frames.push(...defence);
  }

  #takeHeartbeat(slot: number, frame: Uint8Array): void {
    const was_heard = this.heard;
    const heartbeat = this.#peer.hear(slot, frame, this.#now_ms);
    // A departed node is silent until somebody speaks, and must answer for a new session to prove itself.
    if (this.role === "departed" && heartbeat !== null) this.#speaker.oweAnswer();
    if (heartbeat === "unproven-claim") this.#urgeProof();
    if (heartbeat === null || typeof heartbeat === "string") return;
    this.#evidence.reset();
    this.#probing_since_ms = Number.POSITIVE_INFINITY;
    this.#journal.clear("silent-peer");
    if (!was_heard) {
      this.#journal.event("peer-heard", this.configuration.peer_name);
      // It may have been active on an island of its own, and told neighbours so: say again who we are.
      if (this.role === "active") this.#announcer.claimed(this.#now_ms);
    }
    if (heartbeat.urgent) this.#speaker.oweAnswer();
    if (this.role === "erased") return;
    // Destroyed on both sides of a cut: the later claim keeps the addresses, as it would in a cluster.
    if (heartbeat.role === "departed" && (this.role !== "departed" || heartbeat.term > this.term)) return this.#leave();
    if (this.role === "departed") return;
    if (heartbeat.role === "active") return this.#takeClaim(heartbeat.term);
    if (heartbeat.take && !this.#peerIsLessFit(heartbeat)) this.#beginHandOver("its peer asked for it", null);
    // The peer's wish or its consent to ours: looked at in the step of our role.
  }

  /** Two claims: the peer, started anew, proves its own as soon as we speak. Once an interval, as it may be a recording. */
  #urgeProof(): void {
    if (this.role !== "active" || this.#now_ms - this.#urged_ms < this.configuration.tuning.interval_ms) return;
    this.#urged_ms = this.#now_ms;
    this.#speaker.oweAnswer();
  }

  /** The peer says that it is active. */
  #takeClaim(term: number): void {
    const { peer_name } = this.configuration;
    if (this.role === "active" && term < this.term) {
      this.#journal.event("second-claim", peer_name, term);
      // Its announcements may have misled the neighbours: say again who we are.
      this.#announcer.claimed(this.#now_ms);
      this.#speaker.changed();
      return;
    }
    if (this.role === "active") {
      this.#journal.event("yielded", peer_name, term);
      this.#stepDown();
    } else if (this.role !== "probing") {
      this.#become("backup");
    }
    this.term = Math.max(this.term, term);
    this.#served_ms = this.#now_ms;
  }

  /** The peer has left the cluster with its settings: nothing of it is ours any more (S20). */
  #leave(): void {
    this.#journal.event("cluster-destroyed", this.configuration.peer_name);
    this.#announcer.released();
    this.#become("erased");
    this.#speaker.changed();
  }

  /** We did nothing for longer than our lease: whatever we believed may be over. */
  #woke(slept_ms: number): void {
    this.#proof = this.conversation.sequence + 1;
    this.#evidence.reset();
    if (this.#hand_over !== null) this.#hand_over.proof = this.#proof;
    this.#peer.forgive(this.#now_ms, slept_ms);
    if (this.role !== "active") return;
    // Also where the peer was silent before: it may serve an island that has just been joined to ours.
    this.#journal.event("slept", slept_ms);
    this.#become("resuming");
    this.#announcer.released();
    this.#speaker.ask();
  }

  /** S5a: the loss of the cluster network alone moves the active role, once, to a peer that is heard elsewhere. */
  #watchClusterNetwork(): void {
    if (!this.#cluster_network.isLost(this.pathHeard(0), this.#now_ms)) return;
    // A silent peer is another matter: it may be dead, and nobody hands over to the dead.
    if (!this.heard) return;
    this.#journal.event("cluster-network-lost");
    if (this.configuration.tuning.on_link_loss === "switch" && !this.#peerIsLessFit(this.peer))
      this.#beginHandOver("the cluster network was lost", null);
  }

  #watchPeer(): void {
    const { heard } = this;
    if (this.#was_heard && !heard && this.role === "active") {
      this.#journal.event("peer-lost", this.configuration.peer_name);
    }
    this.#was_heard = heard;
  }

  // ── what to do, by role ────────────────────────────────────────────────────────────────────────

  #decide(): void {
    switch (this.role) {
      case "listening":
        this.#decideListening();
        break;
      case "backup":
      case "probing":
        this.#decideBackup();
        break;
      case "active":
        this.#decideActive();
        break;
      case "resuming":
        this.#decideResuming();
        break;
      case "departed":
        this.#announce();
        break;
      case "erased":
        break;
    }
    if (this.role !== "active" && this.#hand_over !== null) this.#endHandOver(null);
    if (this.#take_over !== null) this.#pursueTakeOver(this.#take_over);
    if (this.#stopping && (this.role !== "active" || this.#hand_over === null)) this.#finishStop();
  }

  #decideListening(): void {
    if (this.peer !== null && this.heard) this.#agree(this.peer);
    if (this.#now_ms - this.#started_ms >= this.configuration.tuning.listen_ms) this.#become("backup");
  }

  #decideBackup(): void {
    const { peer } = this;
    if (peer !== null && this.heard) {
      if (this.role === "probing") this.#become("backup");
      if (peer.role === "active" && this.#now_ms >= this.#askAt_ms()) this.#probe();
      if (peer.role === "active" || peer.role === "resuming") return;
      if (this.#agree(peer)) return;
      if (this.#isUnwilling() || !isPreferred(this.#fitness(), peer)) {
        // Handed to us although the peer looks fitter (an operator's switch): the consent decides.
        if (!this.#isUnwilling() && this.#hasConsent(peer)) this.#claim(peer.term, "handed-over");
        return;
      }
      if (this.#hasConsent(peer)) return this.#claim(peer.term, "agreed");
      if (!this.#hasOwnWish() || peer.term > this.term) {
        this.term = this.#ownTermAbove(Math.max(this.term, peer.term));
        this.#speaker.changed();
      }
      return;
    }
    // Service before symmetry: a node that is merely impaired still replaces one that died.
    if (!this.#stopping && !this.#gate_broken && !this.#isInMaintenance()) this.#seekEvidence();
  }

  /** The peer, not active, shows a term of ours that is not below our own: it lets us claim it. */
  #hasConsent(peer: Heartbeat): boolean {
    const is_new = peer.term >= this.term && peer.term > this.#spent_term;
    return !peer.wish && this.#isOurs(peer.term) && is_new && this.#peer.provedSince(this.#proof, this.#now_ms);
  }

  /** Agrees to the wish of a peer that should be active: its term becomes ours. */
  #agree(peer: Heartbeat): boolean {
    if (!peer.wish || peer.term <= this.term || this.#isOurs(peer.term)) return false;
    this.term = peer.term;
    this.#speaker.changed();
    return true;
  }

  #probe(): void {
    const { paths, addresses } = this.configuration;
    const probes = this.#evidence.probes(this.#now_ms, paths, (slot) => this.links.hasCarrier(slot), addresses);
    this.#output.frames.push(...probes);
  }

  /** A heartbeat of the active peer is late: the addresses are asked for in good time, in case none comes any more. */
  #askAt_ms(): number {
    return this.#now_ms - this.#peer.silence_ms(this.#now_ms) + this.configuration.tuning.interval_ms + PROMPT_MS;
  }

  #seekEvidence(): void {
    // A state that is in use twice: only the genuine node gets answers from the peer, so this may be the copy.
    if (this.peer === null && this.#journal.isRaised("duplicate-node")) return;
    const { peer_name } = this.configuration;
    const silence_ms = this.#peer.silence_ms(this.#now_ms);
    this.#probe();
    if (silence_ms < this.#peer.timeout_ms) return;
    if (this.role === "backup") {
      this.#become("probing");
      this.#probing_since_ms = this.#now_ms;
      if (this.peer !== null) this.#journal.event("peer-silent", peer_name, silence_ms);
    }
    if (this.#evidence.isConclusive(this.#now_ms)) {
      return this.#claim(this.#ownTermAbove(this.term), "silence");
    }
    if (
      this.#now_ms - this.#probing_since_ms >= SILENT_PEER_ALARM_MS &&
      this.#now_ms - this.#evidence.answered_ms < SILENT_PEER_ALARM_MS
    ) {
      this.#journal.alarm("silent-peer", SILENT_PEER_ALARM_MS, peer_name);
    }
  }

  #decideActive(): void {
    // Without a data link nobody is served and no probe can find us: the peer may have claimed, and nobody would
    // tell us when the links return. So the addresses are taken again only on evidence.
    if (this.links.isCutOff && !this.heard) {
      this.#journal.event("cut-off", this.configuration.peer_name);
      return this.#stepDown();
    }
    this.#considerLinks();
    if (this.#hand_over !== null) this.#pursueHandOver(this.#hand_over);
    if (this.role === "active") this.#announce();
  }

  #announce(): void {
    this.#output.frames.push(...this.#announcer.due(this.#now_ms));
    const verdict = this.#announcer.verdict(this.#now_ms);
    if (verdict === null || verdict.asked === 0) return;
    const { followed, asked, missing } = verdict;
    if (missing.length === 0) this.#journal.event("neighbours-followed", asked);
    else this.#journal.event("neighbours-missing", followed, asked, missing);
  }

  /** B5: a data link that we lost and the peer still has. One that has just come back is not lost. */
  #considerLinks(): void {
    const { peer } = this;
    if (this.#hand_over !== null || peer === null || !this.heard || peer.unwilling) return;
    if (isBetterLinked(this.#linksOf(peer), this.links.carriers))
      this.#beginHandOver("the peer has a data link that this node lost", null);
  }

  #beginHandOver(reason: string, id: number | null): void {
    if (this.role !== "active") return;
    if (this.#hand_over !== null) {
      const failure = { code: "busy", message: "The node is handing over already." };
      if (id !== null) this.#output.answers.push({ id, failure });
      return;
    }
    this.#hand_over = { reason, id, since_ms: this.#now_ms, proof: this.conversation.sequence + 1 };
    this.#speaker.ask();
  }

  #pursueHandOver({ proof, reason, since_ms }: HandOver): void {
    const { peer } = this;
    const ready =
      peer !== null && peer.role !== "active" && !peer.unwilling && this.#peer.provedSince(proof, this.#now_ms);
    if (ready) {
      this.#journal.event("handed-over", this.configuration.peer_name, reason);
      this.#stepDown();
      // Our consent: the next term of the peer, shown by a node that is no longer active.
      this.term = nextTerm(Math.max(this.term, peer.term), other(this.configuration.node));
      this.#endHandOver(null);
    } else if (this.#now_ms - since_ms >= HANDOVER_MS_MAX || !this.heard) {
      this.#endHandOver({ code: "peer-silent", message: "The peer did not answer; this node stays active." });
    }
  }

  #endHandOver(failure: Answer["failure"]): void {
    const id = this.#hand_over?.id ?? null;
    this.#hand_over = null;
    if (id !== null) this.#output.answers.push({ id, failure });
  }

  #pursueTakeOver({ id, since_ms }: { id: number; since_ms: number }): void {
    const refused = { code: "peer-silent", message: "The active node did not hand over; nothing has changed." };
    const given_up = this.#now_ms - since_ms >= HANDOVER_MS_MAX;
    if (this.role !== "active" && !given_up) return;
    this.#take_over = null;
    this.#output.answers.push({ id, failure: this.role === "active" ? null : refused });
  }

  #decideResuming(): void {
    const { peer } = this;
    const proved = this.#peer.provedSince(this.#proof, this.#now_ms);
    const may_go_on = !this.#gate_broken && peer?.role !== "active";
    if (proved && peer !== null && may_go_on && peer.term <= this.term && !peer.wish) {
      this.#become("active");
      this.#output.open_lease = true;
      this.#announcer.claimed(this.#now_ms);
    } else if (!this.heard || proved) {
      this.#become("backup");
      this.#decideBackup();
    }
  }

  #claim(term: number, cause: SwitchCause): void {
    this.term = term;
    this.#spent_term = term;
    this.#evidence.reset();
    this.#become("active");
    this.#cluster_network.earnTrustAnew(this.#now_ms);
    this.#journal.claimed(term, cause, this.#served_ms === null ? null : this.#now_ms - this.#served_ms);
    this.#served_ms = null;
    this.#output.open_lease = true;
    this.#announcer.claimed(this.#now_ms);
    this.#journal.clear("silent-peer");
    this.#speaker.changed();
  }

  /** Alone from now on, and the owner of the addresses whatever the peer does. */
  #depart(): void {
    this.#become("departed");
    this.#announcer.claimed(this.#now_ms);
  }

  #stepDown(): void {
    this.#become("backup");
    this.#announcer.released();
    this.#speaker.changed();
  }

  #finishStop(): void {
    if (this.role === "active") this.#stepDown();
    for (const id of this.#stop_ids) this.#output.answers.push({ id, failure: null });
    this.#stop_ids = [];
  }

  #become(role: WireRole): void {
    this.role = role;
  }

  // ── what is said ───────────────────────────────────────────────────────────────────────────────

  /** How often heartbeats leave by themselves. */
  #interval_ms(): number {
    return this.role === "departed" && !this.heard ? DEPARTED_INTERVAL_MS : this.configuration.tuning.interval_ms;
  }

  #speak(): void {
    const { tuning } = this.configuration;
    if (!this.#speaker.isDue(this.#now_ms, this.#interval_ms())) return;
    // A kernel tick before its end the lease may be gone already; nobody can have claimed yet, so it is reopened.
    const lease_at_risk = this.#speaker.quiet_ms(this.#now_ms) >= tuning.lease_ms - 2 * LEASE_SLACK_MS;
    if (this.role === "active" && lease_at_risk) this.#output.open_lease = true;
    this.conversation.next(this.#now_ms);
    // To everybody where a third node is about: it must hear that its place is taken.
    const stranger = this.#journal.isRaised("third-node") || this.#journal.isRaised("duplicate-node");
    const frames = this.#speaker.speak(
      this.#now_ms,
      this.configuration,
      this.conversation,
      {
        role: this.role,
        term: this.term,
        links: this.#links(),
        wish: this.#wishes(),
        unwilling: this.#isUnwilling(),
        take: this.#take_over !== null,
      },
      (slot) => this.pathHeard(slot) && !stranger,
    );
    // Heartbeats first: they carry the claim, and they renew the lease that the announcements need.
    this.#output.frames.unshift(...frames);
  }

  /** We ask the peer's consent to claim the term that we show. */
  #wishes(): boolean {
    const { peer } = this;
    if ((this.role !== "backup" && this.role !== "probing") || peer === null || peer.role === "active") return false;
    return this.#hasOwnWish() && !this.#isUnwilling() && isPreferred(this.#fitness(), peer);
  }

  #wakeAt(): number {
    let wake_ms = this.#speaker.wake_ms(this.#interval_ms());
    if (this.#holds) wake_ms = Math.min(wake_ms, this.#announcer.wake_ms);
    if (this.role === "backup" || this.role === "probing") {
      const suspected_ms = this.#peer.suspected_ms(this.#now_ms);
      for (const at of [this.#askAt_ms(), suspected_ms, this.#evidence.conclusive_ms, this.#evidence.next_probe_ms]) {
        if (at > this.#now_ms) wake_ms = Math.min(wake_ms, at);
      }
    }
    return wake_ms;
  }

  #path(slot: number): CorePath | undefined {
    return this.configuration.paths.find((path) => path.slot === slot);
  }
}
