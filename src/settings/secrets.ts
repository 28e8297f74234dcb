/**
 * Settings as they may be shown: hashes of passwords and tokens and the key of the certificate are secrets, and whoever
 * sees the rest sees only that there is one.
 */
import type { Settings } from "./schema.ts";

export const SET = "set";

export function redacted(settings: Settings): Settings {
  const { certificate, tokens } = settings.web;
  return {
    ...settings,
    administrators: settings.administrators.map((entry) => ({ ...entry, password_hash: SET })),
    web: {
      ...settings.web,
      ...(certificate === undefined ? {} : { certificate: { ...certificate, key: SET } }),
      ...(tokens === undefined ? {} : { tokens: tokens.map((entry) => ({ ...entry, hash: SET })) }),
    },
  };
}

/** What was shown redacted and comes back has the secrets that it had. Input of unknown form passes as it is. */
export function withSecrets(value: unknown, before: Settings): unknown {
  if (typeof value !== "object" || value === null) return value;
  const { administrators, web } = value as {
    administrators?: unknown;
    web?: { certificate?: unknown; tokens?: unknown };
  };
  const restored: Record<string, unknown> = {};
  if (Array.isArray(administrators))
    restored["administrators"] = returned(administrators, "name", "password_hash", before.administrators);
  if (typeof web === "object" && web !== null) {
    const [certificate] = returned([web.certificate], "certificate", "key", [before.web.certificate]);
    restored["web"] = {
      ...web,
      ...(certificate === undefined ? {} : { certificate }),
      ...(Array.isArray(web.tokens) ? { tokens: returned(web.tokens, "id", "hash", before.web.tokens ?? []) } : {}),
    };
  }
  return Object.keys(restored).length === 0 ? value : { ...value, ...restored };
}

/** Entries whose secret is "set" become the ones of the same identity that were there. */
function returned(
  given: unknown[],
  identity: string,
  secret: string,
  before: readonly (object | undefined)[],
): unknown[] {
  const part = (entry: unknown, name: string): unknown => (entry as Record<string, unknown> | null | undefined)?.[name];
  return given.map((entry) =>
    part(entry, secret) === SET
      ? (before.find((old) => old && part(old, identity) === part(entry, identity)) ?? entry)
      : entry,
  );
}
