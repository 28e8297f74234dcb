/**
 * Signs a license: `npm run license -- --holder "Example Ltd" [--until 2027-12-31] [--from DATE] [--serial TEXT] [--key FILE.pem]`.
 * Without --key it signs with the development key, which a release build refuses.
 */
import { createPrivateKey, type KeyObject, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { canonical, LICENSE_PRODUCT, SIGNED_PREFIX } from "../../src/control/license.ts";

const DEVELOPMENT_KEY = join(import.meta.dir, "development-key.pem");
const LINE_CHARACTERS = 64;

export const developmentKey = (): KeyObject => privateKey(DEVELOPMENT_KEY);

export function signLicense(payload: Record<string, unknown>, key: KeyObject): string {
  const bytes = Buffer.from(canonical(payload));
  const signature = sign(null, Buffer.concat([Buffer.from(SIGNED_PREFIX), bytes]), key);
  const lines = (part: Buffer) => part.toString("base64").replace(new RegExp(`.{1,${LINE_CHARACTERS}}`, "g"), "$&\n");
  return `-----BEGIN UNDERSTUDY LICENSE-----\n${lines(bytes)}\n${lines(signature)}-----END UNDERSTUDY LICENSE-----\n`;
}

function privateKey(path: string): KeyObject {
  const text = readFileSync(path, "utf8");
  return createPrivateKey(text.slice(text.indexOf("-----BEGIN")));
}

if (import.meta.main) {
  const day = new Date().toISOString().slice(0, 10);
  const { values } = parseArgs({
    options: {
      holder: { type: "string" },
      serial: { type: "string", default: `${day}-${crypto.randomUUID().slice(0, 8)}` },
      issued: { type: "string", default: day },
      from: { type: "string" },
      until: { type: "string" },
      key: { type: "string", default: DEVELOPMENT_KEY },
    },
  });
  if (values.holder === undefined) {
    console.error("Say who holds the license with --holder NAME.");
    process.exit(2);
  }
  const { key, ...given } = values;
  process.stdout.write(signLicense({ product: LICENSE_PRODUCT, nodes: 2, ...given }, privateKey(key)));
}
