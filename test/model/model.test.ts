/** The model, checked exhaustively, and its proof checked by models that are wrong on purpose. */
import { describe, expect, test } from "bun:test";
import { CHECKS, MUTANTS } from "./checks.ts";
import { read, verify } from "./spin.ts";

/** A machine that is busy with other things takes ten times as long as an idle one. */
const TIMEOUT_MS = 300_000;

describe("holds in every state", () => {
  for (const check of CHECKS.filter(({ quick }) => quick)) {
    test(
      `${check.name}: ${check.says}`,
      () => {
        const { violation, exhaustive, states } = verify(check, 1);
        expect({ violation, exhaustive }).toEqual({ violation: null, exhaustive: true });
        expect(states).toBeGreaterThan(10_000);
      },
      TIMEOUT_MS,
    );
  }
});

describe("is found wrong", () => {
  for (const mutant of MUTANTS.filter(({ quick }) => quick)) {
    test(
      `${mutant.name}: ${mutant.says}`,
      () => expect(verify(mutant, 0).violation).toMatch(/^assertion violated/),
      TIMEOUT_MS,
    );
  }
});

test("a search that was cut short does not count as exhaustive", () => {
  const end = "State-vector 52 byte, depth reached 99, errors: 0\n     1000 states, stored\n";
  expect(read(end, 1)).toMatchObject({ exhaustive: true, violation: null, states: 1000, depth: 99 });
  expect(read(`error: max search depth too small\n${end}`, 1).exhaustive).toBe(false);
  expect(read(`Warning: Search not completed\n${end}`, 1).exhaustive).toBe(false);
  expect(() => read("Segmentation fault", 1)).toThrow();
});
