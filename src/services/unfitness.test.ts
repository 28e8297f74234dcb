import { expect, test } from "bun:test";
import { type Standing, Unfitness } from "./unfitness.ts";

const well: Standing = { unfit: null, is_active: true, peer_heard: true, peer_unwilling: false };
const sick: Standing = { ...well, unfit: "the service will not run" };
const run = (...standings: Standing[]): boolean[] => {
  const unfitness = new Unfitness();
  return standings.map((standing) => unfitness.step(standing));
};

test("with a peer that is heard the heart does it by itself, and nobody asks again", () =>
  expect(run(well, sick, sick, sick)).toEqual([false, false, false, false]));

test("with a peer that was away it is asked once, when it is back", () => {
  const away = { ...sick, peer_heard: false };
  expect(run(well, away, away, sick, sick, away, sick)).toEqual([false, false, false, true, false, false, false]);
});

test("both sick: it stays, and does not wait for the other one's better days", () => {
  const away = { ...sick, peer_heard: false };
  const both = { ...sick, peer_unwilling: true };
  expect(run(away, both, both, sick, sick)).toEqual([false, false, false, false, false]);
  expect(run(both, both, sick, sick)).toEqual([false, false, false, false]);
});

test("a backup has nothing to hand over, and owes nothing when it becomes active", () => {
  const backup = { ...sick, is_active: false, peer_heard: false };
  expect(run(backup, { ...backup, is_active: true }, sick)).toEqual([false, false, false]);
});

test("well again and sick again with the peer away: asked again", () => {
  const away = { ...sick, peer_heard: false };
  expect(run(away, sick, well, away, sick)).toEqual([false, true, false, false, true]);
});
