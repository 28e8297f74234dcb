/** Whether a system on trial has proved itself. */
import { expect, test } from "bun:test";
import { TRIAL_MS_MAX, Trial, type Vitals, WELL_MS } from "./health.ts";

const WELL: Vitals = { heart: true, settings: true, peer: true, web: true };
const kinds = (trial: Trial, vitals: (at_ms: number) => Vitals, until_ms: number) => {
  for (let at_ms = 0; at_ms <= until_ms; at_ms += 1000) {
    const verdict = trial.judge(at_ms, vitals(at_ms));
    if (verdict.kind !== "wait") return { ...verdict, at_ms };
  }
  return "waits";
};

test("blessed once all has been well for 30 seconds without a gap", () => {
  expect(kinds(new Trial(0), () => WELL, TRIAL_MS_MAX)).toEqual({ kind: "bless", at_ms: WELL_MS });
  const gap = (at_ms: number) => ({ ...WELL, peer: at_ms !== 20_000 });
  expect(kinds(new Trial(0), gap, TRIAL_MS_MAX)).toEqual({ kind: "bless", at_ms: 21_000 + WELL_MS });
});

for (const [name, reason] of [
  ["heart", "its heartbeats did not run"],
  ["settings", "its settings did not load"],
  ["peer", "it did not hear its peer"],
  ["web", "its web interface did not answer"],
] as const)
  test(`without ${name} it is restarted after five minutes, and why is known`, () => {
    const verdict = kinds(new Trial(0), () => ({ ...WELL, [name]: false }), TRIAL_MS_MAX);
    expect(verdict).toEqual({ kind: "reboot", reason, at_ms: TRIAL_MS_MAX });
  });

test("well now and then is not well, and what was missing last is said", () => {
  const flapping = (at_ms: number) => ({ ...WELL, web: at_ms % 20_000 !== 0 });
  expect(kinds(new Trial(0), flapping, TRIAL_MS_MAX)).toMatchObject({
    kind: "reboot",
    reason: expect.stringContaining("web interface"),
  });
});

test("a process that starts again in the middle of a trial has what is left of its time", () => {
  const again = new Trial(-TRIAL_MS_MAX + 10_000);
  expect(kinds(again, () => ({ ...WELL, web: false }), TRIAL_MS_MAX)).toMatchObject({ kind: "reboot", at_ms: 10_000 });
});
