/**
 * Pairing: two nodes on one cable become a cluster, and nobody between them can take part.
 *
 *   joiner  ── offer ───▶  creator    introduction, public key, commitment H(nonce)
 *   joiner  ◀── answer ──  creator    introduction, public key, both new for this exchange
 *   joiner  ── seen ────▶  creator    the console shows the code = HKDF(agreement, transcript, nonce)
 *   joiner  ◀── guess ───  creator    the code was typed: a commitment to it, HMAC(key, code and another nonce)
 *   joiner  ── open ────▶  creator    the nonce: the creator compares what was typed
 *   joiner  ◀── confirm ─  creator    the other nonce: the joiner compares what it committed to
 *   joiner  ── confirmed ▶ creator
 *   joiner  ◀── test ────  creator    which cards belong together; both send probes from them,
 *   joiner  ── report ──▶  creator    and tell on which cards they arrived
 *   joiner  ◀── grant ───  creator    sealed: settings, matched cards
 *   joiner  ── ready ───▶  creator    I have it all on my disk
 *   joiner  ◀── commit ──  creator    stored here: store it there
 *   joiner  ── done ────▶  creator
 *
 * Every message is repeated until the next one answers it, so lost frames cost time and nothing else.
 *
 * Why a man in the middle has one guess in a million, and no more. He has an exchange with each side, with keys of his
 * own, and the two codes are those of two exchanges. The joiner's code depends on its nonce, which is
 * hidden until somebody has committed to a code, and that is bound to the keys of that exchange. So whatever keys he
 * chooses, and in whatever order he speaks, he knows the code on the console only after he has said, to the joiner,
 * which one he takes it for; and on the creator's side his own nonce, so the code that would be right there, was fixed
 * before the creator drew its key. Either he is right by chance, once in a million, or one of the two refuses:
 * the creator, because what was typed is not the code of its exchange, and it then never says what was typed; the
 * joiner, because it gets no opening of the commitment that fits. He cannot make the joiner draw codes until one
 * pleases him either: he sees none before he has committed, and what was opened counts as a try, of which a waiting
 * node allows five. This also proves the creator to the joiner, which a code that is only compared at one end would not.
 */

export interface Card {
  nic: string;
  mac: string;
}

/** Who a node is, as its peer must see it before it agrees. All of it is part of the transcript. */
export interface Introduction {
  name: string;
  version: string;
  build: number;
  /** Physical network cards, the reserved one among them. */
  cards: Card[];
  /** The reserved card. */
  cluster: Card;
  /** Digest of the license's text; null where there is none. */
  license: string | null;
  /** PEM, for what is said over TLS later; empty where a node has none. */
  certificate: string;
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
  slots: Slot[];
}

export interface Slot {
  slot: number;
  creator: Card;
  joiner: Card;
}

/** A probe of the segment test that arrived: the n-th match's, sent by the other side, on the card `nic`. */
export interface Arrival {
  match: number;
  nic: string;
}

/** What one side tells of a segment test. */
export interface Report {
  arrivals: Arrival[];
  /** Cards of the matches that have no link. */
  unlinked: string[];
}

/** `to` is the public key of the node that is meant. */
export type Message =
  | { kind: "offer"; introduction: Introduction; public_key: string; commitment: string; code: boolean }
  | { kind: "answer"; to: string; introduction: Introduction; public_key: string; code: boolean }
  | { kind: "refuse"; to: string; code: string; message: string }
  | { kind: "seen"; proof: string }
  | { kind: "guess"; to: string; guess: string }
  | { kind: "open"; to: string; nonce: string }
  | { kind: "confirm"; to: string; nonce: string }
  | { kind: "confirmed"; proof: string }
  | { kind: "test"; to: string; round: number; sealed: string }
  | { kind: "report"; to: string; round: number; sealed: string }
  | { kind: "probe"; token: string }
  | { kind: "grant"; to: string; sealed: string }
  | { kind: "ready"; proof: string }
  | { kind: "commit"; proof: string }
  | { kind: "done"; proof: string };

export type Offer = Message & { kind: "offer" };
export type Answer = Message & { kind: "answer" };

/** What both have at the end. */
export interface Agreement {
  /** 8 hex digits. */
  id: string;
  /** 64 hex digits. */
  key: string;
  peer: Introduction;
  bequest: Bequest;
}
