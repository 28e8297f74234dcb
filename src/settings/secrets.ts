/** Settings as they may be shown: a password's hash is a secret, and whoever sees the rest sees only that there is one. */
import type { Settings } from "./schema.ts";

export const SET = "set";

export function redacted(settings: Settings): Settings {
  const administrators = settings.administrators.map((entry) => ({ ...entry, password_hash: SET }));
  return { ...settings, administrators };
}

/** What was shown redacted and comes back has the secrets that it had. Input of unknown form passes as it is. */
export function withSecrets(value: unknown, { administrators }: Settings): unknown {
  const given = (value as { administrators?: unknown } | null)?.administrators;
  if (!Array.isArray(given)) return value;
  const restored = given.map((entry: { name?: unknown; password_hash?: unknown } | null) => {
    const before = administrators.find(({ name }) => name === entry?.name);
    return entry?.password_hash === SET && before !== undefined ? before : entry;
  });
  return { ...(value as object), administrators: restored };
}
