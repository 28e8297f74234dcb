/** What is a secret by its name or its form does not leave for the web, wherever it is. */
import { expect, test } from "bun:test";
import { withoutSecrets } from "./redaction.ts";

const HASH = "$argon2id$v=19$m=65536,t=3,p=1$c2FsdA$aGFzaA";
const KEY = "-----BEGIN PRIVATE KEY-----\nMIG=\n-----END PRIVATE KEY-----\n";

test("by name", () =>
  expect(withoutSecrets({ a: [{ password_hash: "x" }], key: "k", hash: "h", private_key: "p", secret: "s" })).toEqual({
    a: [{ password_hash: "set" }],
    key: "set",
    hash: "set",
    private_key: "set",
    secret: "set",
  }));

test("by form, under whatever name, and in the middle of a text", () =>
  expect(
    withoutSecrets({ note: HASH, list: [`before ${HASH} after`, KEY, KEY.replace("PRIVATE", "EC PRIVATE")] }),
  ).toEqual({
    note: "set",
    list: ["set", "set", "set"],
  }));

test("and everything else is as it was", () => {
  const value = { n: 1, b: true, none: null, text: "plain", list: [1, [2]], key: 5, nested: { hash: null } };
  expect(withoutSecrets(value)).toEqual(value);
});

test("what is nested without end is cut", () => {
  let deep: unknown = { password_hash: HASH };
  for (let depth = 0; depth < 50; depth += 1) deep = [deep];
  expect(JSON.stringify(withoutSecrets(deep))).not.toContain("argon2");
});
