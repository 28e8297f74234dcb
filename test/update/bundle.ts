/**
 * Makes an update: `npm run bundle -- [--image dist/understudy.efi] [--output FILE] [--from-build N] [--key FILE.pem]`.
 * Version, build and commit are those that the image says itself. Without --key it signs with the development key, which
 * a release refuses.
 */
import { createPrivateKey, type KeyObject } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { SETTINGS_SCHEMA } from "../../src/settings/migration.ts";
import { type Manifest, makeHeader, PRODUCT } from "../../src/update/bundle.ts";
import { releaseOf } from "../../src/update/image.ts";

const ROOT = join(import.meta.dir, "../..");
const DEVELOPMENT_KEY = join(import.meta.dir, "development-key.pem");

export const developmentKey = (): KeyObject => privateKey(DEVELOPMENT_KEY);

export interface BundleOptions {
  key?: KeyObject;
  manifest?: Partial<Manifest>;
}

/** All of a bundle with this image. Throws where it is no image of ours. */
export function makeBundle(image: Buffer, { key = developmentKey(), manifest = {} }: BundleOptions = {}): Buffer {
  const release = releaseOf(image);
  if (release === null) throw new Error("This is no unified kernel image of understudy.");
  const facts = { product: PRODUCT, from_build_min: 0, settings_schema: SETTINGS_SCHEMA, ...release, ...manifest };
  return Buffer.concat([makeHeader(image, facts, key), image]);
}

function privateKey(path: string): KeyObject {
  const text = readFileSync(path, "utf8");
  return createPrivateKey(text.slice(text.indexOf("-----BEGIN")));
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      image: { type: "string", default: join(ROOT, "dist/understudy.efi") },
      output: { type: "string", default: join(ROOT, "dist/understudy.update") },
      "from-build": { type: "string", default: "0" },
      key: { type: "string", default: DEVELOPMENT_KEY },
    },
  });
  try {
    const bundle = makeBundle(readFileSync(values.image), {
      key: privateKey(values.key),
      manifest: { from_build_min: Number(values["from-build"]) },
    });
    writeFileSync(values.output, bundle);
    console.log(`${values.output}: ${bundle.length} bytes`);
  } catch (error) {
    const missing = (error as { code?: string }).code === "ENOENT";
    const advice = missing ? " The image is made by `npm run image`." : "";
    console.error((error instanceof Error ? error.message : String(error)) + advice);
    process.exit(1);
  }
}
