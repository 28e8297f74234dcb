/**
 * Settings on two disks. Decides and does no I/O of its own but through the chain: what the peer says, what the heart
 * says and the time come in; messages, verdicts and events come out.
 *
 *   change ──▶ active node ── append ──▶ backup: on disk ── stored ──▶ active node: on disk ──▶ confirmed
 *
 * - Only the active node takes changes, one at a time. Where both take themselves for active, the higher term decides.
 * - The backup stores first. So whatever is confirmed is on both disks, and a power cut in between leaves the backup
 *   ahead, which the active node then takes over: never confirmed, never lost either.
 * - A peer that is not heard is away: the active node confirms alone. One that is heard but does not store refuses the
 *   change, unless the administrator wants it on this node alone.
 * - When two histories meet, and one continues the other, both take the longer one. Else that of the active node wins,
 *   and the other node keeps its own revisions under a name.
 */
import { Failure } from "../errors.ts";
import { isGenuine } from "../settings/chain.ts";
import { answerFetch, answerLocate } from "./history.ts";
import { CONTENT_CHARACTERS_MAX, type Message, type MessageOf, PROTOCOL } from "./messages.ts";
import { Pull, type PullResult } from "./pull.ts";
import { failed, outcomeText } from "./sentences.ts";
import type { EngineOptions, Output, Proposal, Situation, Sync, SyncState, Verdict } from "./types.ts";

/** How long a change waits for the backup's disk. */
export const STORE_MS_MAX = 5000;
/** The newest revision is compared so often, and the connection kept alive with it. */
export const HEAD_INTERVAL_MS = 500;

interface Pending extends Proposal {
  deadline_ms: number;
  /** It left for the peer over this connection; "again" once the peer's next word shows that it may be in step. */
  asked: "no" | "yes" | "again";
  /** It has ever left: the peer may have it even where it cannot be confirmed. */
  may_be_there: boolean;
}

type PeerHead = Omit<MessageOf<"head">, "type">;

export class Engine {
  readonly #options: EngineOptions;
  #now_ms = 0;
  #situation: Situation = { active: false, term: 0, peer_heard: false };
  #connected = false;
  /** The peer's version, once it has said it. */
  #greeted: "no" | "yes" | "other-version" = "no";
  /** The peer's newest revision as far as known; null until it has said it on this connection. */
  #peer: PeerHead | null = null;
  /** The term in which the peer said that it is active; -1 where it says that it is not, or where we claimed since. */
  #claimed_term = -1;
  #pull: Pull | null = null;
  #parted: "no" | "yes" | "unrelated" = "no";
  #pending: Pending | null = null;
  #head_due_ms = 0;
  #told: SyncState | "unwritable" | "alone" | null = null;
  #out: Output = emptyOutput();

  constructor(options: EngineOptions) {
    this.#options = options;
  }

  situation(now_ms: number, situation: Situation): Output {
    return this.#turn(now_ms, () => {
      const before = this.#situation;
      this.#situation = situation;
      if (situation.active && (!before.active || before.term !== situation.term)) this.#claimed_term = -1;
      if (before.active !== situation.active || before.term !== situation.term) this.#sayHead();
    });
  }

  /** A connection whose other end is the peer, beyond doubt. One before it has ended. */
  connected(now_ms: number): Output {
    return this.#turn(now_ms, () => {
      this.#forgetConnection();
      this.#connected = true;
      const { version, build } = this.#options;
      this.#out.messages.push({ type: "hello", protocol: PROTOCOL, version, build });
      this.#sayHead();
    });
  }

  disconnected(now_ms: number): Output {
    return this.#turn(now_ms, () => this.#forgetConnection());
  }

  /** At least every `HEAD_INTERVAL_MS`, for all that only time brings about. */
  tick(now_ms: number): Output {
    return this.#turn(now_ms, () => {
      if (this.#pull?.isOverdue(now_ms)) this.#close("it does not answer");
      else if (now_ms >= this.#head_due_ms) this.#sayHead();
    });
  }

  /** One change; its verdict comes with this output or a later one. Not while another is under way. */
  propose(now_ms: number, proposal: Proposal): Output {
    return this.#turn(now_ms, () => {
      const { parent, content } = proposal.revision;
      if (this.#pending !== null) return this.#refuse("busy");
      if (!this.#isActive()) return this.#refuse("not-active");
      if (parent !== this.#options.chain.head().id) return this.#refuse("settings-moved");
      if (content.length > CONTENT_CHARACTERS_MAX) return this.#refuse("settings-too-large");
      this.#pending = { ...proposal, deadline_ms: now_ms + STORE_MS_MAX, asked: "no", may_be_there: false };
    });
  }

  receive(now_ms: number, message: Message): Output {
    return this.#turn(now_ms, () => {
      if (!this.#connected) return;
      if (message.type === "hello") return this.#takeHello(message);
      if (this.#greeted === "no") return this.#close("it did not say its version first");
      if (this.#greeted === "yes") this.#take(message);
    });
  }

  sync(): Sync {
    return {
      state: this.#state(),
      revision: this.#options.chain.head().number,
      peer_revision: this.#peer?.number ?? null,
    };
  }

  /** Whatever came in, what follows from it is looked at in the same order. */
  #turn(now_ms: number, work: () => void): Output {
    this.#now_ms = now_ms;
    this.#out = emptyOutput();
    work();
    this.#settlePending();
    this.#compare();
    this.#tellState();
    return this.#out;
  }

  #take(message: Exclude<Message, { type: "hello" }>): void {
    const { chain } = this.#options;
    switch (message.type) {
      case "head":
        return this.#takeHead(message);
      case "fetch":
        return void this.#out.messages.push(answerFetch(chain, message.after, this.#options.batch_revisions));
      case "locate":
        return void this.#out.messages.push(answerLocate(chain, message.ids));
      case "append":
        return this.#takeAppend(message);
      case "stored":
        return this.#takeStored(message);
      case "refused":
        return this.#takeRefused(message);
      case "unknown":
      case "common":
      case "batch":
        return this.#takeAnswer(message);
      case "maintenance":
      case "sessions-ended":
      case "uptime":
      case "timings":
      case "update":
      case "bundle-wanted":
      case "bundle-part":
        return;
    }
  }

  #takeHello({ protocol, version, build }: MessageOf<"hello">): void {
    if (this.#greeted !== "no") return this.#close("it greets twice");
    const alike = protocol === PROTOCOL && version === this.#options.version && build === this.#options.build;
    this.#greeted = alike ? "yes" : "other-version";
  }

  #takeHead({ id, number, active, term }: MessageOf<"head">): void {
    this.#peer = { id, number, active, term };
    this.#claimed_term = active ? term : -1;
    if (this.#pending?.asked === "again") this.#pending.asked = "no";
  }

  /** This node is the backup: on the disk first, then the answer. */
  #takeAppend({ term, revision }: MessageOf<"append">): void {
    const { chain, objection } = this.#options;
    this.#claimed_term = term;
    const refuse = (code: string, message: string): void => {
      this.#out.messages.push({ type: "refused", id: revision.id, code, message: message.slice(0, 1000) });
    };
    const head = chain.head();
    if (this.#isActive()) return refuse("not-backup", "the other node is active in a later term");
    if (head.id !== revision.id) {
      if (head.id !== revision.parent) {
        refuse("out-of-step", "the other node has other settings at the moment");
        return this.#sayHead();
      }
      if (!isGenuine(revision) || revision.content === "" || revision.number !== head.number + 1)
        return this.#close("it sent a change that is damaged");
      const why_not = objection(revision.content);
      if (why_not !== null) return refuse("bad-settings", why_not);
      const failure = this.#store(() => chain.append([revision]));
      if (failure !== null) return refuse(failure.code, failure.message);
    }
    this.#out.messages.push({ type: "stored", id: revision.id });
  }

  #takeStored({ id }: MessageOf<"stored">): void {
    const { revision } = this.#pending ?? {};
    if (revision?.id !== id || this.#peer === null) return;
    this.#peer = { ...this.#peer, id, number: revision.number };
  }

  #takeRefused({ id, code, message }: MessageOf<"refused">): void {
    const pending = this.#pending;
    if (pending?.revision.id !== id) return;
    pending.may_be_there = false;
    // Asked again once the two are in step, if that is before the change's time is over.
    pending.asked = "again";
    if (code === "out-of-step" || code === "not-backup") return;
    if (pending.alone) this.#confirm("alone");
    else this.#refuse("not-replicated", `${this.#options.peer_name} could not store it: ${message}`);
  }

  #takeAnswer(message: MessageOf<"unknown" | "common" | "batch">): void {
    const pull = this.#pull;
    if (pull === null || pull.isOutdated()) return;
    if (message.type === "unknown") return this.#follow(pull.takeUnknown(message));
    if (message.type === "common") return this.#follow(pull.takeCommon(message, this.#now_ms));
    if (pull.replacesOurs() && !this.#givesWay()) return this.#endPull();
    let result: PullResult | null = null;
    const failure = this.#store(() => {
      result = pull.takeBatch(message, this.#now_ms);
    });
    if (failure !== null || result === null) return this.#endPull();
    this.#follow(result);
  }

  #follow(result: PullResult): void {
    if (result.kind === "bad") return this.#close(`it sent ${result.what}`);
    if (result.kind === "ask") return void (result.message !== null && this.#out.messages.push(result.message));
    if (result.kind === "unrelated") {
      this.#parted = "unrelated";
      return this.#endPull();
    }
    if (result.kind === "parted") {
      this.#endPull();
      if (this.#parted === "no") this.#parted = "yes";
      if (!this.#givesWay() || this.#parted === "unrelated") return;
      this.#pull = this.#newPull();
      const question = this.#pull.locate(this.#now_ms);
      if (question !== null) this.#out.messages.push(question);
      return;
    }
    if (result.kept !== null) {
      this.#parted = "no";
      const { peer_name } = this.#options;
      this.#event("settings-kept", "warning", outcomeText.kept(peer_name, result.kept.count, result.kept.name));
    }
    if (result.message !== null) this.#out.messages.push(result.message);
    else this.#endPull();
  }

  /** Where do the two stand? Asks for what is missing here. */
  #compare(): void {
    const { chain } = this.#options;
    if (this.#pull?.isOutdated()) this.#endPull();
    if (this.#peer === null) return;
    if (chain.find(this.#peer.id) !== null) {
      this.#parted = "no";
      return this.#endPull();
    }
    // Of two that have parted one gives way; until it is known which, or where that did not help, nobody asks.
    if (this.#pull !== null || this.#out.close !== null) return;
    if (this.#parted === "unrelated" || (this.#parted === "yes" && !this.#givesWay())) return;
    this.#pull = this.#newPull();
    this.#out.messages.push(this.#pull.fetch(this.#now_ms));
  }

  #settlePending(): void {
    const pending = this.#pending;
    if (pending === null) return;
    const head = this.#options.chain.head();
    const peer = this.#peer;
    if (!this.#isActive()) return this.#refuse("not-active");
    if (head.id !== pending.revision.parent && head.id !== pending.revision.id) return this.#refuse("settings-moved");
    if (peer?.id === pending.revision.id) return this.#confirm("both");
    if (peer === null) {
      // A peer that is heard has its time to connect.
      if (!this.#situation.peer_heard || pending.alone) return this.#confirm("alone");
    } else if (peer.id === head.id && pending.asked === "no") {
      pending.asked = "yes";
      pending.may_be_there = true;
      this.#out.messages.push({ type: "append", term: this.#situation.term, revision: pending.revision });
    }
    if (this.#now_ms < pending.deadline_ms) return;
    if (pending.alone || !this.#situation.peer_heard) return this.#confirm("alone");
    this.#refuse("not-replicated");
  }

  #confirm(on: "both" | "alone"): void {
    const pending = this.#pending;
    if (pending === null) return;
    const { chain, peer_name } = this.#options;
    const { revision, local } = pending;
    if (chain.head().id !== revision.id) {
      const failure = this.#store(() => chain.append([revision], local));
      if (failure !== null) {
        const { code, message } = failure;
        const rest = pending.may_be_there ? outcomeText.mayBeThere(peer_name) : "";
        return this.#settle({ ok: false, code, message: message + rest });
      }
    }
    if (on === "alone" && this.#told !== "alone") {
      this.#told = "alone";
      this.#event("settings-alone", "warning", outcomeText.alone(peer_name, revision.number));
    }
    this.#settle({ ok: true, revision, on });
  }

  #refuse(code: Parameters<typeof failed>[0], reason?: string): void {
    const { peer_name } = this.#options;
    const why = reason ?? (this.#greeted === "other-version" ? `${peer_name} runs another version` : undefined);
    const verdict: Verdict = failed(code, peer_name, why, this.#pending?.may_be_there ?? false);
    // Another change that is under way has a verdict of its own to come.
    if (code === "busy") this.#out.verdict = verdict;
    else this.#settle(verdict);
  }

  #settle(verdict: Verdict): void {
    this.#pending = null;
    this.#out.verdict = verdict;
  }

  /** Everything that changes the disk goes through here. Null where it did, else why not; one event for a run of those. */
  #store(work: () => void): Failure | null {
    const { chain } = this.#options;
    const before = chain.head().id;
    try {
      work();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (this.#told !== "unwritable") this.#event("settings-unwritable", "error", error.message);
      this.#told = "unwritable";
      return error;
    }
    if (chain.head().id === before) return null;
    this.#out.moved = true;
    this.#sayHead();
    return null;
  }

  /** Active in the highest term that anybody claimed. */
  #isActive(): boolean {
    return this.#situation.active && this.#situation.term > this.#claimed_term;
  }

  #givesWay(): boolean {
    return !this.#isActive() && this.#peer !== null && this.#peer.active;
  }

  #newPull(): Pull {
    const { chain, nameKept, objection } = this.#options;
    return new Pull(chain, nameKept, objection);
  }

  #endPull(): void {
    this.#pull = null;
  }

  #sayHead(): void {
    this.#head_due_ms = this.#now_ms + HEAD_INTERVAL_MS;
    if (!this.#connected) return;
    const { id, number } = this.#options.chain.head();
    this.#out.messages.push({ type: "head", id, number, active: this.#isActive(), term: this.#situation.term });
  }

  #close(why: string): void {
    this.#out.close ??= why;
    this.#forgetConnection();
  }

  #forgetConnection(): void {
    this.#connected = false;
    this.#greeted = "no";
    this.#peer = null;
    this.#pull = null;
    this.#parted = "no";
    if (this.#pending !== null) this.#pending.asked = "no";
  }

  #state(): SyncState {
    if (this.#peer === null) return "away";
    if (this.#peer.id === this.#options.chain.head().id) return "in-sync";
    if (this.#options.chain.find(this.#peer.id) !== null) return "ahead";
    return this.#parted === "no" ? "behind" : "diverged";
  }

  /** A state is told when it begins; being ahead is the peer's to tell. */
  #tellState(): void {
    const state = this.#state();
    if (state === this.#told || state === "ahead" || state === "away") return;
    if (this.#told === "unwritable" && state !== "in-sync") return;
    this.#told = state;
    const { peer_name } = this.#options;
    const { number } = this.#options.chain.head();
    if (state === "in-sync") this.#event("settings-synced", "info", outcomeText.synced(peer_name, number));
    if (state === "behind")
      this.#event("settings-behind", "info", outcomeText.behind(peer_name, (this.#peer?.number ?? 0) - number));
    if (state === "diverged")
      this.#event("settings-diverged", "warning", outcomeText.diverged(peer_name, this.#parted === "unrelated"));
  }

  #event(code: string, severity: "info" | "warning" | "error", message: string): void {
    this.#out.events.push({ code, severity, message });
  }
}

function emptyOutput(): Output {
  return { events: [], moved: false, messages: [], close: null, verdict: null };
}
