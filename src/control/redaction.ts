/** The last look at everything that leaves for the web: what is a secret by its name or its form is not said. */

const SECRET_NAMES = new Set(["password_hash", "hash", "key", "private_key", "passphrase", "secret"]);
const SECRET_FORMS = /\$argon2|-----BEGIN [A-Z ]*PRIVATE KEY-----/;
const DEPTH_MAX = 32;

/** A copy in which secrets are "set". */
export function withoutSecrets(value: unknown, depth = 0): unknown {
  if (typeof value === "string") return SECRET_FORMS.test(value) ? "set" : value;
  if (typeof value !== "object" || value === null) return value;
  if (depth >= DEPTH_MAX) return null;
  if (Array.isArray(value)) return value.map((entry) => withoutSecrets(entry, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, entry]) => [
      name,
      SECRET_NAMES.has(name) && typeof entry === "string" ? "set" : withoutSecrets(entry, depth + 1),
    ]),
  );
}
