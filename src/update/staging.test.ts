/** An update on its way: piece by piece, resumed, and refused before anything of it is kept. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Random } from "../../test/random.ts";
import { makeBundle } from "../../test/update/bundle.ts";
import { fakeImage } from "../../test/update/image.ts";
import { Failure } from "../errors.ts";
import { digestOf } from "./bundle.ts";
import { Staging } from "./staging.ts";

const IMAGE = fakeImage(12, { bytes: (3 << 20) + 4321 });
const BUNDLE = makeBundle(IMAGE);
const IMAGE_DIGEST = digestOf(IMAGE);
let state = "";
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), "understudy-staging-"));
});
afterEach(() => rmSync(state, { recursive: true, force: true }));

const open = (demand: () => void = () => {}) => new Staging(state, { demand });
const files = () => (existsSync(join(state, "updates")) ? readdirSync(join(state, "updates")) : []);

/** From where it stands to its end, or to the first refusal. */
async function send(staging: Staging, bytes = BUNDLE, piece = 700_000): Promise<void> {
  for (let at = staging.received_bytes; at < bytes.length; )
    at = (await staging.put(at, bytes.subarray(at, at + piece))).received_bytes;
}

async function imageOf(staging: Staging): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of staging.chunks()) chunks.push(chunk);
  return digestOf(Buffer.concat(chunks));
}

test("pieces of any size make the whole", async () => {
  for (const piece of [1 << 20, 4 << 20, 65_537, BUNDLE.length]) {
    const staging = open();
    await send(staging, BUNDLE, piece);
    expect(staging.has(IMAGE_DIGEST)).toBe(true);
    expect(await imageOf(staging)).toBe(IMAGE_DIGEST);
    expect(files()).toEqual(["bundle"]);
    const copy = Buffer.concat([await staging.read(0, 1000), await staging.read(1000, BUNDLE.length)]);
    expect(copy.equals(BUNDLE)).toBe(true);
    await staging.discard();
  }
});

test("after a power cut it goes on behind the last good piece, whatever the disk has kept of the rest", async () => {
  const random = new Random(7);
  for (let round = 0; round < 20; round++) {
    const first = open();
    const sent = random.between(1, BUNDLE.length - 1);
    await send(first, BUNDLE.subarray(0, sent));
    const part = join(state, "updates/bundle.part");
    if (existsSync(part)) {
      if (random.below(2) === 0) truncateSync(part, random.below(sent));
      else writeFileSync(part, Buffer.concat([readFileSync(part).subarray(0, -1), Buffer.alloc(5)]));
    }
    const second = open();
    await second.resume();
    await send(second);
    expect(await imageOf(second)).toBe(IMAGE_DIGEST);
    await second.discard();
  }
});

test("a whole one is found again, and a damaged one begun behind its last good piece", async () => {
  await send(open());
  const again = open();
  await again.resume();
  expect(again.has(IMAGE_DIGEST)).toBe(true);
  const path = join(state, "updates/bundle");
  const bytes = readFileSync(path);
  bytes[bytes.length - 3] = 0;
  writeFileSync(path, bytes);
  const third = open();
  await third.resume();
  expect(third.has(IMAGE_DIGEST)).toBe(false);
  expect(third.received_bytes).toBeGreaterThan(3 << 20);
  await send(third);
  expect(await imageOf(third)).toBe(IMAGE_DIGEST);
});

test("a damaged piece is refused and cut off, and the sender goes on with a good one", async () => {
  const staging = open();
  const bad = Buffer.from(BUNDLE);
  bad[2 << 20] = 0;
  await expect(send(staging, bad)).rejects.toMatchObject({ code: "bundle-chunk" });
  expect(staging.received_bytes).toBeLessThan(2 << 20);
  await send(staging);
  expect(await imageOf(staging)).toBe(IMAGE_DIGEST);
});

test("what this node may not go to is refused before anything of it is kept", async () => {
  const staging = open(() => {
    throw new Failure("update-older", "It is older.");
  });
  await expect(send(staging)).rejects.toMatchObject({ code: "update-older" });
  expect(files()).toEqual([]);
  await expect(send(open(), Buffer.alloc(1000))).rejects.toMatchObject({ code: "bundle-damaged" });
  expect(files()).toEqual([]);
});

test("a wrong place, and more than there is, are refused", async () => {
  const staging = open();
  await staging.put(0, BUNDLE.subarray(0, 2 << 20));
  await expect(staging.put(5, BUNDLE.subarray(5, 10))).rejects.toMatchObject({ code: "bundle-offset" });
  const rest = Buffer.concat([BUNDLE.subarray(2 << 20), Buffer.alloc(1)]);
  await expect(staging.put(2 << 20, rest)).rejects.toMatchObject({ code: "bundle-damaged" });
  await send(staging);
  await expect(staging.put(BUNDLE.length, Buffer.alloc(1))).rejects.toMatchObject({ code: "bundle-offset" });
  await staging.put(0, BUNDLE.subarray(0, 1000));
  expect(staging.has(IMAGE_DIGEST)).toBe(false);
});

test("a cut off one is not whole", async () => {
  const staging = open();
  await send(staging, BUNDLE.subarray(0, -1));
  expect(staging.has(IMAGE_DIGEST)).toBe(false);
  await expect(imageOf(staging)).rejects.toMatchObject({ code: "no-bundle" });
});
