/** Pairing: its messages, and the pieces they travel in. */
import { parseMessage } from "../../../src/control/pairing-message.ts";
import { cryptography } from "../../../src/control/pairing-session.ts";
import { Creator, type Introduction, Joiner, type Message } from "../../../src/core/pairing.ts";
import { macBytes } from "../../../src/wire/bytes.ts";
import { BROADCAST } from "../../../src/wire/ethernet.ts";
import { Assembly, emitPieces, parsePiece } from "../../../src/wire/pairing.ts";
import { demand, encode, mutatedText, onlyFailures, type Target } from "../target.ts";

const cards = (n: number) => [0, 1].map((i) => ({ nic: i === 0 ? "lan0" : "clu0", mac: `02:00:00:00:0${n}:0${i}` }));
const introduction = (name: string, n: number): Introduction => ({
  name,
  version: "0.1.0",
  build: 1,
  cards: cards(n),
  cluster: cards(n)[1] as Introduction["cluster"],
});
const keys = [cryptography(), cryptography()] as const;

function newPair(): { joiner: Joiner; creator: Creator } {
  const given = { settings: {}, settings_revision: 1 };
  return {
    joiner: new Joiner(keys[0], introduction("two", 2)),
    creator: new Creator(keys[1], introduction("one", 1), [{ mine: "lan0", theirs: "lan0" }], given),
  };
}

/** Every message of a pairing, in order. */
const MESSAGES: Message[] = (() => {
  const { joiner, creator } = newPair();
  const offer = joiner.say();
  creator.hear(offer);
  const [grant] = creator.say() as [Message];
  joiner.hear(grant);
  const ready = joiner.say();
  creator.hear(ready);
  creator.stored();
  const refuse: Message = { kind: "refuse", to: keys[0].public_key, code: "x", message: "y" };
  return [offer, grant, ready, ...creator.say(), refuse];
})();

export const pairing: Target = {
  base: Object.fromEntries(MESSAGES.map((message) => [message.kind, encode(message)])),
  next: mutatedText,
  check(body) {
    const { joiner, creator } = newPair();
    const message = parseMessage(body);
    if (message === null) return;
    onlyFailures(() => joiner.hear(message));
    onlyFailures(() => creator.hear(message));
    creator.say();
    joiner.say();
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
