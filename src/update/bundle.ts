/**
 * The bundle: one file that updates a node, with everything about it that must be known before it is believed.
 *
 *   understudy update 1\n
 *   length of the manifest in bytes, in decimal\n
 *   manifest: JSON with sorted keys and no spaces
 *   base64 of the Ed25519 signature over the first line and the manifest\n
 *   the unified kernel image, as long as the manifest says
 *
 * The manifest has a digest of each MiB of the image, so that a download is checked while it arrives and goes on after its
 * last good piece. Only bytes and values here; staging.ts has the disk.
 */
import { createHash, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { z } from "zod";
import { Failure } from "../errors.ts";
import { RELEASE, RELEASE_UPDATE_KEY } from "../version.ts";

export const PRODUCT = "understudy";
export const CHUNK_BYTES = 1 << 20;
/** Larger than any image that fits into a slot. */
export const IMAGE_BYTES_MAX = 1 << 30;
/** A manifest with the digests of the largest image. */
export const HEADER_BYTES_MAX = 256 << 10;
const MAGIC = "understudy update 1\n";
const LENGTH_DIGITS_MAX = 7;
const SIGNATURE_CHARACTERS = 88;
/** Its private half lies in test/update: whoever has the sources can sign with it. */
const DEVELOPMENT_KEY = "MCowBQYDK2VwAyEAV9HehN0z71rSewHFy6MeOt+iXMo/57a64ayITgy2ppk=";

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const whole = z.int().min(0).max(0xffff_ffff);
const chunk_count_max = IMAGE_BYTES_MAX / CHUNK_BYTES;

const manifestSchema = z.object({
  product: z.string().max(100),
  version: z.string().regex(/^\d{1,5}\.\d{1,5}\.\d{1,5}$/),
  build: whole,
  commit: z.string().max(64),
  /** The oldest build that may go to this one in one step. */
  from_build_min: whole,
  /** Of the settings' database (settings/tables.ts): where the image leaves it. */
  settings_schema: whole,
  size_bytes: z.int().min(1).max(IMAGE_BYTES_MAX),
  sha256: digest,
  chunks_sha256: z.array(digest).min(1).max(chunk_count_max),
});

export type Manifest = z.infer<typeof manifestSchema>;

export interface Header {
  manifest: Manifest;
  /** Where the image begins. */
  image_offset: number;
}

/** Public keys (SPKI, DER in base64), and whether what the development key signed counts. */
export interface UpdateKeys {
  release: string | null;
  development: string;
  accept_development: boolean;
}

export const UPDATE_KEYS: UpdateKeys = {
  release: RELEASE_UPDATE_KEY,
  development: DEVELOPMENT_KEY,
  accept_development: !RELEASE,
};

/** What a manifest is held against. */
export interface Running {
  build: number;
  /** The newest schema of the settings that this node can lead an image to: its own, or any later one. */
  settings_schema: number;
}

export function bundleBytes({ manifest, image_offset }: Header): number {
  return image_offset + manifest.size_bytes;
}

/**
 * The header in the first bytes of a bundle; null where it has not all come yet. Throws Failure `bundle-damaged`,
 * `bundle-forged`, `bundle-development`, `bundle-other-product` or `bundle-newer-format`.
 */
export function readHeader(bytes: Buffer, keys: UpdateKeys = UPDATE_KEYS): Header | null {
  const prefix = bytes.toString("latin1", 0, MAGIC.length);
  if (!MAGIC.startsWith(prefix)) throw notABundle();
  if (bytes.length < MAGIC.length) return null;
  const line_end = bytes.indexOf("\n", MAGIC.length);
  if (line_end === -1 && bytes.length <= MAGIC.length + LENGTH_DIGITS_MAX) return null;
  const length_text = bytes.toString("latin1", MAGIC.length, line_end);
  const length = Number(length_text);
  if (line_end === -1 || !/^[1-9]\d{0,6}$/.test(length_text) || length > HEADER_BYTES_MAX) throw damaged();
  const manifest_end = line_end + 1 + length;
  const image_offset = manifest_end + SIGNATURE_CHARACTERS + 1;
  if (bytes.length < image_offset) return null;
  const text = bytes.subarray(line_end + 1, manifest_end);
  const seal = bytes.toString("latin1", manifest_end, image_offset);
  const signature = Buffer.from(seal, "base64");
  if (seal !== `${signature.toString("base64")}\n`) throw damaged();
  demandSigned(text, signature, keys);
  return { manifest: demandManifest(text), image_offset };
}

function demandSigned(text: Buffer, signature: Buffer, keys: UpdateKeys): void {
  if (keys.release !== null && isSignedBy(keys.release, text, signature)) return;
  if (!isSignedBy(keys.development, text, signature))
    throw new Failure(
      "bundle-forged",
      "The update is damaged or not signed by the maker of this software; get a genuine one.",
    );
  if (!keys.accept_development)
    throw new Failure(
      "bundle-development",
      "The update is signed with the development key, which a release does not accept; get one of a release.",
    );
}

/** Signed as it is, so what is wrong with it was made so. */
function demandManifest(text: Buffer): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(text.toString("utf8"));
  } catch {
    throw damaged();
  }
  const { product } = Object(value) as { product?: unknown };
  if (typeof product === "string" && product !== PRODUCT)
    throw new Failure(
      "bundle-other-product",
      `The update is for another product (${product.slice(0, 60)}); get one for ${PRODUCT}.`,
    );
  const parsed = manifestSchema.safeParse(value);
  if (!parsed.success || parsed.data.chunks_sha256.length !== Math.ceil(parsed.data.size_bytes / CHUNK_BYTES))
    throw new Failure(
      "bundle-newer-format",
      "The update is genuine, but of a kind that this version does not know; update to an earlier version first.",
    );
  return parsed.data;
}

/** Whether this node may go to it. Throws Failure `update-same`, `update-older`, `update-too-far` or `update-schema`. */
export function demandSuitable(manifest: Manifest, running: Running): void {
  const { version, build, from_build_min, settings_schema } = manifest;
  const name = `${version} build ${build}`;
  if (build === running.build) throw new Failure("update-same", `This node runs ${name} already.`);
  if (build < running.build)
    throw new Failure(
      "update-older",
      `${name} is older than build ${running.build}, which runs here; \`understudy update restore\` goes back to the previous version.`,
    );
  if (running.build < from_build_min)
    throw new Failure(
      "update-too-far",
      `${name} can be reached from build ${from_build_min} on, and build ${running.build} runs here; update to a version in between first.`,
    );
  if (settings_schema < running.settings_schema)
    throw new Failure(
      "update-schema",
      `${name} does not understand the settings as this version keeps them (schema ${running.settings_schema}, and it knows ${settings_schema}); get a later one.`,
    );
}

/** Throws Failure `bundle-chunk` where piece `index` of the image is another one than was signed. */
export function demandChunk({ chunks_sha256 }: Manifest, index: number, bytes: Uint8Array): void {
  if (digestOf(bytes) !== chunks_sha256[index])
    throw new Failure(
      "bundle-chunk",
      `The update is damaged in its MiB ${index + 1} of ${chunks_sha256.length}; get it again.`,
    );
}

/** How long piece `index` of the image is. */
export function chunkBytes({ size_bytes }: Manifest, index: number): number {
  return Math.min(CHUNK_BYTES, size_bytes - index * CHUNK_BYTES);
}

/** For the maker of bundles: everything before the image. */
export function makeHeader(
  image: Buffer,
  facts: Omit<Manifest, "size_bytes" | "sha256" | "chunks_sha256"> & Partial<Manifest>,
  key: KeyObject,
): Buffer {
  const chunks_sha256: string[] = [];
  for (let at = 0; at < image.length; at += CHUNK_BYTES)
    chunks_sha256.push(digestOf(image.subarray(at, at + CHUNK_BYTES)));
  const manifest = { size_bytes: image.length, sha256: digestOf(image), chunks_sha256, ...facts };
  const text = Buffer.from(JSON.stringify(Object.fromEntries(Object.entries(manifest).sort())));
  const signature = sign(null, signedBytes(text), key).toString("base64");
  return Buffer.concat([Buffer.from(`${MAGIC}${text.length}\n`), text, Buffer.from(`${signature}\n`)]);
}

export function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function signedBytes(text: Buffer): Buffer {
  return Buffer.concat([Buffer.from(MAGIC), text]);
}

function isSignedBy(key: string, text: Buffer, signature: Buffer): boolean {
  const public_key = createPublicKey({ key: Buffer.from(key, "base64"), format: "der", type: "spki" });
  return verify(null, signedBytes(text), public_key, signature);
}

function damaged(): Failure {
  return new Failure("bundle-damaged", "The update is damaged; copy or download the file again, as a whole.");
}

function notABundle(): Failure {
  return new Failure(
    "bundle-damaged",
    "This is no update of understudy, or its beginning is damaged; give the file again.",
  );
}
