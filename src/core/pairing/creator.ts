/**
 * The future active node's side of one exchange (see messages.ts), in steps that its administrator
 * takes: found, code typed, cards tested, applied. Messages go in, messages come out, the caller repeats them; no I/O
 * and no clock. One joiner, one commitment, one code an exchange: whatever goes wrong ends it, and the next has new keys.
 */
import { Failure } from "../../errors.ts";
import { PAIRING_BYTES_MAX } from "../../wire/pairing.ts";
import type { CodeOptions } from "./joiner.ts";
import { CODE_DIGITS, Exchange, type PairingCryptography, WAIVED } from "./keys.ts";
import type { Agreement, Answer, Bequest, Introduction, Match, Message, Offer, Report } from "./messages.ts";
import { demandFit, matchCards } from "./requirements.ts";

/** What of a message is left for the settings beside its other fields. */
const GRANT_CHARACTERS_MAX = PAIRING_BYTES_MAX - 200;
/** Nodes that are told of their refusal; more than these are on no cable by accident. */
const REFUSALS_MAX = 8;

export class Creator {
  readonly #cryptography: PairingCryptography;
  readonly #introduction: Introduction;
  readonly #options: CodeOptions;
  #offer: Offer | null = null;
  #exchange: Exchange | null = null;
  #answer: Message | null = null;
  #typed: string | null = null;
  readonly #refusals: Message[] = [];
  #round = 0;
  #testing = false;
  /** The joiner shows the code. */
  found = false;
  /** Both sides have proved that they have the same code. */
  confirmed = false;
  /** The peer's latest report of the present test. */
  report: Report | null = null;
  agreement: Agreement | null = null;
  /** The joiner has everything on its disk: store the cluster, then call `stored`. */
  ready = false;
  done = false;

  constructor(cryptography: PairingCryptography, introduction: Introduction, options: CodeOptions) {
    this.#cryptography = cryptography;
    this.#introduction = introduction;
    this.#options = options;
  }

  /** The joiner, once it was heard. */
  get peer(): Introduction | null {
    return this.#offer?.introduction ?? null;
  }

  /** What to say now; nothing while nobody has offered. */
  say(): Message[] {
    return this.#answer === null ? this.#refusals : [...this.#refusals, this.#answer];
  }

  /** Throws Failure where the two do not fit together; the joiner is told as well. */
  hear(message: Message): void {
    if (message.kind === "offer") return this.#hearOffer(message);
    if (message.kind === "answer") return this.#hearCreator(message);
    const exchange = this.#exchange;
    if (exchange === null || ("to" in message && message.to !== this.#cryptography.public_key)) return;
    const proved = "proof" in message && message.proof === exchange.proof(message.kind);
    if (message.kind === "seen" && proved) this.found = true;
    if (message.kind === "open") this.#hearNonce(exchange, message.nonce);
    if (message.kind === "confirmed" && proved && this.#answer?.kind === "confirm") this.confirmed = true;
    if (message.kind === "report" && this.#testing && message.round === this.#round)
      this.report = exchange.open<Report>("report", message.sealed) ?? this.report;
    if (message.kind === "ready" && proved && this.agreement !== null) this.ready = true;
    if (message.kind === "done" && proved && this.ready) this.done = true;
  }

  /** The code that the administrator read on the joiner's console; anything where it was waived. Once an exchange. */
  type(code: string): void {
    if (this.#exchange === null || this.#offer === null || this.#typed !== null) return;
    this.#typed = this.#options.code ? code : WAIVED;
    const guess = this.#exchange.guess(this.#typed, this.#cryptography.nonce);
    this.#answer = { kind: "guess", to: this.#offer.public_key, guess };
  }

  /** Begins a segment test. Throws Failure where the cards cannot belong together. */
  test(matches: Match[]): void {
    const { exchange, offer } = this.#demandConfirmed();
    matchCards(this.#introduction, offer.introduction, matches);
    this.#round++;
    this.#testing = true;
    this.report = null;
    const sealed = exchange.seal("test", matches);
    this.#answer = { kind: "test", to: offer.public_key, round: this.#round, sealed };
  }

  /** What the n-th match's probe carries in the present test. */
  token(match: number, from: "joiner" | "creator"): string {
    return this.#exchange?.token(this.#round, match, from) ?? "";
  }

  /** Hands everything to the joiner. Throws Failure where the cards cannot belong together, or all is too large. */
  apply(matches: Match[], given: Omit<Bequest, "slots">): void {
    const { exchange, offer } = this.#demandConfirmed();
    const bequest: Bequest = { ...given, slots: matchCards(this.#introduction, offer.introduction, matches) };
    const sealed = exchange.seal("grant", bequest);
    if (sealed.length > GRANT_CHARACTERS_MAX)
      throw new Failure(
        "settings-too-large",
        `The settings of ${this.#introduction.name} are too large to be handed over at pairing; take out most of the addresses, port forwards or domains, and import them again once the cluster is there.`,
      );
    this.agreement = { ...exchange.cluster(), peer: offer.introduction, bequest };
    this.#answer = { kind: "grant", to: offer.public_key, sealed };
  }

  stored(): void {
    if (this.#exchange !== null) this.#answer = { kind: "commit", proof: this.#exchange.proof("commit") };
  }

  /** The last word to the joiner before the exchange is given up. */
  refuse(failure: Failure): void {
    if (this.#offer === null) return;
    this.#answer = null;
    this.#refuse(this.#offer.public_key, failure);
  }

  #demandConfirmed(): { exchange: Exchange; offer: Offer } {
    if (this.#exchange === null || this.#offer === null || !this.confirmed)
      throw new Failure("not-confirmed", "The code has not been confirmed yet; give that first.");
    return { exchange: this.#exchange, offer: this.#offer };
  }

  #hearOffer(offer: Offer): void {
    if (this.#offer !== null) return this.#hearAnother(this.#offer, offer);
    this.#offer = offer;
    try {
      demandFit(this.#introduction, offer.introduction);
      this.#demandSameCode(offer);
    } catch (error) {
      if (error instanceof Failure) this.#refuse(offer.public_key, error);
      throw error;
    }
    const { public_key } = this.#cryptography;
    const { code } = this.#options;
    const answer: Answer = { kind: "answer", to: offer.public_key, introduction: this.#introduction, public_key, code };
    this.#exchange = new Exchange(this.#cryptography, offer, answer);
    this.#answer = answer;
  }

  #demandSameCode({ code, introduction }: Offer): void {
    if (code === this.#options.code) return;
    const [without, other] = code
      ? [this.#introduction.name, introduction.name]
      : [introduction.name, this.#introduction.name];
    throw new Failure(
      "code-differs",
      `${without} was told --skip-code and ${other} was not; say it on both nodes or on neither.`,
    );
  }

  #hearNonce(exchange: Exchange, nonce: string): void {
    if (this.#offer === null || this.#typed === null || this.#answer?.kind !== "guess") return;
    if (this.#cryptography.hash(nonce) !== this.#offer.commitment) return;
    const { code, code_digits = CODE_DIGITS } = this.#options;
    if (this.#typed !== (code ? exchange.code(nonce, code_digits) : WAIVED)) {
      const failure = new Failure(
        "wrong-code",
        `That is not the code that ${this.#offer.introduction.name} shows, or somebody is between the two nodes; search again and type the new code.`,
      );
      this.refuse(failure);
      throw failure;
    }
    this.#answer = { kind: "confirm", to: this.#offer.public_key, nonce: this.#cryptography.nonce };
  }

  /** S1: a third node is refused; until the second one is settled nobody knows which is which, so both are. */
  #hearAnother(first: Offer, offer: Offer): void {
    if (offer.public_key === first.public_key) return;
    const is_same = offer.introduction.cluster.mac === first.introduction.cluster.mac;
    const names = `${first.introduction.name} and ${offer.introduction.name}`;
    const failure = is_same
      ? new Failure("joiner-restarted", `${offer.introduction.name} has begun to wait anew; search for it again.`)
      : new Failure(
          "third-node",
          `More than two nodes answer on this cluster network (${names} both wait to join); leave only the two that belong together.`,
        );
    if (!is_same) this.#refuse(offer.public_key, failure);
    if (this.ready) return;
    if (!is_same) this.refuse(failure);
    throw failure;
  }

  #hearCreator(answer: Answer): void {
    if (answer.public_key === this.#cryptography.public_key || this.ready) return;
    const failure = new Failure(
      "third-node",
      `Another node, ${answer.introduction.name}, is creating a cluster on this cluster network; leave only the two that belong together.`,
    );
    this.refuse(failure);
    throw failure;
  }

  #refuse(to: string, { code, message }: Failure): void {
    const known = this.#refusals.some((refusal) => refusal.kind === "refuse" && refusal.to === to);
    if (!known && this.#refusals.length < REFUSALS_MAX) this.#refusals.push({ kind: "refuse", to, code, message });
  }
}
