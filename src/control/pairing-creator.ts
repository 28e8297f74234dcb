/**
 * The future active node's session, in steps that its administrator takes: search, code, test, apply.
 * It runs in the control process, whoever asks for the steps, and ends by itself when its time is over.
 */
import { Creator } from "../core/pairing/creator.ts";
import type { Agreement, Bequest, Match, Message } from "../core/pairing/messages.ts";
import { judgeSegments, type SegmentResult } from "../core/pairing/segments.ts";
import { Failure } from "../errors.ts";
import { openShim } from "../shim.ts";
import { cryptography } from "./pairing-cryptography.ts";
import {
  clusterPresent,
  type Identity,
  PairingSession,
  type PairingStatus,
  REPEAT_MS,
  shownPeer,
  TURN_MS,
} from "./pairing-session.ts";
import type { Heard } from "./pairing-wire.ts";
import { SegmentTest } from "./segment-test.ts";

/** It listens this long after the first offer: whoever else waits on this cable is heard by then (S1). */
const GATHER_MS = 3 * REPEAT_MS;
/** It goes on answering, so that a joiner whose `commit` was lost can still ask. */
const LINGER_MS = 3000;
/** How long a step may take; a joiner that was not heard for half of it has gone anyway. */
const STEP_MS_MAX = 10_000;
const TEST_MS_MAX = 1800;
const CODE = /^\d{6}$/;

export interface CreatorHost {
  /** What the joiner takes over. Throws Failure where the matches do not fit this node's settings. */
  bequest(matches: Match[]): Omit<Bequest, "slots">;
  store(agreement: Agreement): void;
}

export class CreatorSession extends PairingSession {
  readonly side = "creator";
  readonly #host: CreatorHost;
  readonly #dialogue: Creator;
  readonly #skip_code: boolean;
  #offered_ms = Number.POSITIVE_INFINITY;
  #test: SegmentTest | null = null;
  /** Matches that have passed the segment test, as `mine=theirs`. */
  readonly #tested = new Set<string>();
  #stored_ms: number | null = null;
  #ended: Failure | null = null;
  #busy = false;

  constructor(identity: Identity, options: { skip_code: boolean; timeout_s: number }, host: CreatorHost) {
    super(identity, options.timeout_s);
    this.#host = host;
    this.#skip_code = options.skip_code;
    this.#dialogue = new Creator(cryptography(), this.introduction, { code: !options.skip_code });
  }

  get stored(): boolean {
    return this.#stored_ms !== null;
  }

  /** It is this side that decides. */
  protected get is_due(): boolean {
    return false;
  }

  protected get in_doubt(): string | null {
    return null;
  }

  get agreement(): Agreement | null {
    return this.stored ? this.#dialogue.agreement : null;
  }

  status(): PairingStatus {
    const { peer, found, confirmed, agreement } = this.#dialogue;
    const waits = peer !== null && found && !confirmed;
    return {
      side: this.side,
      state:
        agreement !== null
          ? "applying"
          : this.#test !== null
            ? "testing"
            : confirmed
              ? "confirmed"
              : waits
                ? "found"
                : "searching",
      code: null,
      seconds_left: this.seconds_left(),
      waiting: waits ? `Waiting for the code that ${peer.name} shows.` : "Waiting for the backup node.",
      peer: found && peer !== null ? shownPeer(peer) : null,
    };
  }

  /** Resolves once a joiner was found and shows its code; where the code was waived, once that is agreed. */
  async found(): Promise<NonNullable<PairingStatus["peer"]>> {
    await this.#until(() => this.#dialogue.found && !this.#gathers(openShim().now()), Number.POSITIVE_INFINITY);
    if (this.#skip_code) {
      this.#dialogue.type("");
      await this.#until(() => this.#dialogue.confirmed, STEP_MS_MAX);
    }
    return shownPeer(this.#dialogue.peer ?? this.introduction);
  }

  /** Throws Failure `wrong-code`, after which this session has ended. */
  async type(code: string): Promise<void> {
    if (!CODE.test(code)) throw new Failure("bad-code", "The code has six digits; type what the other node shows.");
    if (!this.#dialogue.found) throw new Failure("not-found", "No waiting node has been found yet.");
    this.#dialogue.type(code);
    await this.#until(() => this.#dialogue.confirmed, STEP_MS_MAX);
  }

  /** Sends frames between the cards of each match. */
  test(matches: Match[]): Promise<SegmentResult[]> {
    return this.#alone(() => this.#testSegments(matches));
  }

  /** Creates the cluster, once every match has passed the segment test. */
  apply(matches: Match[]): Promise<void> {
    return this.#alone(async () => {
      const given = this.#host.bequest(matches);
      const untested = matches.filter(({ mine, theirs }) => !this.#tested.has(`${mine}=${theirs}`));
      const results = untested.length === 0 ? [] : await this.#testSegments(matches);
      const bad = results.find(({ advice }) => advice !== null);
      if (bad?.advice) throw new Failure("segments-differ", bad.advice);
      this.#dialogue.apply(matches, given);
      try {
        await this.#until(() => this.stored, STEP_MS_MAX);
      } catch (error) {
        // What was granted is taken back before anything else is heard.
        this.cancel();
        throw error;
      }
    });
  }

  async #testSegments(matches: Match[]): Promise<SegmentResult[]> {
    const { peer } = this.#dialogue;
    this.#dialogue.test(matches);
    for (const { nic, mac } of this.introduction.cards) this.wire.open(nic, mac);
    const ours = matches.map(({ mine: nic }, match) => ({
      nic,
      says: this.#dialogue.token(match, "creator"),
      expects: this.#dialogue.token(match, "joiner"),
    }));
    const test = new SegmentTest(this.wire, ours);
    this.#test = test;
    try {
      const judge = () => {
        const nothing = { arrivals: [], unlinked: [] };
        const theirs = { name: peer?.name ?? "", report: this.#dialogue.report ?? nothing };
        return judgeSegments(matches, { name: this.introduction.name, report: test.report() }, theirs);
      };
      const deadline_ms = openShim().now() + TEST_MS_MAX;
      await this.#until(
        () => openShim().now() >= deadline_ms || judge().every(({ advice }) => advice === null),
        STEP_MS_MAX,
      );
      const results = judge();
      for (const { mine, theirs, advice } of results) {
        if (advice === null) this.#tested.add(`${mine}=${theirs}`);
        else this.#tested.delete(`${mine}=${theirs}`);
      }
      return results;
    } finally {
      this.#test = null;
    }
  }

  async #alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.#busy || this.stored)
      throw new Failure("pairing-busy", "This pairing is at work already; wait for its end.");
    this.#busy = true;
    try {
      return await work();
    } finally {
      this.#busy = false;
    }
  }

  /** Polls, as the session's own loop does what is waited for. Throws what ended the session meanwhile. */
  async #until(holds: () => boolean, limit_ms: number): Promise<void> {
    const deadline_ms = openShim().now() + limit_ms;
    while (!holds()) {
      if (this.#ended !== null) throw this.#ended;
      if (openShim().now() >= deadline_ms) {
        const name = this.#dialogue.peer?.name ?? "The other node";
        throw new Failure("no-answer", `${name} does not answer; nothing has changed. See its console, and try again.`);
      }
      await Bun.sleep(TURN_MS);
    }
    if (this.#ended !== null && !this.stored) throw this.#ended;
  }

  protected turn(now_ms: number): boolean {
    this.#watchLink(now_ms);
    for (const heard of this.wire.poll()) this.#hear(heard, now_ms);
    if (this.#dialogue.peer !== null && !this.stored && this.is_silent(now_ms)) {
      const { name } = this.#dialogue.peer;
      throw new Failure("peer-gone", `${name} is not heard any more; see its console and the cable, and search again.`);
    }
    this.#test?.turn(now_ms);
    const { ready, agreement } = this.#dialogue;
    if (ready && agreement !== null && !this.stored) {
      this.#host.store(agreement);
      this.#stored_ms = now_ms;
      this.#dialogue.stored();
    }
    return this.#stored_ms !== null && (this.#dialogue.done || now_ms - this.#stored_ms >= LINGER_MS);
  }

  protected words(): Message[] {
    return this.#ended === null && this.#gathers(openShim().now()) ? [] : this.#dialogue.say();
  }

  protected failed(failure: unknown): void {
    this.#ended = failure instanceof Failure ? failure : new Failure("internal", String(failure));
    // Whoever was refused is told why; any other is to go on waiting.
    const said = this.#dialogue.say().some(({ kind }) => kind === "refuse");
    if (!said) this.#dialogue.refuse(new Failure("cancelled", "The other node has given this up."));
  }

  #gathers(now_ms: number): boolean {
    return now_ms - this.#offered_ms < GATHER_MS;
  }

  /** The future backup waits without a link, this side refuses: the other one must be there by now. */
  #watchLink(now_ms: number): void {
    if (this.stored || !this.is_unlinked(now_ms)) return;
    throw new Failure(
      "no-link",
      `${this.nic} has no link; connect its cable to the other node, let that one join first, and start again.`,
    );
  }

  #hear(heard: Heard, now_ms: number): void {
    // S1: only the new peer's heartbeats can be on this cable, once it has agreed.
    if ("heartbeat" in heard) {
      if (heard.nic === this.nic && this.#dialogue.agreement === null) throw clusterPresent(this.nic);
      return;
    }
    const { nic, message } = heard;
    if (message.kind === "probe") return this.#test?.hear(nic, message.token);
    if (nic !== this.nic) return;
    if (message.kind === "offer") this.#offered_ms = Math.min(this.#offered_ms, now_ms);
    const before = this.#dialogue.say()[0]?.kind;
    this.#dialogue.hear(message);
    this.heard_ms = now_ms;
    if (this.#dialogue.peer !== null) this.raiseCards();
    if (this.#dialogue.say()[0]?.kind !== before && !this.#gathers(now_ms)) this.speak(now_ms);
  }
}
