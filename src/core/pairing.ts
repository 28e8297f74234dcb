/**
 * Pairing: two nodes on one cable become a cluster. A dialogue of five messages, each repeated until
 * the next one answers it, so that lost frames cost time and nothing else:
 *
 *   joiner  ── offer ──▶  creator      who I am, my cards, my public key
 *   joiner  ◀── grant ──  creator      its public key, and sealed under the agreed key: settings, cards
 *   joiner  ── ready ──▶  creator      I have it all (proved by the key), not yet stored
 *   joiner  ◀── commit ── creator      stored here: store it there
 *   joiner  ── done ───▶  creator
 *
 * The creator stores first and answers `ready` with `commit` for as long as it is asked, so a joiner
 * that stored nothing can always go on, and one that was never granted is as it was. The cluster's
 * key comes from an X25519 agreement (RFC 7748) over HKDF (RFC 5869), bound to the whole exchange.
 *
 * It does no I/O and has no clock: messages go in, messages come out, the caller repeats them.
 */
import { Failure } from "../errors.ts";

export interface Card {
  nic: string;
  mac: string;
}

/** Who a node is, as its peer must see it before it agrees. */
export interface Introduction {
  name: string;
  version: string;
  build: number;
  cards: Card[];
  /** The reserved card. */
  cluster: Card;
}

/** `mine` and `theirs` are names of data interfaces, from the creator's point of view. */
export interface Match {
  mine: string;
  theirs: string;
}

/** What the joiner takes over, sealed on the wire. */
export interface Bequest {
  settings: unknown;
  settings_revision: number;
  /** Slot n is the n-th match; nics and MACs of both sides. */
  slots: { slot: number; creator: Card; joiner: Card }[];
}

export type Message =
  | { kind: "offer"; introduction: Introduction; public_key: string }
  | { kind: "grant"; to: string; introduction: Introduction; public_key: string; sealed: string }
  | { kind: "refuse"; to: string; code: string; message: string }
  | { kind: "ready"; proof: string }
  | { kind: "commit"; proof: string }
  | { kind: "done"; proof: string };

/** Injected cryptography: one key pair for one pairing. Keys and proofs are hex. */
export interface PairingCryptography {
  public_key: string;
  /** 32 bytes of key material for `label`, from the agreement with `peer_key` and bound to `transcript`. */
  derive(peer_key: string, transcript: string, label: string): string;
  proof(key: string, text: string): string;
  seal(key: string, text: string): string;
  /** Null where it was not sealed with this key. */
  open(key: string, sealed: string): string | null;
}

export interface Agreement {
  /** 8 hex digits. */
  id: string;
  /** 64 hex digits. */
  key: string;
  peer: Introduction;
  bequest: Bequest;
}

/** Nodes that are told of their refusal; more than these are on no cable by accident. */
const REFUSALS_MAX = 8;

interface Keys {
  id: string;
  cluster: string;
  pairing: string;
}

function keysOf(cryptography: PairingCryptography, offer: string, grant_key: string, peer_key: string): Keys {
  const derive = (label: string) => cryptography.derive(peer_key, `${offer}\n${grant_key}`, label);
  return { id: derive("cluster id").slice(0, 8), cluster: derive("heartbeat key"), pairing: derive("pairing key") };
}

/** The future backup. */
export class Joiner {
  readonly #cryptography: PairingCryptography;
  readonly #offer: Message & { kind: "offer" };
  #keys: Keys | null = null;
  agreement: Agreement | null = null;
  /** True once the creator has stored the cluster: now this side must, too. */
  committed = false;

  constructor(cryptography: PairingCryptography, introduction: Introduction) {
    this.#cryptography = cryptography;
    this.#offer = { kind: "offer", introduction, public_key: cryptography.public_key };
  }

  /** What to say now, and again until something is heard. */
  say(): Message {
    if (this.#keys === null) return this.#offer;
    const kind = this.committed ? "done" : "ready";
    return { kind, proof: this.#cryptography.proof(this.#keys.pairing, kind) };
  }

  /** Throws Failure where the creator refuses. Messages that do not fit are ignored. */
  hear(message: Message): void {
    if (message.kind === "refuse" && message.to === this.#cryptography.public_key)
      throw new Failure(message.code, message.message);
    if (message.kind === "grant" && message.to === this.#cryptography.public_key && this.#keys === null) {
      const keys = keysOf(this.#cryptography, JSON.stringify(this.#offer), message.public_key, message.public_key);
      const text = this.#cryptography.open(keys.pairing, message.sealed);
      if (text === null) return;
      this.#keys = keys;
      this.agreement = {
        id: keys.id,
        key: keys.cluster,
        peer: message.introduction,
        bequest: JSON.parse(text) as Bequest,
      };
    }
    if (
      message.kind === "commit" &&
      this.#keys !== null &&
      message.proof === this.#cryptography.proof(this.#keys.pairing, "commit")
    ) {
      this.committed = true;
    }
  }
}

/** The future active node. */
export class Creator {
  readonly #cryptography: PairingCryptography;
  readonly #introduction: Introduction;
  readonly #matches: Match[];
  readonly #settings: { settings: unknown; settings_revision: number };
  #keys: Keys | null = null;
  #offer: (Message & { kind: "offer" }) | null = null;
  #answer: Message | null = null;
  readonly #refusals: Message[] = [];
  agreement: Agreement | null = null;
  /** The joiner has everything: store the cluster, then call `stored`. */
  ready = false;
  done = false;

  constructor(
    cryptography: PairingCryptography,
    introduction: Introduction,
    matches: Match[],
    settings: { settings: unknown; settings_revision: number },
  ) {
    this.#cryptography = cryptography;
    this.#introduction = introduction;
    this.#matches = matches;
    this.#settings = settings;
  }

  /** What to say now; nothing while nobody has offered. */
  say(): Message[] {
    return this.#answer === null ? this.#refusals : [...this.#refusals, this.#answer];
  }

  /** Throws Failure where the two do not fit together; the joiner is told as well. */
  hear(message: Message): void {
    if (message.kind === "offer") this.#hearOffer(message);
    if (this.#keys === null) return;
    if (message.kind === "ready" && message.proof === this.#cryptography.proof(this.#keys.pairing, "ready"))
      this.ready = true;
    if (message.kind === "done" && message.proof === this.#cryptography.proof(this.#keys.pairing, "done"))
      this.done = true;
  }

  stored(): void {
    if (this.#keys !== null)
      this.#answer = { kind: "commit", proof: this.#cryptography.proof(this.#keys.pairing, "commit") };
  }

  #hearOffer(offer: Message & { kind: "offer" }): void {
    if (this.#offer !== null) return this.#hearAnother(this.#offer, offer);
    this.#offer = offer;
    let slots: Bequest["slots"];
    try {
      slots = matchCards(this.#introduction, offer.introduction, this.#matches);
    } catch (error) {
      if (error instanceof Failure) this.#refuse(offer.public_key, error);
      throw error;
    }
    const keys = keysOf(this.#cryptography, JSON.stringify(offer), this.#cryptography.public_key, offer.public_key);
    const bequest: Bequest = { ...this.#settings, slots };
    this.#keys = keys;
    this.agreement = { id: keys.id, key: keys.cluster, peer: offer.introduction, bequest };
    this.#answer = {
      kind: "grant",
      to: offer.public_key,
      introduction: this.#introduction,
      public_key: this.#cryptography.public_key,
      sealed: this.#cryptography.seal(keys.pairing, JSON.stringify(bequest)),
    };
  }

  /** S1: a third node is refused; until the second one is settled nobody knows which is which, so both are. */
  #hearAnother(first: Message & { kind: "offer" }, offer: Message & { kind: "offer" }): void {
    if (offer.public_key === first.public_key) return;
    const names = `${first.introduction.name} and ${offer.introduction.name}`;
    const failure = new Failure(
      "third-node",
      `More than two nodes answer on this cluster network (${names} both wait to join); leave only the two that belong together.`,
    );
    this.#refuse(offer.public_key, failure);
    if (this.ready) return;
    this.#answer = null;
    this.#refuse(first.public_key, failure);
    throw failure;
  }

  #refuse(to: string, { code, message }: Failure): void {
    const known = this.#refusals.some((refusal) => refusal.kind === "refuse" && refusal.to === to);
    if (!known && this.#refusals.length < REFUSALS_MAX) this.#refusals.push({ kind: "refuse", to, code, message });
  }
}

/** Requirements of S14 that need no cable test; throws Failure with one sentence each. */
function matchCards(mine: Introduction, theirs: Introduction, matches: Match[]): Bequest["slots"] {
  if (mine.version !== theirs.version || mine.build !== theirs.build) {
    throw new Failure(
      "version-differs",
      `${mine.name} has version ${mine.version} build ${mine.build}, ${theirs.name} has ${theirs.version} build ${theirs.build}; bring both to the same one.`,
    );
  }
  if (mine.cards.length !== theirs.cards.length) {
    throw new Failure(
      "cards-differ",
      `${mine.name} has ${mine.cards.length} network cards and ${theirs.name} has ${theirs.cards.length}; both need the same number.`,
    );
  }
  if (mine.name === theirs.name)
    throw new Failure("same-name", `Both nodes are called ${mine.name}; give one of them another name.`);
  const used = new Set<string>();
  return matches.map(({ mine: my_nic, theirs: their_nic }, index) => {
    const creator = mine.cards.find((card) => card.nic === my_nic);
    const joiner = theirs.cards.find((card) => card.nic === their_nic);
    if (creator === undefined) throw new Failure("unknown-interface", `This node has no network card ${my_nic}.`);
    if (joiner === undefined)
      throw new Failure("unknown-interface", `${theirs.name} has no network card ${their_nic}.`);
    if (their_nic === theirs.cluster.nic)
      throw new Failure("interface-in-use", `${their_nic} of ${theirs.name} is reserved for the cluster network.`);
    if (used.has(their_nic)) throw new Failure("matched-twice", `${their_nic} of ${theirs.name} is matched twice.`);
    used.add(their_nic);
    return { slot: index + 1, creator, joiner };
  });
}
