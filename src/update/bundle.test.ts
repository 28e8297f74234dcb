/** Bundles: a good one, and every way in which one can be none. */
import { describe, expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import { makeBundle } from "../../test/update/bundle.ts";
import { fakeImage } from "../../test/update/image.ts";
import { Failure } from "../errors.ts";
import { demandSuitable, type Manifest, readHeader, UPDATE_KEYS, type UpdateKeys } from "./bundle.ts";
import { releaseOf } from "./image.ts";

const maker = generateKeyPairSync("ed25519");
const stranger = generateKeyPairSync("ed25519");
const release: UpdateKeys = {
  ...UPDATE_KEYS,
  release: maker.publicKey.export({ type: "spki", format: "der" }).toString("base64"),
  accept_development: false,
};
const image = fakeImage(12, { bytes: (2 << 20) + 7 });
const good = makeBundle(image, { key: maker.privateKey });

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof Failure && /^[A-Z0-9][^\n]*\.$/.test(error.message)) return error.code;
    throw error;
  }
  return "taken";
}

test("an image says what it is", () => {
  expect(releaseOf(image)).toEqual({ version: "0.1.0", build: 12, commit: "c0ffee" });
  for (const other of [Buffer.alloc(0), Buffer.alloc(4096), Buffer.from("MZ"), image.subarray(0, 0x90)])
    expect(releaseOf(other)).toBe(null);
});

test("a good one says what it holds, however little of it has come beyond its header", () => {
  const header = readHeader(good, release);
  expect(header?.manifest).toMatchObject({ build: 12, version: "0.1.0", size_bytes: image.length });
  expect(header?.manifest.chunks_sha256.length).toBe(3);
  expect(good.subarray(header?.image_offset).equals(image)).toBe(true);
  for (let bytes = 0; bytes < (header?.image_offset ?? 0); bytes++)
    expect(readHeader(good.subarray(0, bytes), release)).toBe(null);
});

describe("refused by its own code", () => {
  const other = (manifest: object, key = maker.privateKey) => makeBundle(image, { key, manifest });
  const changed = (find: string, replace: string) => {
    const bytes = Buffer.from(good);
    bytes.write(replace, bytes.indexOf(find));
    return bytes;
  };
  for (const [code, what, bytes] of [
    ["bundle-forged", "signed by a stranger", makeBundle(image, { key: stranger.privateKey })],
    ["bundle-forged", "another build written into it", changed('"build":12', '"build":13')],
    ["bundle-development", "signed with the development key", makeBundle(image)],
    ["bundle-other-product", "of another product", other({ product: "prompter" })],
    ["bundle-newer-format", "of a later kind", other({ version: "next" })],
    ["bundle-newer-format", "with too few digests", other({ size_bytes: 9 << 20 })],
    ["bundle-damaged", "something else", Buffer.from("#!/bin/sh\necho hello\n".repeat(20))],
    ["bundle-damaged", "an impossible length", changed(`update 1\n${good.toString("latin1", 20, 22)}`, "update 1\n-1")],
    ["bundle-damaged", "a length without an end", changed("update 1\n", "update 1\n99999999999")],
  ] as const)
    test(what, () => expect(codeOf(() => readHeader(bytes, release))).toBe(code));

  const manifest = readHeader(good, release)?.manifest as Manifest;
  for (const [code, what, changes, running] of [
    ["taken", "fits", {}, {}],
    ["update-same", "the same build", {}, { build: 12 }],
    ["update-older", "an older one", {}, { build: 13 }],
    ["update-too-far", "too far ahead", { from_build_min: 12 }, {}],
    ["update-schema", "of an older schema of the settings", {}, { settings_schema: 2 }],
  ] as const)
    test(what, () =>
      expect(
        codeOf(() => demandSuitable({ ...manifest, ...changes }, { build: 11, settings_schema: 1, ...running })),
      ).toBe(code),
    );
});

test("a build that is no release takes both keys", () => {
  const keys = { ...release, accept_development: true };
  expect(readHeader(good, keys)).not.toBe(null);
  expect(readHeader(makeBundle(image), keys)).not.toBe(null);
});

/** Found by nobody yet, and cheap: no byte of the header may be another one. */
test("every flipped bit of the header is noticed", () => {
  const { image_offset = 0 } = readHeader(good, release) ?? {};
  for (let at = 0; at < image_offset - 1; at++) {
    const bytes = Buffer.from(good.subarray(0, image_offset + 10));
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    let taken = null;
    try {
      taken = readHeader(bytes, release);
    } catch (error) {
      expect(error).toBeInstanceOf(Failure);
    }
    expect(taken).toBe(null);
  }
});
