/** What is shown has no secret in it, and what was shown can be sent back without losing one. */
import { expect, test } from "bun:test";
import { parseSettings } from "./model.ts";
import { redacted, withSecrets } from "./secrets.ts";

const HASH = "$argon2id$v=19$m=65536,t=3,p=1$c2FsdHNhbHQ$aGFzaGhhc2g";
const token = (id: string, hash: string) => ({
  id: id.repeat(12),
  name: id,
  access: "read" as const,
  hash: hash.repeat(64),
  made: "2026-11-24T10:00:00Z",
});
const settings = parseSettings({
  server: { name: "node-a" },
  administrators: [{ name: "admin", password_hash: HASH }],
  web: {
    outside: true,
    certificate: { certificate: "public", key: "private" },
    tokens: [token("1", "a"), token("2", "b")],
  },
});

test("hashes of passwords and tokens and the key are not shown", () => {
  const shown = JSON.stringify(redacted(settings));
  for (const secret of [HASH, "a".repeat(64), "b".repeat(64), "private"]) expect(shown).not.toContain(secret);
  expect(shown).toContain("public");
});

test("what was shown comes back with its secrets, and what is new is as it was given", () => {
  expect(withSecrets(redacted(settings), settings)).toEqual(settings);
  const changed = { ...redacted(settings), web: { outside: false, tokens: [token("2", "c")] } };
  expect(withSecrets(changed, settings)).toMatchObject({ web: { outside: false, tokens: [token("2", "c")] } });
});

test("a secret does not move to another certificate or token", () => {
  const stolen = {
    ...redacted(settings),
    web: {
      outside: true,
      certificate: { certificate: "another", key: "set" },
      tokens: [{ ...token("3", "c"), hash: "set" }],
    },
  };
  const back = JSON.stringify(withSecrets(stolen, settings));
  expect(back).not.toContain("private");
  expect(back).not.toContain("a".repeat(64));
});

test("whatever has no form of settings passes as it is", () => {
  for (const value of [null, 5, "x", [], { web: null }, { administrators: 5, web: 5 }, { web: { tokens: [null] } }])
    expect(withSecrets(value, settings)).toEqual(value);
});
