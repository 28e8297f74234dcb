/**
 * What the two sides of a pairing have in common: the loop on the reserved card, its cards switched on,
 * the time that is left, and the end. The joiner's session is in pairing-joiner.ts, the creator's in pairing-creator.ts.
 */
import { createHash } from "node:crypto";
import type { Agreement, Introduction, Message } from "../core/pairing/messages.ts";
import { Failure } from "../errors.ts";
import { listCards, listLinks, setLinkUp } from "../kernel/links.ts";
import { openShim } from "../shim.ts";
import { BUILD, VERSION } from "../version.ts";
import type { CertificateAndKey } from "./certificate.ts";
import { hasLink } from "./cluster-card.ts";
import { PairingWire } from "./pairing-wire.ts";

export const TURN_MS = 20;
export const REPEAT_MS = 200;
/** A card needs some seconds for its link after it was switched on. */
const LINK_MS_MAX = 5000;
/** A peer that was not heard for so long has gone. */
const SILENCE_MS_MAX = 5000;
/** A refusal is the last word, so it is said more than once. */
const LAST_WORDS = 3;

/** Who this node is when it pairs. */
export interface Identity {
  name: string;
  nic: string;
  /** Text of its license; null where there is none. */
  license: string | null;
  tls: CertificateAndKey;
}

/** What `status` shows of a pairing. */
export interface PairingStatus {
  side: "joiner" | "creator";
  /** joiner: searching, found, confirmed, joining; creator: searching, found, confirmed, testing, applying. */
  state: "searching" | "found" | "confirmed" | "testing" | "applying" | "joining";
  /** What the joiner's console shows. */
  code: string | null;
  seconds_left: number;
  /** What it waits for, one sentence. */
  waiting: string;
  peer: ShownPeer | null;
}

/** `reserved` is the card of the cluster network: it belongs to no pair. */
export interface ShownPeer extends Pick<Introduction, "name" | "version" | "build"> {
  cards: (Introduction["cards"][number] & { reserved: boolean })[];
}

/** What others see of an introduction. */
export function shownPeer({ name, version, build, cards, cluster }: Introduction): ShownPeer {
  return { name, version, build, cards: cards.map((card) => ({ ...card, reserved: card.nic === cluster.nic })) };
}

export function introduce({ name, nic, license, tls }: Identity): Introduction {
  const cards = listCards(openShim()).map(({ name: card, mac }) => ({ nic: card, mac }));
  const cluster = cards.find((card) => card.nic === nic);
  if (cluster === undefined) throw new Failure("unknown-interface", `There is no interface ${nic}.`);
  const digest = license === null ? null : createHash("sha256").update(license).digest("hex");
  return { name, version: VERSION, build: BUILD, cards, cluster, license: digest, certificate: tls.certificate };
}

export abstract class PairingSession {
  abstract readonly side: "joiner" | "creator";
  readonly introduction: Introduction;
  protected readonly wire = new PairingWire();
  protected readonly deadline_ms: number;
  protected linked_ms: number;
  protected heard_ms = 0;
  readonly #raised: string[] = [];
  #said_ms = Number.NEGATIVE_INFINITY;
  #cancelled = false;

  constructor(identity: Identity, timeout_s: number) {
    this.introduction = introduce(identity);
    this.linked_ms = openShim().now();
    this.deadline_ms = this.linked_ms + timeout_s * 1000;
  }

  abstract status(): PairingStatus;
  /** What was agreed on, once it is stored here. */
  abstract get agreement(): Agreement | null;
  /** True once this side has stored the cluster: from there on there is no way back. */
  abstract get stored(): boolean;
  /** True while it is not known whether the other side has stored it. */
  protected abstract get is_due(): boolean;
  /** The name of a node that may have stored the cluster and has not been heard to say so; null where there is none. */
  protected abstract get in_doubt(): string | null;
  /** One turn of the loop; true ends it. Throws Failure where pairing fails. */
  protected abstract turn(now_ms: number): boolean;
  protected abstract words(): Message[];
  /** What the peer is told when this side fails; it says it in `words`. */
  protected abstract failed(failure: unknown): void;

  get nic(): string {
    return this.introduction.cluster.nic;
  }

  /** Before `stored` nothing has changed then; after it, only its last words are left out. */
  cancel(): void {
    this.#cancelled = true;
  }

  protected seconds_left(): number {
    return Math.max(0, Math.ceil((this.deadline_ms - openShim().now()) / 1000));
  }

  protected is_silent(now_ms: number): boolean {
    return now_ms - this.heard_ms >= SILENCE_MS_MAX;
  }

  /** No link for longer than a card needs to get one. */
  protected is_unlinked(now_ms: number): boolean {
    if (hasLink(this.nic)) this.linked_ms = now_ms;
    return now_ms - this.linked_ms >= LINK_MS_MAX;
  }

  /** Runs to the end. Throws Failure where it is refused, cancelled or takes too long. */
  async run(): Promise<void> {
    const shim = openShim();
    try {
      this.raiseCards([this.nic]);
      this.wire.open(this.nic, this.introduction.cluster.mac);
      for (;;) {
        const now_ms = shim.now();
        if (!this.stored && !this.is_due) this.#demandTime(now_ms);
        if (this.turn(now_ms) || (this.stored && this.#cancelled)) break;
        if (now_ms - this.#said_ms >= REPEAT_MS) this.speak(now_ms);
        await Bun.sleep(TURN_MS);
      }
      await this.#sayLastWords();
    } catch (error) {
      this.failed(error);
      await this.#sayLastWords();
      throw error;
    } finally {
      this.wire.close();
      this.#lowerCards(this.stored ? this.#cardsOfCluster() : []);
    }
  }

  /** At once, where something new was heard; by itself every REPEAT_MS. */
  protected speak(now_ms: number): void {
    this.#said_ms = now_ms;
    for (const message of this.words()) this.wire.say(this.nic, message);
  }

  async #sayLastWords(): Promise<void> {
    for (let i = 0; i < LAST_WORDS; i++) {
      this.speak(0);
      await Bun.sleep(TURN_MS);
    }
  }

  #demandTime(now_ms: number): void {
    const name = this.in_doubt;
    const doubt = `${name} may have created the cluster all the same: if its status says so, destroy it there and start again.`;
    if (this.#cancelled) {
      const what = name === null ? "nothing has changed." : `this node is as it was. ${doubt}`;
      throw new Failure("cancelled", `Pairing was cancelled; ${what}`);
    }
    if (now_ms < this.deadline_ms) return;
    const whom = this.side === "joiner" ? "active" : "waiting";
    throw new Failure(
      "pairing-timeout",
      name === null
        ? `No ${whom} node answered in time; check the cable and start again.`
        : `${name} was not heard again in time; this node is as it was. ${doubt}`,
    );
  }

  /**
   * A free card is down as a rule, and takes some seconds for its link. On with the reserved one at first, and with all
   * once there is a peer, so that they can be tested.
   */
  protected raiseCards(nics = this.introduction.cards.map(({ nic }) => nic)): void {
    const shim = openShim();
    const wired = listCards(shim).filter(({ wireless, name }) => !wireless && nics.includes(name));
    for (const link of wired) {
      if (link.up || this.#raised.includes(link.name)) continue;
      setLinkUp(shim, link, true);
      this.#raised.push(link.name);
    }
  }

  /** Those that were off before are off again, but for what the cluster uses now. */
  #lowerCards(used: string[]): void {
    const shim = openShim();
    const spare = this.#raised.filter((nic) => !used.includes(nic));
    for (const link of listLinks(shim)) if (spare.includes(link.name)) setLinkUp(shim, link, false);
  }

  #cardsOfCluster(): string[] {
    return [this.nic, ...(this.agreement?.bequest.slots ?? []).map((slot) => slot[this.side].nic)];
  }
}

export function clusterPresent(nic: string): Failure {
  return new Failure(
    "cluster-present",
    `A cluster is at work on the network of ${nic} already, and a cluster has exactly two nodes; use a cable of your own, or destroy that cluster first.`,
  );
}
