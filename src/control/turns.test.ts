/** Slow work: one piece at a time, in order, and no endless queue. */
import { expect, test } from "bun:test";
import { Turns } from "./turns.ts";

test("one at a time, in the order of coming, whatever becomes of the one before", async () => {
  const turns = new Turns();
  const log: string[] = [];
  const work = (name: string) => async () => {
    log.push(`${name} begins`);
    await Bun.sleep(1);
    log.push(`${name} ends`);
    if (name === "a") throw new Error("a fails");
    return name;
  };
  const done = await Promise.allSettled(["a", "b", "c"].map((name) => turns.take(work(name))));
  expect(done.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "fulfilled"]);
  expect(log).toEqual(["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]);
});

test("who finds eight waiting is sent away, and may come again", async () => {
  const turns = new Turns();
  const gate = Promise.withResolvers<void>();
  const many = Array.from({ length: 9 }, () => turns.take(() => gate.promise));
  gate.resolve();
  const done = await Promise.allSettled(many);
  expect(done.filter(({ status }) => status === "rejected").length).toBe(1);
  await turns.take(async () => {});
});
