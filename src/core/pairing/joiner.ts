/**
 * The future backup's side of one exchange (see messages.ts). Messages go in, messages come out, the
 * caller repeats them; no I/O and no clock. After a refusal or a silence the caller begins a new exchange, with new keys.
 */
import { Failure } from "../../errors.ts";
import { CODE_DIGITS, Exchange, type PairingCryptography, WAIVED } from "./keys.ts";
import type { Agreement, Bequest, Introduction, Match, Message, Offer, Report } from "./messages.ts";

export interface CodeOptions {
  /** False where the administrator has waived the code. */
  code: boolean;
  code_digits?: number;
}

export class Joiner {
  readonly #cryptography: PairingCryptography;
  readonly #offer: Offer;
  readonly #digits: number;
  #exchange: Exchange | null = null;
  #creator_key = "";
  #guess: string | null = null;
  #report: { round: number; sealed: string } | null = null;
  /** The creator, once it has answered. */
  peer: Introduction | null = null;
  /** What the console shows once the creator has answered; null where it was waived. */
  code: string | null = null;
  /** The administrator over there typed this code, and both sides have proved it. */
  confirmed = false;
  test: { round: number; matches: Match[] } | null = null;
  agreement: Agreement | null = null;
  /** Set by the caller once the agreement is on its disk. */
  prepared = false;
  /** True once the creator has stored the cluster: now this side must, too. */
  committed = false;

  constructor(
    cryptography: PairingCryptography,
    introduction: Introduction,
    { code, code_digits = CODE_DIGITS }: CodeOptions,
  ) {
    this.#cryptography = cryptography;
    this.#digits = code_digits;
    const { public_key, nonce } = cryptography;
    this.#offer = { kind: "offer", introduction, public_key, commitment: cryptography.hash(nonce), code };
  }

  /** A message that is for anybody, or for this exchange. */
  isMeant(message: Message): boolean {
    return !("to" in message) || message.to === this.#cryptography.public_key;
  }

  /** The nonce has been said: whatever comes of it, this exchange was a try. */
  get opened(): boolean {
    return this.#guess !== null;
  }

  /** What to say now, and again until something is heard. */
  say(): Message[] {
    const exchange = this.#exchange;
    if (exchange === null) return [this.#offer];
    const proved = <K extends "seen" | "confirmed" | "ready" | "done">(kind: K) =>
      ({ kind, proof: exchange.proof(kind) }) as Message;
    if (this.committed) return [proved("done")];
    if (this.agreement !== null && this.prepared) return [proved("ready")];
    if (this.confirmed) {
      const report = this.#report;
      return [
        proved("confirmed"),
        ...(report === null ? [] : [{ kind: "report" as const, to: this.#creator_key, ...report }]),
      ];
    }
    if (this.opened) return [{ kind: "open", to: this.#creator_key, nonce: this.#cryptography.nonce }];
    return [proved("seen")];
  }

  /** Throws Failure where the creator refuses. Messages that do not fit are ignored. */
  hear(message: Message): void {
    if (!this.isMeant(message)) return;
    if (message.kind === "refuse") {
      // Anybody can say that. Once the creator may have stored the cluster, only its silence ends this exchange.
      if (this.prepared) return;
      throw new Failure(message.code, message.message);
    }
    if (message.kind === "answer") this.#hearAnswer(message);
    const exchange = this.#exchange;
    if (exchange === null) return;
    if (message.kind === "guess") this.#guess ??= message.guess;
    if (message.kind === "confirm" && this.#guess !== null)
      this.confirmed ||= exchange.guess(this.code ?? WAIVED, message.nonce) === this.#guess;
    if (!this.confirmed) return;
    if (message.kind === "test" && message.round !== this.test?.round) {
      const matches = exchange.open<Match[]>("test", message.sealed);
      if (matches !== null) this.test = { round: message.round, matches };
    }
    if (message.kind === "grant" && this.agreement === null && this.peer !== null) {
      const bequest = exchange.open<Bequest>("grant", message.sealed);
      if (bequest !== null) this.agreement = { ...exchange.cluster(), peer: this.peer, bequest };
    }
    if (message.kind === "commit" && this.prepared) this.committed ||= message.proof === exchange.proof("commit");
  }

  /** What arrived so far in the present segment test. */
  report(report: Report): void {
    if (this.#exchange === null || this.test === null) return;
    this.#report = { round: this.test.round, sealed: this.#exchange.seal("report", report) };
  }

  /** What the n-th match's probe carries in the present test. */
  token(match: number, from: "joiner" | "creator"): string {
    return this.#exchange?.token(this.test?.round ?? 0, match, from) ?? "";
  }

  #hearAnswer(answer: Message & { kind: "answer" }): void {
    // One creator an exchange; the refusal of one that differs about the code is the creator's to say.
    if (this.#exchange !== null || answer.code !== this.#offer.code) return;
    const exchange = new Exchange(this.#cryptography, this.#offer, answer);
    // Throws where the key cannot be used, before anything is taken from this answer.
    exchange.proof("seen");
    this.#exchange = exchange;
    this.#creator_key = answer.public_key;
    this.peer = answer.introduction;
    if (this.#offer.code) this.code = exchange.code(this.#cryptography.nonce, this.#digits);
  }
}
