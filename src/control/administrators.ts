/**
 * Who may administer this server: passwords set and verified. They are kept as Argon2id hashes among the shared settings,
 * so both nodes have the same ones. Hashing runs beside the control process's own thread, and never in the heart.
 */
import { Failure } from "../errors.ts";
import { FIRST_ADMINISTRATOR } from "../settings/model.ts";
import { Guesses } from "./guesses.ts";
import type { ChangeOptions } from "./settings-service.ts";
import { slowTurns } from "./turns.ts";

/** RFC 9106, section 4, for little memory, on one lane: 64 MiB, 3 passes. */
export const ARGON2 = { algorithm: "argon2id", memoryCost: 65_536, timeCost: 3 } as const;
const PASSWORD_CHARACTERS_MIN = 12;
const DIFFERENT_CHARACTERS_MIN = 5;
const PASSWORD_BYTES_MAX = 1024;
const NAME_BYTES_MAX = 256;
const MEMORY_KIB_MAX = 262_144;
const PASSES_MAX = 10;
/** Of a random password that nobody kept: an unknown name takes as long to refuse as a known one. */
const NOBODY =
  "$argon2id$v=19$m=65536,t=3,p=1$wFtl0lJRD2NgVR3f2WHZB2SROmt1lzcCPKGO8hZXKSI$T4sKj2Ysei1XN9yLtmZfAs4kQuqA6K6g1loSQUktW4Y";

export interface Administrator {
  name: string;
  password_hash: string;
}

/** Where they are kept. `change` is a change of the settings, and may be refused as any other. */
export interface AdministratorsKept {
  list(): readonly Administrator[];
  change(work: (now: readonly Administrator[]) => Administrator[], options: ChangeOptions): Promise<void>;
}

/** Bun.password, or something fast for tests. */
export type Hasher = Pick<typeof Bun.password, "hash" | "verify">;

/** The console and the control socket belong to root; on the web, the present password is asked for. */
export type Door = "console" | "web";

export class Administrators {
  readonly #kept: AdministratorsKept;
  readonly #guesses: Guesses;
  readonly #hasher: Hasher;

  constructor(kept: AdministratorsKept, now_ms: () => number = () => performance.now(), hasher: Hasher = Bun.password) {
    this.#kept = kept;
    this.#hasher = hasher;
    this.#guesses = new Guesses(now_ms);
  }

  list(): { name: string; password: "set" }[] {
    return this.#kept.list().map(({ name }) => ({ name, password: "set" as const }));
  }

  /** Throws Failure `wrong-password` (also where the name is unknown), `too-many-tries`, `busy`. */
  async verify(name: string, password: string): Promise<void> {
    if (Buffer.byteLength(name) > NAME_BYTES_MAX || Buffer.byteLength(password) > PASSWORD_BYTES_MAX) throw wrong();
    this.#guesses.begin(name);
    const hash = this.#kept.list().find((entry) => entry.name === name)?.password_hash;
    const right = await this.#matches(password, hash ?? NOBODY);
    if (!right || hash === undefined) throw wrong();
    this.#guesses.right(name);
  }

  /**
   * Throws Failure `weak-password`, `unknown-administrator`, `current-needed`, as `verify`, and as a change of settings.
   * On the web, `current` may be left out only while nobody has a password.
   */
  async setPassword(
    door: Door,
    { name, password, current }: PasswordChange,
    options: ChangeOptions = { author: name },
  ): Promise<void> {
    const first = this.#kept.list().length === 0;
    if (door === "web" && !first) {
      if (current === undefined) throw new Failure("current-needed", "Give the present password too.");
      await this.verify(name, current);
    }
    if (name !== FIRST_ADMINISTRATOR && !this.#kept.list().some((entry) => entry.name === name))
      throw new Failure("unknown-administrator", `There is no administrator ${name.slice(0, 60)}.`);
    demandGoodPassword(name, password);
    const password_hash = await slowTurns.take(() => this.#hasher.hash(normal(password), ARGON2));
    await this.#kept.change((now) => {
      // Somebody else may have been first meanwhile, and then the present password is theirs.
      if (door === "web" && first && now.length > 0)
        throw new Failure("current-needed", "A password has been set meanwhile; give it too.");
      if (!now.some((entry) => entry.name === name)) return [{ name, password_hash }, ...now];
      return now.map((entry) => (entry.name === name ? { name, password_hash } : entry));
    }, options);
    this.#guesses.forget(name);
  }

  /** A hash that came with imported settings may ask for anything: no more than this is given. Throws Failure `password-unusable`. */
  async #matches(password: string, hash: string): Promise<boolean> {
    const [, memory_kib, passes] = /\$m=(\d+),t=(\d+),/.exec(hash)?.map(Number) ?? [];
    const bounded = (memory_kib ?? Number.NaN) <= MEMORY_KIB_MAX && (passes ?? Number.NaN) <= PASSES_MAX;
    try {
      if (bounded) return await slowTurns.take(() => this.#hasher.verify(normal(password), hash));
    } catch (error) {
      if (error instanceof Failure) throw error;
    }
    throw new Failure(
      "password-unusable",
      "This administrator's password hash cannot be used; set a new password on the server's console.",
    );
  }
}

export interface PasswordChange {
  name: string;
  password: string;
  current?: string | undefined;
}

/** Throws Failure `weak-password`. */
export function demandGoodPassword(name: string, password: string): void {
  const plain = normal(password);
  const characters = [...plain];
  if (characters.length < PASSWORD_CHARACTERS_MIN)
    throw weak(`has fewer than ${PASSWORD_CHARACTERS_MIN} characters; a sentence of some words is easy to remember`);
  if (Buffer.byteLength(plain) > PASSWORD_BYTES_MAX) throw weak(`has more than ${PASSWORD_BYTES_MAX} bytes`);
  if (/[\x00-\x1f\x7f]/.test(plain)) throw weak("holds characters that cannot be typed");
  if (plain.toLowerCase() === normal(name).toLowerCase()) throw weak("is the administrator's name");
  if (new Set(characters).size < DIFFERENT_CHARACTERS_MIN)
    throw weak(`has fewer than ${DIFFERENT_CHARACTERS_MIN} different characters`);
}

/** Composed and decomposed letters of different keyboards are the same password. */
function normal(password: string): string {
  return password.normalize("NFKC");
}

function weak(why: string): Failure {
  return new Failure("weak-password", `That password ${why}; choose another one.`);
}

function wrong(): Failure {
  return new Failure("wrong-password", "The name or the password is wrong.");
}
