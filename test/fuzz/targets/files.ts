/** Targets: the files that an administrator brings along, backup copies of settings and licenses. */
import { createHash } from "node:crypto";
import { readHeader, SETTINGS_SCHEMA } from "../../../src/control/backup-format.ts";
import { readLicense } from "../../../src/control/license.ts";
import { Failure } from "../../../src/errors.ts";
import { developmentKey, signLicense } from "../../license/sign.ts";
import { decode, type Target } from "../target.ts";

const encode = (text: string) => new TextEncoder().encode(text);

const HEADER = {
  server: "node-a",
  at: "2026-11-24T10:00:00.000Z",
  version: "0.1.0",
  schema: SETTINGS_SCHEMA,
  encryption: { kdf: "scrypt N=65536 r=8 p=2", salt: "0".repeat(32), cipher: "aes-256-gcm", iv: "0".repeat(24) },
};

function copyOf(header: unknown): string {
  const text = `understudy backup copy of settings, format 1\n${JSON.stringify(header)}\nAAAA\n`;
  return `${text}sha256:${createHash("sha256").update(text).digest("hex")}\n`;
}

/** Damaged anywhere, or sealed by somebody who wrote another header. */
export function backupTarget(): Target {
  const good = copyOf(HEADER);
  return {
    base: { copy: encode(good) },
    next: (mutator, corpus) =>
      mutator.below(2) === 0 ? mutator.mutated(corpus) : encode(copyOf(mutator.mutatedJson(HEADER))),
    check(bytes) {
      const text = decode(bytes);
      try {
        const header = readHeader(text);
        if (copyOf(header).trimEnd() !== text.trimEnd())
          throw new Error("Broken: a header is read as it was written, or not at all");
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
      }
    },
  };
}

export function licenseTarget(): Target {
  const payload = { product: "understudy", holder: "Lab", serial: "1", issued: "2020-01-01", nodes: 2 };
  const good = encode(signLicense(payload, developmentKey()));
  const now = new Date("2026-01-01T00:00:00Z");
  return {
    base: { license: good },
    next: (mutator, corpus) => mutator.mutated(corpus),
    check(bytes) {
      const { state, holder, serial, issued, until } = readLicense(decode(bytes), now);
      const same = holder === "Lab" && serial === "1" && issued === "2020-01-01" && until === null;
      if (state === "valid" && !same) throw new Error("Broken: a license is valid with what was signed, or not at all");
    },
  };
}
