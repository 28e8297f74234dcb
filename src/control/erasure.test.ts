import { expect, test } from "bun:test";
import { Erasure } from "./erasure.ts";

const TIMES = { farewell_ms: 5, retry_ms: 5 };

function erasure(refusals: { begin?: number; erase?: number }) {
  const did: string[] = [];
  const left = { begin: 0, erase: 0, ...refusals };
  const step = (name: "begin" | "erase") => () => {
    if (left[name]-- > 0) throw new Error(`${name} refused.`);
    did.push(name);
  };
  const { promise, resolve } = Promise.withResolvers<void>();
  const failures: string[] = [];
  const host = {
    begin: step("begin"),
    erase: step("erase"),
    done: () => {
      did.push("done");
      resolve();
    },
    failed: (message: string) => failures.push(message),
  };
  return { erasure: new Erasure(host, TIMES), did, failures, done: promise };
}

test("is begun at once and done once, however often the heart says that it is due", async () => {
  const { erasure: one, did, failures, done } = erasure({});
  for (let i = 0; i < 3; i++) one.start();
  expect(did).toEqual(["begin"]);
  await done;
  one.start();
  await Bun.sleep(20);
  expect([did, failures]).toEqual([["begin", "erase", "done"], []]);
  one.forget();
  one.start();
  expect(did.at(-1)).toBe("begin");
  one.stop();
});

test("a disk that refuses: the node does not go on with the settings of the cluster", async () => {
  const { erasure: one, did, failures, done } = erasure({ begin: 2, erase: 2 });
  one.start();
  await done;
  expect(did).toEqual(["begin", "erase", "done"]);
  expect(failures).toHaveLength(4);
  expect(failures[0]).toMatch(/cannot be reset .* begin refused\.$/);
});
