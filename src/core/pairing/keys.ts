/** What both sides compute from an exchange: the keys, the code, and the proofs of either. */
import type { Answer, Offer } from "./messages.ts";

/** Injected cryptography: one key pair and one nonce for one exchange. Keys, nonces and proofs are hex. */
export interface PairingCryptography {
  public_key: string;
  /** 32 random bytes, said to nobody before its time. */
  nonce: string;
  hash(text: string): string;
  /** 32 bytes of key material for `label`, from the agreement with `peer_key` and bound to `transcript`. */
  derive(peer_key: string, transcript: string, label: string): string;
  proof(key: string, text: string): string;
  seal(key: string, text: string): string;
  /** Null where it was not sealed with this key. */
  open(key: string, sealed: string): string | null;
}

export const CODE_DIGITS = 6;
/** What stands for the code where both administrators have waived it. */
export const WAIVED = "waived";

/** A purpose each: what was sealed for one is never taken for another. */
type Purpose = "proof" | "code" | "guess" | "test" | "report" | "probe" | "grant";

/** An exchange in which both public keys and both introductions are known. */
export class Exchange {
  readonly #cryptography: PairingCryptography;
  readonly #peer_key: string;
  readonly #transcript: string;
  readonly #keys = new Map<string, string>();

  constructor(cryptography: PairingCryptography, offer: Offer, answer: Answer) {
    this.#cryptography = cryptography;
    this.#peer_key = offer.public_key === cryptography.public_key ? answer.public_key : offer.public_key;
    this.#transcript = `${JSON.stringify(offer)}\n${JSON.stringify(answer)}`;
  }

  #key(label: Purpose | "cluster id" | "heartbeat key"): string {
    const known = this.#keys.get(label);
    if (known !== undefined) return known;
    const key = this.#cryptography.derive(this.#peer_key, this.#transcript, label);
    this.#keys.set(label, key);
    return key;
  }

  /** The code of an exchange: with 64 bits of key material every number of `digits` digits is as likely. */
  code(nonce: string, digits: number): string {
    const number = BigInt(`0x${this.#cryptography.proof(this.#key("code"), nonce).slice(0, 16)}`);
    return (number % 10n ** BigInt(digits)).toString().padStart(digits, "0");
  }

  /** A commitment to a code that only the two of this exchange can make or check, with `nonce`. */
  guess(code: string, nonce: string): string {
    return this.#cryptography.proof(this.#key("guess"), `${code} ${nonce}`);
  }

  proof(what: string): string {
    return this.#cryptography.proof(this.#key("proof"), what);
  }

  /** What a probe of the segment test carries, so that only the peer's count. */
  token(round: number, match: number, from: "joiner" | "creator"): string {
    return this.#cryptography.proof(this.#key("probe"), `${round} ${match} ${from}`);
  }

  seal(purpose: "test" | "report" | "grant", value: unknown): string {
    return this.#cryptography.seal(this.#key(purpose), JSON.stringify(value));
  }

  /** Null where it was not sealed in this exchange for this purpose. */
  open<T>(purpose: "test" | "report" | "grant", sealed: string): T | null {
    const text = this.#cryptography.open(this.#key(purpose), sealed);
    return text === null ? null : (JSON.parse(text) as T);
  }

  /** What the cluster lives on. */
  cluster(): { id: string; key: string } {
    return { id: this.#key("cluster id").slice(0, 8), key: this.#key("heartbeat key") };
  }
}
