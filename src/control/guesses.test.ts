/** Limits on guessing, on a clock of their own. */
import { expect, test } from "bun:test";
import { Guesses } from "./guesses.ts";

let now_ms = 0;
const begin = (): Guesses => {
  now_ms = 1e6;
  return new Guesses(() => now_ms);
};
/** The wait in ms after which the next try of that name is let through; a clock in steps of a second. */
function waitFor(guesses: Guesses, name: string): number {
  const from_ms = now_ms;
  for (; now_ms - from_ms < 3_600_000; now_ms += 1000) {
    try {
      guesses.begin(name);
      return now_ms - from_ms;
    } catch {
      // Not yet.
    }
  }
  throw new Error("locked for good");
}

test("three tries are free, then the wait doubles, and ten lock the name for a quarter of an hour", () => {
  const guesses = begin();
  const waits = Array.from({ length: 12 }, () => waitFor(guesses, "admin") / 1000);
  expect(waits).toEqual([0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 900, 0]);
});

test("a refused try does not make the wait longer, and says how long it is", () => {
  const guesses = begin();
  for (let tries = 0; tries < 10; tries++) waitFor(guesses, "admin");
  for (let tries = 0; tries < 50; tries++) expect(() => guesses.begin("admin")).toThrow(/try again in 15 minutes/);
  now_ms += 15 * 60_000;
  expect(() => guesses.begin("admin")).not.toThrow();
});

test("tries that are sent all at once count one by one", () => {
  const guesses = begin();
  let through = 0;
  for (let tries = 0; tries < 100; tries++) {
    try {
      guesses.begin("admin");
      through += 1;
    } catch {
      // Refused, as it should be.
    }
  }
  expect(through).toBe(4);
});

test("the right password begins anew, and other names are not locked with one", () => {
  const guesses = begin();
  for (let tries = 0; tries < 9; tries++) waitFor(guesses, "admin");
  expect(waitFor(guesses, "anna")).toBe(0);
  waitFor(guesses, "admin");
  guesses.right("admin");
  expect([waitFor(guesses, "admin"), waitFor(guesses, "admin"), waitFor(guesses, "admin")]).toEqual([0, 0, 0]);
});

test("many names are no way around: all together wait up to a minute", () => {
  const guesses = begin();
  const waits = Array.from({ length: 40 }, (_, index) => waitFor(guesses, `name-${index}`) / 1000);
  expect(waits.slice(0, 21).every((wait) => wait === 0)).toBe(true);
  expect(waits.slice(21, 28)).toEqual([1, 2, 4, 8, 16, 32, 60]);
  expect(waits.at(-1)).toBe(60);
});

test("a new password from the console ends every wait", () => {
  const guesses = begin();
  for (let tries = 0; tries < 10; tries++) waitFor(guesses, "admin");
  guesses.forget("admin");
  expect(waitFor(guesses, "admin")).toBe(0);
});

test("names that are locked are not pushed out by hundreds of others within the lock", () => {
  const guesses = begin();
  for (let tries = 0; tries < 10; tries++) waitFor(guesses, "admin");
  const locked_ms = now_ms;
  for (let index = 0; now_ms - locked_ms < 10 * 60_000; index++) waitFor(guesses, `name-${index}`);
  expect(() => guesses.begin("admin")).toThrow(/try again in [45] minutes/);
});
