import { expect, test } from "bun:test";
import { introduction } from "../../test/pairing.ts";
import { Joiner } from "../core/pairing/joiner.ts";
import { cryptography } from "./pairing-cryptography.ts";

test("an answer with a key that agrees on zero with everybody is refused, and nothing of it is taken", () => {
  const keys = cryptography();
  const joiner = new Joiner(keys, introduction("two", 4), { code: true });
  const answer = { kind: "answer", to: keys.public_key, introduction: introduction("one", 1), code: true } as const;
  expect(() => joiner.hear({ ...answer, public_key: "0".repeat(64) })).toThrow(/key that cannot be used/);
  expect([joiner.peer, joiner.code, joiner.say().map(({ kind }) => kind)]).toEqual([null, null, ["offer"]]);
  joiner.hear({ ...answer, public_key: cryptography().public_key });
  expect(joiner.say().map(({ kind }) => kind)).toEqual(["seen"]);
});
