/** Backup copies of the settings, in the state directory: made, listed, shown, deleted, and read for a restore. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Failure, sentence } from "../errors.ts";
import { syncDirectory } from "../sealed.ts";
import { fileTrouble } from "../trouble.ts";
import { VERSION } from "../version.ts";
import { BACKUP_BYTES_MAX, openBackup, readHeader, sealBackup } from "./backup-format.ts";
import { BACKUPS } from "./store.ts";

export const BACKUPS_MAX = 50;
const SUFFIX = ".understudy-backup";
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,100}\.understudy-backup$/;

export interface BackupEntry {
  name: string;
  bytes: number;
  /** Null where the file cannot be read; `trouble` says why. */
  at: string | null;
  server: string | null;
  version: string | null;
  encrypted: boolean;
  trouble: string | null;
}

export class Backups {
  readonly #directory: string;
  readonly #now: () => Date;

  constructor(state_directory: string, now: () => Date = () => new Date()) {
    this.#directory = join(state_directory, BACKUPS);
    this.#now = now;
  }

  /** Throws Failure `backups-full`, `bad-passphrase`, `state-unwritable`. */
  async create(server: string, settings: unknown, passphrase?: string): Promise<BackupEntry> {
    this.#demandRoom();
    const at = this.#now().toISOString();
    const text = await sealBackup({ server, at, version: VERSION }, settings, passphrase);
    this.#demandRoom();
    const name = this.#freeName(at, server);
    this.#write(name, text);
    return this.#entry(name);
  }

  /** Newest first. */
  list(): BackupEntry[] {
    const entries = this.#names().map((name) => this.#entry(name));
    return entries.sort(
      (one, other) => (other.at ?? "").localeCompare(one.at ?? "") || (one.name < other.name ? 1 : -1),
    );
  }

  /** The file as it is. Throws Failure `no-backup`, `backup-damaged`. */
  read(name: string): string {
    return readBounded(this.#path(name));
  }

  delete(name: string): void {
    const path = this.#path(name);
    try {
      rmSync(path);
      syncDirectory(this.#directory);
    } catch (error) {
      throw this.#unwritable(error);
    }
  }

  /** The settings in a copy of the list, or in one that was brought along. Not yet checked. */
  open(from: { name: string } | { content: string }, passphrase?: string): Promise<unknown> {
    return openBackup("name" in from ? this.read(from.name) : from.content, passphrase);
  }

  #names(): string[] {
    if (!existsSync(this.#directory)) return [];
    try {
      return readdirSync(this.#directory).filter((name) => NAME.test(name));
    } catch (error) {
      throw new Failure("state-unusable", `${this.#directory} cannot be read: ${fileTrouble(error)}.`);
    }
  }

  #demandRoom(): void {
    if (this.#names().length >= BACKUPS_MAX)
      throw new Failure("backups-full", `There are ${BACKUPS_MAX} backup copies already; delete one first.`);
  }

  #freeName(at: string, server: string): string {
    const time = at.slice(0, 19).replaceAll(":", "-");
    const plain = server.replace(/[^A-Za-z0-9._-]+/g, "-").slice(0, 42);
    const names = Array.from({ length: BACKUPS_MAX + 1 }, (_, count) => {
      const again = count === 0 ? "" : `-${count + 1}`;
      return `${time}Z-${plain}${again}${SUFFIX}`;
    });
    return names.find((name) => !existsSync(join(this.#directory, name))) ?? names[0] ?? "";
  }

  #path(name: string): string {
    const path = join(this.#directory, name);
    if (!NAME.test(name) || !existsSync(path))
      throw new Failure("no-backup", `There is no backup copy ${name.slice(0, 120)}; list them with \`backup list\`.`);
    return path;
  }

  #entry(name: string): BackupEntry {
    const path = join(this.#directory, name);
    const bytes = statSync(path).size;
    try {
      const { at, server, version, encryption } = readHeader(readBounded(path));
      return { name, bytes, at, server, version, encrypted: encryption !== null, trouble: null };
    } catch (error) {
      return { name, bytes, at: null, server: null, version: null, encrypted: false, trouble: sentence(error) };
    }
  }

  /** All of it or nothing, also after a power cut. */
  #write(name: string, text: string): void {
    const path = join(this.#directory, name);
    try {
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
      for (const left of readdirSync(this.#directory).filter((entry) => entry.endsWith(".new")))
        rmSync(join(this.#directory, left));
      const fd = openSync(`${path}.new`, "w", 0o600);
      try {
        writeFileSync(fd, text);
        fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
      renameSync(`${path}.new`, path);
      syncDirectory(this.#directory);
    } catch (error) {
      rmSync(`${path}.new`, { force: true });
      throw this.#unwritable(error);
    }
  }

  #unwritable(error: unknown): Failure {
    return new Failure("state-unwritable", `${this.#directory} cannot be written: ${fileTrouble(error)}.`);
  }
}

function readBounded(path: string): string {
  if (statSync(path).size > BACKUP_BYTES_MAX)
    throw new Failure("backup-damaged", "This backup copy is larger than any that was made here; use another one.");
  return readFileSync(path, "utf8");
}
