/** Tokens are shown once, kept as hashes, and end when they are revoked. */
import { beforeEach, expect, test } from "bun:test";
import { TOKENS_MAX, Tokens } from "./tokens.ts";

type Kept = ConstructorParameters<typeof Tokens>[0];
let stored: ReturnType<Kept["list"]> = [];
let authors: string[] = [];
const tokens = new Tokens({
  list: () => stored,
  save: async (next, author) => {
    stored = next;
    authors.push(author);
  },
});

beforeEach(() => {
  stored = [];
  authors = [];
});

test("a token is known by what was shown, and nothing of it is kept", async () => {
  const { id, token } = await tokens.make("prometheus", "read", "admin");
  expect(tokens.check(token)).toMatchObject({ name: "prometheus", access: "read" });
  expect(tokens.check(`${token}x`)).toBeNull();
  expect(JSON.stringify(stored)).not.toContain(token.slice(4));
  expect(tokens.list()).toEqual([{ id, name: "prometheus", access: "read", made: expect.any(String) }]);
});

test("a revoked one is not taken any more, and the others are", async () => {
  const [one, two] = [await tokens.make("one", "full", "admin"), await tokens.make("two", "full", "admin")];
  await tokens.revoke(one.id, "eve");
  expect([tokens.check(one.token), tokens.check(two.token)?.name]).toEqual([null, "two"]);
  expect(authors).toEqual(["admin", "admin", "eve"]);
  await expect(tokens.revoke(one.id, "eve")).rejects.toMatchObject({ code: "not-found" });
});

test("there are so many and no more", async () => {
  for (let count = 0; count < TOKENS_MAX; count += 1) await tokens.make(`t${count}`, "read", "admin");
  await expect(tokens.make("more", "read", "admin")).rejects.toMatchObject({ code: "too-many" });
});
