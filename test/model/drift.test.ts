/**
 * The model and the code must not drift apart: what the simulation of the real core does, the model has, and what
 * the model has, the simulation does.
 */
import { expect, test } from "bun:test";
import { CAUSES } from "../sim/context.ts";
import { planOf } from "../sim/generate.ts";
import { simulate } from "../sim/world.ts";
import { modelTransitions, transitionText } from "./transitions.ts";

/** Fewer, where everything has been taken before; some hundred in any case. */
const SEEDS_MAX = 2500;
const SEEDS_MIN = 500;
const TIMEOUT_MS = 120_000;

/** What the model has and a simulation need not meet, and why. */
const RARE: Record<string, string> = {
  "probing → off: died": "probing lasts some milliseconds",
  "probing → off: stopped": "probing lasts some milliseconds",
  "resuming → off: died": "resuming lasts as long as a heartbeat and its answer",
  "resuming → off: stopped": "resuming lasts as long as a heartbeat and its answer",
  "active → backup: cut-off": "seldom do all data links go while the peer is not heard",
  "listening → off: stopped": "the simulation seldom stops a node that has only just been started",
};

const model = modelTransitions();
const wanted = [...model].filter((text) => !(text in RARE));
const taken = new Map<string, number>();

test(
  "every transition of the simulation is one that the model has",
  () => {
    for (let seed = 1; seed <= SEEDS_MAX; seed++) {
      if (seed > SEEDS_MIN && wanted.every((text) => taken.has(text))) break;
      simulate(planOf(seed), {
        onTransition: ({ from, to, cause }) => {
          const text = transitionText(from, to, cause);
          if (!taken.has(text)) taken.set(text, seed);
        },
      });
    }
    const strays = [...taken].filter(([text]) => !model.has(text)).map(([text, seed]) => `${text} (seed ${seed})`);
    expect(strays).toEqual([]);
  },
  TIMEOUT_MS,
);

test("every transition of the model is taken by the simulation, or known to be rare", () => {
  expect(model.size).toBeGreaterThan(20);
  expect(wanted.filter((text) => !taken.has(text))).toEqual([]);
  expect(CAUSES.filter((cause) => ![...model].some((text) => text.endsWith(`: ${cause}`)))).toEqual([]);
  expect(Object.keys(RARE).filter((text) => !model.has(text))).toEqual([]);
});
