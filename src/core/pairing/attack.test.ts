/**
 * A man in the middle, with codes of two digits so that chance can be seen: whatever he does in
 * whatever order, he is right once in a hundred; and always, where the commitment is not one.
 */
import { expect, test } from "bun:test";
import { introduction, seededCryptography } from "../../../test/pairing.ts";
import { Random } from "../../../test/random.ts";
import { Creator } from "./creator.ts";
import { Joiner } from "./joiner.ts";
import { Exchange, type PairingCryptography } from "./keys.ts";
import type { Answer, Message, Offer } from "./messages.ts";

const RUNS = 5000;
const OPTIONS = { code: true, code_digits: 2 };
/** Nonces that he tries until one pleases him, and keys. */
const GRINDS_MAX = 2000;
const KEYS_MAX = 8;
const TEST_MS = 60_000;

interface Fooled {
  creator: boolean;
  joiner: boolean;
}

const digitsOf = (exchange: Exchange, nonce: string) => exchange.code(nonce, OPTIONS.code_digits);

/** The man in the middle: to the joiner he plays the creator, to the creator the joiner. */
class Attack {
  readonly #random: Random;
  readonly #hash: ((text: string) => string) | undefined;
  readonly #joiner: Joiner;
  readonly #creator: Creator;
  readonly #offer: Offer;
  #creator_key = "";

  constructor(seed: number, hash?: (text: string) => string) {
    this.#random = new Random(seed);
    this.#hash = hash;
    this.#joiner = new Joiner(this.#keys(), introduction("two", 4), OPTIONS);
    this.#creator = new Creator(this.#keys(), introduction("one", 1), OPTIONS);
    this.#offer = this.#joiner.say()[0] as Offer;
  }

  #keys(): PairingCryptography {
    return seededCryptography(this.#random, this.#hash);
  }

  /** His exchange with the creator: he commits to a nonce of his and learns the creator's key. */
  #meetCreator(keys: PairingCryptography): Exchange {
    const commitment = keys.hash(keys.nonce);
    const offer: Offer = { ...this.#offer, public_key: keys.public_key, commitment };
    this.#creator.hear(offer);
    const answer = this.#creator.say()[0] as Answer;
    this.#creator_key = answer.public_key;
    const exchange = new Exchange(keys, offer, answer);
    this.#creator.hear({ kind: "seen", proof: exchange.proof("seen") });
    return exchange;
  }

  #answer({ public_key }: PairingCryptography): Answer {
    const to = this.#offer.public_key;
    return { kind: "answer", to, introduction: introduction("one", 1), public_key, code: true };
  }

  /** His exchange with the joiner, under a key of his choice: the joiner's console shows a code that he does not see. */
  #meetJoiner(keys: PairingCryptography): Exchange {
    const answer = this.#answer(keys);
    this.#joiner.hear(answer);
    return new Exchange(keys, this.#offer, answer);
  }

  /** He commits to `code` before the joiner, which then opens its nonce: the code on its console. */
  #learnCode(exchange: Exchange, keys: PairingCryptography, code: string): string {
    this.#joiner.hear({ kind: "guess", to: this.#offer.public_key, guess: exchange.guess(code, keys.nonce) });
    const open = this.#joiner.say()[0] as Message & { kind: "open" };
    return digitsOf(exchange, open.nonce);
  }

  #end(with_creator: Exchange, nonce: string, of_joiner: PairingCryptography): Fooled {
    try {
      this.#creator.hear({ kind: "open", to: this.#creator_key, nonce });
    } catch {
      // He was wrong.
    }
    this.#creator.hear({ kind: "confirmed", proof: with_creator.proof("confirmed") });
    this.#joiner.hear({ kind: "confirm", to: this.#offer.public_key, nonce: of_joiner.nonce });
    return { creator: this.#creator.confirmed, joiner: this.#joiner.confirmed };
  }

  /** The creator first: he knows which code would be right there, and takes the joiner's for it. */
  creatorFirst(): Fooled {
    const [c, j] = [this.#keys(), this.#keys()];
    const with_creator = this.#meetCreator(c);
    const with_joiner = this.#meetJoiner(j);
    this.#creator.type(this.#joiner.code ?? "");
    const shown = this.#learnCode(with_joiner, j, digitsOf(with_creator, c.nonce));
    return this.#end(with_creator, this.#grindNonce(with_creator, c.nonce, shown), j);
  }

  /** As before, and he draws keys for the joiner until the code would be right with a nonce that it might have. */
  chosenKeys(): Fooled {
    const c = this.#keys();
    const with_creator = this.#meetCreator(c);
    const wanted = digitsOf(with_creator, c.nonce);
    let j = this.#keys();
    for (let i = 0; i < KEYS_MAX; i++) {
      if (digitsOf(new Exchange(j, this.#offer, this.#answer(j)), c.nonce) === wanted) break;
      j = this.#keys();
    }
    const with_joiner = this.#meetJoiner(j);
    this.#creator.type(this.#joiner.code ?? "");
    const shown = this.#learnCode(with_joiner, j, wanted);
    return this.#end(with_creator, this.#grindNonce(with_creator, c.nonce, shown), j);
  }

  /** The joiner first: he knows its code before he meets the creator, and has spent his guess. */
  joinerFirst(): Fooled {
    const [c, j] = [this.#keys(), this.#keys()];
    const with_joiner = this.#meetJoiner(j);
    const shown = this.#learnCode(with_joiner, j, String(this.#random.below(100)).padStart(2, "0"));
    const with_creator = this.#meetCreator(c);
    this.#creator.type(this.#joiner.code ?? "");
    return this.#end(with_creator, this.#grindNonce(with_creator, c.nonce, shown), j);
  }

  /** Another nonce than he committed to, with which the code is right: any, if he finds one, as he has nothing to lose. */
  #grindNonce(exchange: Exchange, committed: string, wanted: string): string {
    if (digitsOf(exchange, committed) === wanted) return committed;
    for (let i = 0; i < GRINDS_MAX; i++) if (digitsOf(exchange, `${i}`) === wanted) return `${i}`;
    return committed;
  }
}

const ORDERS = ["creatorFirst", "chosenKeys", "joinerFirst"] as const;

function rates(order: (typeof ORDERS)[number], runs: number, hash?: (text: string) => string) {
  let [creator, joiner, both] = [0, 0, 0];
  for (let seed = 1; seed <= runs; seed++) {
    const fooled = new Attack(seed, hash)[order]();
    creator += Number(fooled.creator);
    joiner += Number(fooled.joiner);
    both += Number(fooled.creator && fooled.joiner);
  }
  return { creator, joiner, both };
}

for (const order of ORDERS)
  test(
    `${order}: right once in a hundred, on either side`,
    () => {
      const { creator, joiner, both } = rates(order, RUNS);
      // 50 of 5,000 are due, give or take five standard deviations of 7.
      for (const count of [creator, joiner]) {
        expect(count).toBeGreaterThan(15);
        expect(count).toBeLessThan(85);
      }
      expect(both).toBeLessThan(85);
    },
    TEST_MS,
  );

for (const order of ORDERS)
  test(`${order}: where any nonce fits the commitment, the creator is fooled every time`, () => {
    expect(rates(order, 200, () => "nothing").creator).toBe(200);
  });
