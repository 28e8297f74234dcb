/** Tokens for automation: shown once, kept as hashes among the shared settings, so that both nodes take them. */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { Failure } from "../errors.ts";
import type { Settings } from "../settings/model.ts";

type Kept = NonNullable<Settings["web"]["tokens"]>;
export type TokenAccess = Kept[number]["access"];

export const TOKENS_MAX = 64;

export interface TokensKept {
  list(): Kept;
  /** A change of the settings, which may be refused as any other. */
  save(tokens: Kept, author: string): Promise<void>;
}

export class Tokens {
  readonly #kept: TokensKept;

  constructor(kept: TokensKept) {
    this.#kept = kept;
  }

  list(): Omit<Kept[number], "hash">[] {
    return this.#kept.list().map(({ hash: _, ...rest }) => rest);
  }

  /** Throws Failure `too-many`, and as a change of settings. */
  async make(name: string, access: TokenAccess, author: string): Promise<{ id: string; token: string }> {
    const list = this.#kept.list();
    if (list.length >= TOKENS_MAX)
      throw new Failure("too-many", `There are ${TOKENS_MAX} tokens already; revoke one that is not used.`);
    const token = `ust_${randomBytes(32).toString("base64url")}`;
    const id = randomBytes(6).toString("hex");
    await this.#kept.save([...list, { id, name, access, hash: hashOf(token), made: new Date().toISOString() }], author);
    return { id, token };
  }

  /** Throws Failure `not-found`, and as a change of settings. */
  async revoke(id: string, author: string): Promise<void> {
    const list = this.#kept.list();
    const rest = list.filter((token) => token.id !== id);
    if (rest.length === list.length) throw new Failure("not-found", "There is no such token.");
    await this.#kept.save(rest, author);
  }

  check(token: string): { name: string; access: TokenAccess } | null {
    const hash = Buffer.from(hashOf(token), "hex");
    const found = this.#kept.list().find((kept) => timingSafeEqual(Buffer.from(kept.hash, "hex"), hash));
    return found ?? null;
  }
}

/** Without salt or slowness: a token has 256 random bits, which nobody guesses. */
function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
