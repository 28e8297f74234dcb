/**
 * The license: a signed text that names its holder. One serves both nodes, as it is a part of the shared settings (S13).
 *
 *   -----BEGIN UNDERSTUDY LICENSE-----
 *   base64 of the payload: JSON with sorted keys and no spaces
 *   (empty line)
 *   base64 of the Ed25519 signature over "understudy license 1\n" and the payload
 *   -----END UNDERSTUDY LICENSE-----
 *
 * Whatever is wrong with it is shown, and stops neither traffic nor a switch.
 */
import { createPublicKey, verify } from "node:crypto";
import { z } from "zod";
import { Failure } from "../errors.ts";
import { RELEASE, RELEASE_LICENSE_KEY } from "../version.ts";

export const LICENSE_PRODUCT = "understudy";
export const LICENSE_BYTES_MAX = 16 << 10;
export const SIGNED_PREFIX = "understudy license 1\n";
/** Its private half lies in test/license: whoever has the sources can sign with it. */
const DEVELOPMENT_KEY = "MCowBQYDK2VwAyEAtF3Xgp1zyqrFAXz/6Rz68KxtP+lokOsiJvsmxjOfLZw=";
const BEGIN = "-----BEGIN UNDERSTUDY LICENSE-----";
const END = "-----END UNDERSTUDY LICENSE-----";
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const DAY_MS = 86_400_000;
const SOON_DAYS = 30;

const payloadSchema = z.strictObject({
  product: z.literal(LICENSE_PRODUCT),
  holder: z.string().min(1).max(200),
  serial: z.string().min(1).max(64),
  issued: z.iso.date(),
  /** First and last day, in UTC; from the day of issue and without end where they are left out. */
  from: z.iso.date().optional(),
  until: z.iso.date().optional(),
  nodes: z.literal(2),
});

export type LicensePayload = z.infer<typeof payloadSchema>;

export type LicenseState =
  | "valid"
  | "missing"
  | "damaged"
  | "forged"
  | "development"
  | "other-product"
  | "not-yet-valid"
  | "expired";

export interface LicenseReport {
  state: LicenseState;
  /** One sentence, with what to do where something is wrong. */
  message: string;
  holder: string | null;
  serial: string | null;
  issued: string | null;
  until: string | null;
}

/** Public keys (SPKI, DER in base64), and whether what the development key signed counts. */
export interface LicenseKeys {
  release: string | null;
  development: string;
  accept_development: boolean;
}

export const BUILT_IN_KEYS: LicenseKeys = {
  release: RELEASE_LICENSE_KEY,
  development: DEVELOPMENT_KEY,
  accept_development: !RELEASE,
};

/** What is to be said of a license at this moment. */
export function readLicense(text: string | null, now: Date, keys: LicenseKeys = BUILT_IN_KEYS): LicenseReport {
  if (text === null)
    return report("missing", "There is no license; install one with `understudy license install FILE`.");
  const taken = takeApart(text);
  if (taken === null)
    return report(
      "damaged",
      "The license is damaged, or is no license of understudy; copy the file again, as a whole.",
    );
  const { bytes, signature, product } = taken;
  if (product !== LICENSE_PRODUCT)
    return report(
      "other-product",
      `The license is for another product (${product.slice(0, 60)}); get one for understudy.`,
    );
  const payload = payloadOf(bytes);
  const by = (key: string | null) => key !== null && isSignedBy(key, bytes, signature);
  const development = by(keys.development);
  if (!development && !by(keys.release))
    return report("forged", "The license is not signed by the maker of this software; get a genuine one.");
  // Signed as it is, and yet not as licenses are made: by a later program.
  if (payload === null)
    return report(
      "damaged",
      "The license is genuine, but of a kind that this version does not know; update this server first.",
    );
  if (development && !keys.accept_development)
    return report(
      "development",
      "The license is signed with the development key, which a release does not accept.",
      payload,
    );
  return inTime(payload, now);
}

/** Refuses all but a license that is valid now. Throws Failure `license-…`. */
export function demandLicense(text: string, now: Date, keys: LicenseKeys = BUILT_IN_KEYS): LicenseReport {
  const read = readLicense(text, now, keys);
  if (read.state !== "valid") throw new Failure(`license-${read.state}`, read.message);
  return read;
}

/** The one way in which a payload is written: what was signed is what is read, byte for byte. */
export function canonical(payload: Record<string, unknown>): string {
  const sorted = Object.entries(payload).filter(([, value]) => value !== undefined);
  return JSON.stringify(Object.fromEntries(sorted.sort(([one], [other]) => (one < other ? -1 : 1))));
}

function inTime(payload: LicensePayload, now: Date): LicenseReport {
  const { holder, until } = payload;
  const from = payload.from ?? payload.issued;
  if (now.getTime() < Date.parse(from))
    return report(
      "not-yet-valid",
      `The license is valid from ${from} on; install it then, or correct this server's clock.`,
      payload,
    );
  if (until === undefined) return report("valid", `Licensed to ${holder}.`, payload);
  const left_days = Math.ceil((Date.parse(until) + DAY_MS - now.getTime()) / DAY_MS);
  if (left_days <= 0)
    return report(
      "expired",
      `The license ended with ${until}; install a new one, or correct this server's clock.`,
      payload,
    );
  const soon = left_days <= SOON_DAYS ? `; ${left_days} ${left_days === 1 ? "day is" : "days are"} left` : "";
  return report("valid", `Licensed to ${holder} until ${until}${soon}.`, payload);
}

function report(state: LicenseState, message: string, payload: LicensePayload | null = null): LicenseReport {
  return {
    state,
    message,
    holder: payload?.holder ?? null,
    serial: payload?.serial ?? null,
    issued: payload?.issued ?? null,
    until: payload?.until ?? null,
  };
}

function takeApart(text: string): { bytes: Buffer; signature: Buffer; product: string } | null {
  if (text.length > LICENSE_BYTES_MAX) return null;
  const lines = text
    .trim()
    .split("\n")
    .map((line) => line.trim());
  const middle = lines.indexOf("");
  if (lines[0] !== BEGIN || lines.at(-1) !== END || middle < 0) return null;
  const [payload, seal] = [lines.slice(1, middle).join(""), lines.slice(middle + 1, -1).join("")];
  if (!BASE64.test(payload) || !BASE64.test(seal)) return null;
  const bytes = Buffer.from(payload, "base64");
  const product = (jsonOf(bytes) as { product?: unknown } | null)?.product;
  return typeof product === "string" ? { bytes, signature: Buffer.from(seal, "base64"), product } : null;
}

function payloadOf(bytes: Buffer): LicensePayload | null {
  const parsed = payloadSchema.safeParse(jsonOf(bytes));
  return parsed.success && canonical(parsed.data) === bytes.toString("utf8") ? parsed.data : null;
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8")) as unknown;
  } catch {
    return null;
  }
}

function isSignedBy(key: string, bytes: Buffer, signature: Buffer): boolean {
  const public_key = createPublicKey({ key: Buffer.from(key, "base64"), format: "der", type: "spki" });
  return verify(null, Buffer.concat([Buffer.from(SIGNED_PREFIX), bytes]), public_key, signature);
}
