/**
 * A backup copy of the settings as a file: four lines of text, so that a person can read what it is.
 *
 *   understudy backup copy of settings, format 1
 *   { "server": …, "at": …, "schema": …, "encryption": … }     the header, readable without the passphrase
 *   the settings: JSON, or with a passphrase AES-256-GCM in base64, the two lines above being authenticated with it
 *   sha256:…                                                     of everything above: damage is not taken for a wrong passphrase
 *
 * The key comes from the passphrase by scrypt, and only with the parameters below: a file from elsewhere cannot ask for more memory.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes, scrypt } from "node:crypto";
import { z } from "zod";
import { Failure } from "../errors.ts";
import { slowTurns } from "./turns.ts";

export const BACKUP_BYTES_MAX = 4 << 20;
export const PASSPHRASE_BYTES_MAX = 1024;
/** Version of the settings' own shape; a later one may hold what this program does not know. */
export const SETTINGS_SCHEMA = 1;

const PRODUCT = "understudy";
const KIND = "backup copy of settings";
const FORMAT = 1;
const TITLE = `${PRODUCT} ${KIND}, format ${FORMAT}`;
/** 64 MiB, and what OWASP holds equal to N = 2^17, p = 1. */
const SCRYPT = { N: 1 << 16, r: 8, p: 2 } as const;
const SCRYPT_BYTES_MAX = 160 << 20;
const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const SALT_BYTES = 16;

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`));
const headerSchema = z.strictObject({
  server: z.string().max(200),
  at: z.iso.datetime(),
  version: z.string().max(40),
  schema: z.int().min(1),
  encryption: z
    .strictObject({
      kdf: z.literal(`scrypt N=${SCRYPT.N} r=${SCRYPT.r} p=${SCRYPT.p}`),
      salt: hex(SALT_BYTES),
      cipher: z.literal("aes-256-gcm"),
      iv: hex(IV_BYTES),
    })
    .nullable(),
});

export type BackupHeader = z.infer<typeof headerSchema>;
export type BackupLabel = Pick<BackupHeader, "server" | "at" | "version">;

/** The text of the file. Throws Failure `bad-passphrase`. */
export async function sealBackup(label: BackupLabel, settings: unknown, passphrase?: string): Promise<string> {
  const plain = JSON.stringify(settings);
  const { server, at, version } = label;
  const header: BackupHeader = { server, at, version, schema: SETTINGS_SCHEMA, encryption: null };
  if (passphrase === undefined) return close(`${TITLE}\n${JSON.stringify(header)}\n${plain}\n`);
  const [salt, iv] = [randomBytes(SALT_BYTES), randomBytes(IV_BYTES)];
  header.encryption = {
    kdf: `scrypt N=${SCRYPT.N} r=${SCRYPT.r} p=${SCRYPT.p}`,
    salt: salt.toString("hex"),
    cipher: "aes-256-gcm",
    iv: iv.toString("hex"),
  };
  const head = `${TITLE}\n${JSON.stringify(header)}\n`;
  const cipher = createCipheriv("aes-256-gcm", await keyOf(passphrase, salt), iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(head));
  const sealed = Buffer.concat([cipher.update(plain, "utf8"), cipher.final(), cipher.getAuthTag()]);
  return close(`${head}${sealed.toString("base64")}\n`);
}

/** What a copy says of itself. Throws Failure `backup-foreign`, `backup-newer` or `backup-damaged`. */
export function readHeader(text: string): BackupHeader {
  return take(text).header;
}

/** The settings inside, not yet checked. Throws as `readHeader`, and `passphrase-needed`, `wrong-passphrase`. */
export async function openBackup(text: string, passphrase?: string): Promise<unknown> {
  const { header, head, body } = take(text);
  if (header.encryption === null) return parseInside(body);
  if (passphrase === undefined)
    throw new Failure("passphrase-needed", "This backup copy is encrypted; give the passphrase it was made with.");
  const sealed = Buffer.from(body, "base64");
  if (sealed.length < TAG_BYTES) throw damaged();
  const key = await keyOf(passphrase, Buffer.from(header.encryption.salt, "hex"));
  const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(header.encryption.iv, "hex"), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(Buffer.from(head));
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  let plain: string;
  try {
    plain = Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]).toString("utf8");
  } catch {
    throw new Failure("wrong-passphrase", "The passphrase is not the one that this backup copy was made with.");
  }
  return parseInside(plain);
}

function take(text: string): { header: BackupHeader; head: string; body: string } {
  const title = /^(\S+) backup copy of settings, format (\d{1,9})\n/.exec(text);
  if (title === null || title[1] !== PRODUCT)
    throw new Failure(
      "backup-foreign",
      title === null
        ? "This is no backup copy of settings; choose a file that `understudy backup create` made."
        : `This backup copy was made by another product (${title[1]?.slice(0, 40)}); choose one that understudy made.`,
    );
  if (Number(title[2]) > FORMAT) throw newer();
  const [title_line = "", header_line = "", body = "", seal = "", ...rest] = text.split("\n");
  const head = `${title_line}\n${header_line}\n`;
  if (title_line !== TITLE || rest.join("") !== "" || seal !== sealOf(`${head}${body}\n`)) throw damaged();
  const value = parseInside(header_line) as { schema?: unknown; version?: unknown } | null;
  // Before the rest, which a later version may say in another way.
  if (typeof value?.schema === "number" && value.schema > SETTINGS_SCHEMA) throw newer(value.version);
  const header = headerSchema.safeParse(value);
  if (!header.success) throw damaged();
  return { header: header.data, head, body };
}

function parseInside(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw damaged();
  }
}

function damaged(): Failure {
  return new Failure("backup-damaged", "This backup copy is damaged, or was changed by hand; use another one.");
}

function newer(version?: unknown): Failure {
  const by = typeof version === "string" ? ` (${version.slice(0, 40)})` : "";
  return new Failure("backup-newer", `This backup copy was made by a newer version${by}; update this server first.`);
}

function sealOf(text: string): string {
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}

function close(text: string): string {
  return `${text}${sealOf(text)}\n`;
}

function keyOf(passphrase: string, salt: Buffer): Promise<Buffer> {
  // One person types it on two keyboards: composed and decomposed letters are the same.
  const normal = Buffer.from(passphrase.normalize("NFKC"));
  if (normal.length === 0 || normal.length > PASSPHRASE_BYTES_MAX)
    throw new Failure("bad-passphrase", `The passphrase must have 1 to ${PASSPHRASE_BYTES_MAX} bytes.`);
  return slowTurns.take(
    () =>
      new Promise((resolve, reject) =>
        scrypt(normal, salt, KEY_BYTES, { ...SCRYPT, maxmem: SCRYPT_BYTES_MAX }, (error, key) =>
          error ? reject(error) : resolve(key),
        ),
      ),
  );
}
