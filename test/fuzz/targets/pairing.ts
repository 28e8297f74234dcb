/** Pairing: its messages, and the pieces they travel in. */
import { cryptography } from "../../../src/control/pairing-cryptography.ts";
import { parseMessage } from "../../../src/control/pairing-message.ts";
import { Creator } from "../../../src/core/pairing/creator.ts";
import { Joiner } from "../../../src/core/pairing/joiner.ts";
import type { Message } from "../../../src/core/pairing/messages.ts";
import { macBytes } from "../../../src/wire/bytes.ts";
import { BROADCAST } from "../../../src/wire/ethernet.ts";
import { Assembly, emitPieces, parsePiece } from "../../../src/wire/pairing.ts";
import { introduction, MATCHES } from "../../pairing.ts";
import { demand, encode, mutatedText, onlyFailures, type Target } from "../target.ts";

const keys = [cryptography(), cryptography()] as const;

function newPair(): { joiner: Joiner; creator: Creator } {
  return {
    joiner: new Joiner(keys[0], { ...introduction("two", 4), certificate: "" }, { code: true }),
    creator: new Creator(keys[1], { ...introduction("one", 1), certificate: "" }, { code: true }),
  };
}

/** A pairing's every message, and the state of both sides before each. */
const PAIRING_STEPS: { message: Message; to: "joiner" | "creator" }[] = [];

/** Repeats the first `count` messages of a pairing on a new pair; all of them, and writes them down, where it is the first time. */
function pairOf(count = Number.POSITIVE_INFINITY): { joiner: Joiner; creator: Creator } {
  const { joiner, creator } = newPair();
  const recorded = PAIRING_STEPS.slice();
  let tested = false;
  const work = () => {
    if (creator.found) creator.type(joiner.code ?? "");
    if (creator.confirmed && !tested) {
      tested = true;
      creator.test(MATCHES);
    }
    if (joiner.test !== null) joiner.report({ arrivals: [], unlinked: [] });
    if (creator.report !== null && creator.agreement === null)
      creator.apply(MATCHES, { settings: {}, settings_revision: 1 });
    joiner.prepared = joiner.agreement !== null;
    if (creator.ready) creator.stored();
  };
  for (const { message, to } of recorded.slice(0, count)) {
    (to === "joiner" ? joiner : creator).hear(message);
    work();
  }
  for (let i = 0; i < 20 && recorded.length === 0; i++) {
    for (const to of i % 2 === 0 ? (["creator"] as const) : (["joiner"] as const)) {
      for (const message of (to === "creator" ? joiner : creator).say()) {
        PAIRING_STEPS.push({ message, to });
        (to === "joiner" ? joiner : creator).hear(message);
        work();
      }
    }
  }
  return { joiner, creator };
}

demand(pairOf().creator.done, "the pairing that is spoilt works");
const REFUSE: Message = { kind: "refuse", to: keys[0].public_key, code: "x", message: "y" };
const PROBE: Message = { kind: "probe", token: "0".repeat(64) };
const MESSAGES: Message[] = [...PAIRING_STEPS.map(({ message }) => message), REFUSE, PROBE];

/** What makes a message true: where that is right, the rest does not matter. */
function wordOf(message: Message): string | null {
  if ("proof" in message) return message.proof;
  return message.kind === "confirm" ? message.nonce : null;
}

/** The first byte says how far the two have come when the spoilt message arrives. */
export const pairing: Target = {
  base: Object.fromEntries(
    MESSAGES.map((message, i) => [`${i}-${message.kind}`, Uint8Array.of(i % PAIRING_STEPS.length, ...encode(message))]),
  ),
  next(mutator, corpus) {
    const bodies = corpus.map((input) => input.subarray(1));
    return Uint8Array.of(mutator.below(PAIRING_STEPS.length), ...mutatedText(mutator, bodies));
  },
  check(input) {
    const message = parseMessage(input.subarray(1));
    if (message === null) return;
    const { joiner, creator } = pairOf(input[0] ?? 0);
    const before = { confirmed: joiner.confirmed, committed: joiner.committed, ready: creator.ready };
    const is_real = MESSAGES.some((real) => real.kind === message.kind && wordOf(real) === wordOf(message));
    onlyFailures(() => joiner.hear(message));
    onlyFailures(() => creator.hear(message));
    creator.say();
    joiner.say();
    if (is_real) return;
    const after = { confirmed: joiner.confirmed, committed: joiner.committed, ready: creator.ready };
    demand(Bun.deepEquals(before, after), "a spoilt message proves nothing");
  },
};

const PIECES = emitPieces(BROADCAST, macBytes("02:00:00:00:01:01"), 5, new Uint8Array(3000).fill(65));
export const pieces: Target = {
  base: Object.fromEntries(PIECES.map((piece, i) => [`piece-${i}`, piece])),
  next: (mutator, corpus) => mutator.mutated(corpus),
  check(frame) {
    const assembly = new Assembly();
    for (const one of [...PIECES.slice(0, 2), frame, ...PIECES]) {
      const piece = parsePiece(one);
      if (piece === null) continue;
      const end = piece.body.byteOffset + piece.body.length - one.byteOffset;
      demand(parsePiece(one.subarray(0, end - 1)) === null, "a piece that was cut is refused");
      demand((assembly.take(piece)?.length ?? 0) <= 128 * 1400, "a message has a bound");
    }
  },
};
