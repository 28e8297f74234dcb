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
 * An active node yields at the first heartbeat that shows a higher claim.
 *
 * A node that slept (frozen, stopped, starved) cannot know what happened meanwhile. Heartbeats that
 * lay in its buffers are authentic but old, so from then on only those count as consent that
 * acknowledge a heartbeat it has sent since waking.
 *
 * `step` takes what happened and the time, and returns everything that is to be done. It does no
 * I/O, reads no clock and draws no random number.
 */
import type { HeartEvent } from "../heart/messages.ts";
import { parseArp } from "../wire/arp.ts";
import { equalBytes } from "../wire/bytes.ts";
import { BROADCAST, sourceMac } from "../wire/ethernet.ts";
import { emitHeartbeat, type Heartbeat, isHeartbeat, parseHeartbeat, type WireRole } from "../wire/heartbeat.ts";
import { parseNeighbour } from "../wire/ndp.ts";
import { Announcer } from "./announcer.ts";
import { Conversation } from "./conversation.ts";
import { Detector } from "./detector.ts";
import { Evidence } from "./evidence.ts";
import { countBits, Links } from "./links.ts";
import { nextTerm, other, ownerOf } from "./terms.ts";
import { LEASE_SLACK_MS } from "./tuning.ts";
import type { Answer, CoreConfiguration, CorePath, Input, Output } from "./types.ts";

/** A hand-over that the peer has not answered by then is given up. */
const HANDOVER_MS_MAX = 500;
/** The cluster network must have been heard this long before its loss moves the active role (S5a). */
const LINK_TRUST_MS = 2000;
/** A path without a heartbeat for this many intervals is shown as not heard, and at least for PATH_LOST_MS_MIN. */
const PATH_LOST_INTERVALS = 8;
const PATH_LOST_MS_MIN = 60;
/** Silence with a kernel that answers becomes an alarm after this long. */
const SILENT_PEER_ALARM_MS = 1000;
/** Answers to urgent heartbeats: not more often than this. */
const URGENT_INTERVAL_MS = 1;
const CONFLICT_EVENT_INTERVAL_MS = 1000;
const ALARM_HOLD_MS = 60_000;

interface HandOver {
  reason: string;
  /** The peer must acknowledge this heartbeat first: it is alive and listens now. */
  proof: number;
  since_ms: number;
  id: number | null;
}

export interface Alarm {
  code: string;
  message: string;
}

export class Election {
  readonly configuration: CoreConfiguration;
  readonly conversation: Conversation;
  readonly links = new Links();
  readonly dropped: Record<string, number> = {};
  readonly #detector: Detector;
  readonly #evidence = new Evidence();
  readonly #announcer: Announcer;
  role: WireRole = "listening";
  term: number;
  /** The highest term that was claimed or known before this start: consent to it is no longer worth anything. */
  #spent_term: number;
  /** The peer's newest heartbeat, null before the first fresh one. */
  peer: Heartbeat | null = null;

  #now_ms: number;
  readonly #started_ms: number;
  #sent_ms = Number.NEGATIVE_INFINITY;
  /** Heartbeats count as consent only if they acknowledge this one or a later one. */
  #proof = 1;
  #hand_over: HandOver | null = null;
  #stop_ids: number[] = [];
  #stopping = false;
  #impaired = false;
  #gate_broken = false;
  #urgent = false;
  #reply_now = false;
  /** The peer waits for an answer: it is put off until URGENT_INTERVAL_MS allows, never dropped. */
  #owes_answer = false;
  #was_heard = false;
  #cluster_heard_since_ms = Number.POSITIVE_INFINITY;
  #probing_since_ms = Number.POSITIVE_INFINITY;
  readonly #alarms = new Map<string, { message: string; until_ms: number }>();
  #conflict_event_ms = Number.NEGATIVE_INFINITY;
  #output: Output = emptyOutput();

  constructor(configuration: CoreConfiguration, now_ms: number) {
    this.configuration = configuration;
    const { node, session, tuning, term_floor } = configuration;
    this.conversation = new Conversation(node, session);
    this.#detector = new Detector(tuning.detect_floor_ms, tuning.detect_ceiling_ms);
    this.#announcer = new Announcer(configuration);
    this.term = term_floor;
    this.#spent_term = term_floor;
    this.#started_ms = now_ms;
    this.#now_ms = now_ms;
    if (configuration.bootstrap) this.#claim(this.#ownTermAbove(term_floor), "The cluster was created on this node");
  }

  /** Everything that happened since the last step, in order; `now_ms` never goes back. */
  step(now_ms: number, inputs: readonly Input[]): Output {
    const slept_ms = now_ms - this.#now_ms;
    this.#now_ms = now_ms;
    if (slept_ms >= this.configuration.tuning.lease_ms) this.#woke(slept_ms);
    for (const input of inputs) this.#take(input);
    this.#watchClusterNetwork();
    this.#watchPeer();
    this.#decide();
    this.#speak();
    const output = this.#output;
    this.#output = emptyOutput();
    output.role = this.role;
    output.hold = this.role === "active";
    output.wake_ms = this.#wakeAt();
    return output;
  }

  // ── what is known ──────────────────────────────────────────────────────────────────────────────

  get heard(): boolean {
    return this.peer !== null && !this.#detector.isSilent(this.#now_ms);
  }

  get detector_timeout_ms(): number {
    return this.#detector.timeout_ms;
  }

  pathHeard(slot: number): boolean {
    const { interval_ms } = this.configuration.tuning;
    const lost_ms = Math.max(PATH_LOST_MS_MIN, PATH_LOST_INTERVALS * interval_ms);
    return this.links.hasCarrier(slot) && this.#now_ms - this.conversation.heard_ms(slot) < lost_ms;
  }

  alarms(): Alarm[] {
    const alarms: Alarm[] = [];
    for (const [code, alarm] of this.#alarms) {
      if (this.#now_ms < alarm.until_ms) alarms.push({ code, message: alarm.message });
    }
    return alarms;
  }

  /** A fresh heartbeat from the peer acknowledges `sequence`: it was alive after we sent that. */
  #provedSince(sequence: number): boolean {
    const { session } = this.conversation;
    return this.heard && this.peer !== null && this.peer.echo_session === session && this.peer.ack >= sequence;
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

  /** Of two nodes that are both ready, which should be active? Both must come to the same answer. */
  #isPreferred(peer: Heartbeat): boolean {
    const unwilling = this.#isUnwilling();
    if (unwilling !== peer.unwilling) return peer.unwilling;
    // One that still listens is not ready, whatever its links and terms: traffic does not wait for it.
    if (peer.role === "listening" && this.role !== "listening") return true;
    const mine = countBits(this.links.bits(this.#now_ms));
    const theirs = countBits(peer.links);
    if (mine !== theirs) return mine > theirs;
    const newest = Math.max(this.term, peer.term);
    return newest === 0 ? this.configuration.node === 1 : this.#isOurs(newest);
  }

  #peerIsLessFit(peer: Heartbeat | null): boolean {
    return peer === null || countBits(peer.links) < countBits(this.links.bits(this.#now_ms));
  }

  #isUnwilling(): boolean {
    return this.#stopping || this.#impaired || this.#gate_broken;
  }

  // ── what happens ───────────────────────────────────────────────────────────────────────────────

  #take(input: Input): void {
    switch (input.type) {
      case "frame":
        return this.#takeFrame(input.slot, input.frame);
      case "carrier":
        return this.#takeCarrier(input.slot, input.up);
      case "switch":
        return this.#takeSwitch(input.id);
      case "stop":
        this.#stopping = true;
        this.#stop_ids.push(input.id);
        return this.#beginHandOver("this node is stopping", null);
      case "impaired":
        if (input.impaired && !this.#impaired) this.#beginHandOver("its control process hangs", null);
        this.#impaired = input.impaired;
        return;
      case "gate":
        if (input.broken && !this.#gate_broken && this.role === "active") {
          this.#event(
            "gate-broken",
            "error",
            "The gate cannot be restored; this node steps down rather than be active without it.",
          );
          this.#stepDown();
        }
        this.#gate_broken = input.broken;
        return;
    }
  }

  #takeCarrier(slot: number, up: boolean): void {
    const before = this.links.has(slot) ? this.links.hasCarrier(slot) : up;
    this.links.carrier(slot, up, this.#now_ms);
    if (before === up) return;
    const nic = this.#path(slot)?.nic ?? `slot ${slot}`;
    if (up) this.#event("link-up", "info", `${nic} has its link back.`);
    else this.#event("link-down", "warning", `${nic} has lost its link.`);
    this.#reply_now = true;
  }

  #takeSwitch(id: number): void {
    const refuse = (code: string, message: string): void => {
      this.#output.answers.push({ id, failure: { code, message } });
    };
    if (this.role !== "active") {
      return refuse("not-active", "This node is not active; ask the active node to switch.");
    }
    if (!this.heard)
      return refuse("peer-silent", "The peer is not heard on any path; switching now would stop all traffic.");
    if (this.peer?.unwilling)
      return refuse("peer-unwilling", "The peer cannot become active now; see its status for the reason.");
    if (this.#peerIsLessFit(this.peer)) {
      return refuse("peer-unfit", "The peer has fewer data links than this node; mend its links first.");
    }
    this.#beginHandOver("an operator asked for it", id);
  }

  #takeFrame(slot: number, frame: Uint8Array): void {
    if (isHeartbeat(frame)) return this.#takeHeartbeat(slot, frame);
    if (slot === 0) return;
    const arp = parseArp(frame);
    if (arp !== null) {
      const asks_only = arp.sender_ip.every((byte) => byte === 0);
      if (!asks_only) this.#takeOwner(slot, sourceMac(frame), arp.sender_ip, arp.operation === "reply");
      return;
    }
    const neighbour = parseNeighbour(frame);
    if (neighbour === null) return;
    if (neighbour.kind === "advertisement") this.#takeOwner(slot, sourceMac(frame), neighbour.target, true);
  }

  /** `mac` says that it has `ip`. */
  #takeOwner(slot: number, mac: Uint8Array, ip: Uint8Array, is_answer: boolean): void {
    const path = this.#path(slot);
    if (path === undefined || equalBytes(mac, path.mac)) return;
    const shared = this.configuration.addresses.find((address) => address.slot === slot && equalBytes(address.ip, ip));
    if (shared === undefined) {
      this.#announcer.saw(slot, ip);
      if (is_answer) this.#announcer.followed(slot, ip);
      return;
    }
    if (equalBytes(mac, path.peer_mac)) {
      this.#evidence.answered(this.#now_ms);
      return;
    }
    const message = `Another host (${macName(mac)}) on ${path.nic} uses the shared address ${shared.text}; find it and give it another address.`;
    if (this.#now_ms - this.#conflict_event_ms >= CONFLICT_EVENT_INTERVAL_MS) {
      this.#conflict_event_ms = this.#now_ms;
      this.#event("address-conflict", "warning", message);
    }
    this.#raise("address-conflict", message, ALARM_HOLD_MS);
    if (this.role === "active") this.#output.frames.push(...this.#announcer.defend(this.#now_ms, shared));
  }

  #takeHeartbeat(slot: number, frame: Uint8Array): void {
    const { cluster, authenticate } = this.configuration;
    const heartbeat = parseHeartbeat(frame, cluster, authenticate);
    if (typeof heartbeat === "string") return this.#drop(heartbeat);
    const verdict = this.conversation.accept(heartbeat, slot, this.#now_ms);
    if (verdict === "copy") return;
    if (verdict === "duplicate-node") {
      this.#raise(
        "duplicate-node",
        "A third node uses this node's place in the cluster; disconnect it.",
        ALARM_HOLD_MS,
      );
    }
    if (verdict !== "news") return this.#drop(verdict);
    const returned = !this.heard;
    this.#detector.heard(this.#now_ms);
    this.#evidence.reset();
    this.#probing_since_ms = Number.POSITIVE_INFINITY;
    this.#alarms.delete("silent-peer");
    if (returned) this.#event("peer-heard", "info", `${this.configuration.peer_name} is heard.`);
    this.peer = heartbeat;
    const { term, role } = heartbeat;
    if (heartbeat.urgent) this.#owes_answer = true;
    if (role !== "active") {
      // The peer's wish or hand-over: agreed to below, in the step of our role.
      return;
    }
    if (this.role === "active" && term > this.term) {
      this.#event(
        "yielded",
        "warning",
        `${this.configuration.peer_name} shows a higher claim (term ${term}); this node yields.`,
      );
      this.#stepDown();
    } else if (this.role === "active") {
      this.#event(
        "second-claim",
        "warning",
        `${this.configuration.peer_name} was active too, with the lower term ${term}; it yields.`,
      );
      // Its announcements may have misled the neighbours: say again who we are.
      this.#announcer.claimed(this.#now_ms);
      this.#reply_now = true;
    } else if (this.role !== "backup" && this.role !== "probing") {
      this.#become("backup");
    }
    if (this.role !== "active") this.term = Math.max(this.term, term);
  }

  /** We did nothing for longer than our lease: whatever we believed may be over. */
  #woke(slept_ms: number): void {
    this.#proof = this.conversation.sequence + 1;
    this.#evidence.reset();
    if (this.#hand_over !== null) this.#hand_over.proof = this.#proof;
    const was_heard = this.#detector.silence_ms(this.#now_ms - slept_ms) < this.#detector.timeout_ms;
    if (was_heard) this.#detector.forgive(this.#now_ms);
    if (this.role !== "active") return;
    this.#event(
      "slept",
      "warning",
      `This node did not run for ${Math.round(slept_ms)} ms; it asks its peer before it goes on.`,
    );
    this.#become("resuming");
    this.#announcer.released();
    this.#urgent = true;
  }

  /** S5a: the loss of the cluster network alone moves the active role, once, to a peer that is heard elsewhere. */
  #watchClusterNetwork(): void {
    const heard = this.pathHeard(0);
    if (heard) {
      if (this.#cluster_heard_since_ms === Number.POSITIVE_INFINITY) this.#cluster_heard_since_ms = this.#now_ms;
      return;
    }
    const trusted = this.#now_ms - this.#cluster_heard_since_ms >= LINK_TRUST_MS;
    this.#cluster_heard_since_ms = Number.POSITIVE_INFINITY;
    // A silent peer is another matter: it may be dead, and nobody hands over to the dead.
    if (!trusted || !this.heard) return;
    this.#event("cluster-network-lost", "warning", "The peer is no longer heard over the cluster network.");
    if (
      this.role === "active" &&
      this.configuration.tuning.on_link_loss === "switch" &&
      !this.#peerIsLessFit(this.peer)
    ) {
      this.#beginHandOver("the cluster network was lost", null);
    }
  }

  #watchPeer(): void {
    const heard = this.heard;
    if (this.#was_heard && !heard && this.role === "active") {
      this.#event(
        "peer-lost",
        "warning",
        `${this.configuration.peer_name} is no longer heard on any path; nobody can take over from this node.`,
      );
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
    }
    if (this.role !== "active" && this.#hand_over !== null) this.#endHandOver(null);
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
      if (peer.role === "active" || peer.role === "resuming") return;
      if (this.#agree(peer)) return;
      if (this.#isUnwilling() || !this.#isPreferred(peer)) {
        // Handed to us although the peer looks fitter (an operator's switch): the consent decides.
        if (!this.#isUnwilling() && this.#hasConsent(peer)) this.#claim(peer.term, "The peer handed over");
        return;
      }
      if (this.#hasConsent(peer)) return this.#claim(peer.term, "The peer agreed");
      if (!this.#hasOwnWish() || peer.term > this.term) {
        this.term = this.#ownTermAbove(Math.max(this.term, peer.term));
        this.#reply_now = true;
      }
      return;
    }
    // Service before symmetry: a node that is merely impaired still replaces one that died.
    if (!this.#stopping && !this.#gate_broken) this.#seekEvidence();
  }

  /** The peer, not active, shows a term of ours that is not below our own: it lets us claim it. */
  #hasConsent(peer: Heartbeat): boolean {
    const is_new = peer.term >= this.term && peer.term > this.#spent_term;
    return !peer.wish && this.#isOurs(peer.term) && is_new && this.#provedSince(this.#proof);
  }

  /** Agrees to the wish of a peer that should be active: its term becomes ours. */
  #agree(peer: Heartbeat): boolean {
    if (!peer.wish || peer.term <= this.term || this.#isOurs(peer.term)) return false;
    this.term = peer.term;
    this.#reply_now = true;
    return true;
  }

  #seekEvidence(): void {
    const { paths, addresses } = this.configuration;
    const silence_ms = this.#detector.silence_ms(this.#now_ms);
    const timeout_ms = this.peer === null ? 0 : this.#detector.timeout_ms;
    this.#output.frames.push(
      ...this.#evidence.probes(this.#now_ms, paths, (slot) => this.links.hasCarrier(slot), addresses),
    );
    if (silence_ms < timeout_ms) return;
    if (this.role === "backup") {
      this.#become("probing");
      this.#probing_since_ms = this.#now_ms;
      if (this.peer !== null) {
        this.#event(
          "peer-silent",
          "warning",
          `${this.configuration.peer_name} has been silent on every path for ${Math.round(silence_ms)} ms.`,
        );
      }
    }
    if (this.#evidence.isConclusive(this.#now_ms)) {
      return this.#claim(
        this.#ownTermAbove(this.term),
        "The peer is silent and nobody answers for the shared addresses",
      );
    }
    if (
      this.#now_ms - this.#probing_since_ms >= SILENT_PEER_ALARM_MS &&
      this.#now_ms - this.#evidence.answered_ms < SILENT_PEER_ALARM_MS
    ) {
      const message = `${this.configuration.peer_name} is alive but silent: its kernel answers for the shared addresses and no heartbeat arrives; check what blocks EtherType 0x88b5 between the nodes.`;
      if (!this.#alarms.has("silent-peer")) this.#event("silent-peer", "error", message);
      this.#raise("silent-peer", message, SILENT_PEER_ALARM_MS);
    }
  }

  #decideActive(): void {
    this.#considerLinks();
    if (this.#hand_over !== null) this.#pursueHandOver(this.#hand_over);
    if (this.role !== "active") return;
    this.#output.frames.push(...this.#announcer.due(this.#now_ms));
    const verdict = this.#announcer.verdict(this.#now_ms);
    if (verdict === null || verdict.asked === 0) return;
    const { followed, asked, missing } = verdict;
    if (missing.length === 0) {
      this.#event("neighbours-followed", "info", `All ${asked} known neighbours and gateways answer this node.`);
    } else {
      this.#event(
        "neighbours-missing",
        "warning",
        `${followed} of ${asked} known neighbours and gateways answer this node; silent: ${missing.join(", ")}.`,
      );
    }
  }

  /** B5: a data link that we lost and the peer still has. */
  #considerLinks(): void {
    if (this.#hand_over !== null || this.peer === null || !this.heard || this.peer.unwilling) return;
    const mine = this.links.bits(this.#now_ms);
    const lost = this.peer.links & ~mine;
    if (lost !== 0 && countBits(this.peer.links) > countBits(mine))
      this.#beginHandOver("the peer has a data link that this node lost", null);
  }

  #beginHandOver(reason: string, id: number | null): void {
    if (this.role !== "active") return;
    if (this.#hand_over !== null) {
      if (id !== null)
        this.#output.answers.push({ id, failure: { code: "busy", message: "The node is handing over already." } });
      return;
    }
    this.#hand_over = { reason, id, since_ms: this.#now_ms, proof: this.conversation.sequence + 1 };
    this.#urgent = true;
  }

  #pursueHandOver(hand_over: HandOver): void {
    const { peer } = this;
    const ready = peer !== null && peer.role !== "active" && !peer.unwilling && this.#provedSince(hand_over.proof);
    if (ready) {
      this.#event(
        "handed-over",
        "info",
        `This node hands over to ${this.configuration.peer_name}: ${hand_over.reason}.`,
      );
      this.#stepDown();
      // Our consent: the next term of the peer, shown by a node that is no longer active.
      this.term = nextTerm(Math.max(this.term, peer.term), other(this.configuration.node));
      this.#reply_now = true;
      this.#endHandOver(null);
    } else if (this.#now_ms - hand_over.since_ms >= HANDOVER_MS_MAX || !this.heard) {
      this.#endHandOver({ code: "peer-silent", message: "The peer did not answer; this node stays active." });
    }
  }

  #endHandOver(failure: Answer["failure"]): void {
    const id = this.#hand_over?.id ?? null;
    this.#hand_over = null;
    if (id !== null) this.#output.answers.push({ id, failure });
  }

  #decideResuming(): void {
    const { peer } = this;
    if (
      peer !== null &&
      this.#provedSince(this.#proof) &&
      peer.role !== "active" &&
      peer.term <= this.term &&
      !peer.wish
    ) {
      this.#become("active");
      this.#output.open_lease = true;
      this.#announcer.claimed(this.#now_ms);
    } else if (!this.heard || (peer !== null && this.#provedSince(this.#proof))) {
      this.#become("backup");
    }
  }

  #claim(term: number, why: string): void {
    this.term = term;
    this.#spent_term = term;
    this.#evidence.reset();
    this.#become("active");
    // The loss that brought us the active role must not send it back: trust in the link is earned anew.
    if (this.#cluster_heard_since_ms < this.#now_ms) this.#cluster_heard_since_ms = this.#now_ms;
    this.#event("became-active", "info", `This node is active (term ${term}): ${lowerFirst(why)}.`);
    this.#output.open_lease = true;
    this.#announcer.claimed(this.#now_ms);
    this.#alarms.delete("silent-peer");
    this.#reply_now = true;
  }

  #stepDown(): void {
    this.#become("backup");
    this.#announcer.released();
    this.#reply_now = true;
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

  #speak(): void {
    const { tuning } = this.configuration;
    const quiet_ms = this.#now_ms - this.#sent_ms;
    const answers = this.#owes_answer && quiet_ms >= URGENT_INTERVAL_MS;
    if (!this.#reply_now && !answers && !this.#urgent && quiet_ms < tuning.interval_ms) return;
    // A kernel tick before its end the lease may be gone already; nobody can have claimed yet, so it is reopened.
    if (this.role === "active" && quiet_ms >= tuning.lease_ms - 2 * LEASE_SLACK_MS) this.#output.open_lease = true;
    this.conversation.next(this.#now_ms);
    const urgent = this.#urgent;
    this.#urgent = false;
    this.#reply_now = false;
    this.#owes_answer = false;
    this.#sent_ms = this.#now_ms;
    const { node, cluster, authenticate, settings_revision, version, build } = this.configuration;
    const wish =
      (this.role === "backup" || this.role === "probing") &&
      this.peer !== null &&
      this.peer.role !== "active" &&
      this.#hasOwnWish() &&
      !this.#isUnwilling() &&
      this.#isPreferred(this.peer);
    const heartbeats = this.configuration.paths
      .filter((path) => path.heartbeat)
      .map((path) => {
        const heartbeat: Heartbeat = {
          node,
          role: this.role,
          wish,
          unwilling: this.#isUnwilling(),
          urgent,
          slot: path.slot,
          ...this.conversation.fields(path.slot, this.#now_ms),
          term: this.term,
          links: this.links.bits(this.#now_ms),
          settings_revision,
          version,
          build,
        };
        const destination = this.pathHeard(path.slot) ? path.peer_mac : BROADCAST;
        return { slot: path.slot, frame: emitHeartbeat(heartbeat, cluster, path.mac, destination, authenticate) };
      });
    // Heartbeats first: they carry the claim, and they renew the lease that the announcements need.
    this.#output.frames.unshift(...heartbeats);
  }

  #wakeAt(): number {
    const { tuning } = this.configuration;
    let wake_ms = this.#sent_ms + (this.#owes_answer ? URGENT_INTERVAL_MS : tuning.interval_ms);
    if (this.role === "active") wake_ms = Math.min(wake_ms, this.#announcer.wake_ms);
    if (this.role === "backup" || this.role === "probing") {
      const heard_ms = this.#now_ms - this.#detector.silence_ms(this.#now_ms);
      const silent_at_ms = heard_ms + this.#detector.timeout_ms;
      for (const at of [silent_at_ms, this.#evidence.conclusive_ms, this.#evidence.next_probe_ms]) {
        if (at > this.#now_ms) wake_ms = Math.min(wake_ms, at);
      }
    }
    return wake_ms;
  }

  #path(slot: number): CorePath | undefined {
    return this.configuration.paths.find((path) => path.slot === slot);
  }

  #drop(reason: string): void {
    this.dropped[reason] = (this.dropped[reason] ?? 0) + 1;
  }

  #raise(code: string, message: string, hold_ms: number): void {
    this.#alarms.set(code, { message, until_ms: this.#now_ms + hold_ms });
  }

  #event(code: string, severity: HeartEvent["severity"], message: string): void {
    this.#output.events.push({ code, severity, message, at_ms: this.#now_ms });
  }
}

function macName(mac: Uint8Array): string {
  return [...mac].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function emptyOutput(): Output {
  return { role: "listening", hold: false, open_lease: false, frames: [], events: [], answers: [], wake_ms: 0 };
}
