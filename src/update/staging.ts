/**
 * The update on its way to this node: `updates` in the state directory. Pieces come in order, from an administrator or from the
 * peer; every MiB is checked against the signed manifest before the next one is taken, and what is not good is cut off again,
 * so that a download goes on after its last good piece, also after a power cut.
 */
import { existsSync, mkdirSync, renameSync, rmSync, statfsSync, statSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../errors.ts";
import { syncDirectory } from "../sealed.ts";
import { fileTrouble } from "../trouble.ts";
import {
  bundleBytes,
  CHUNK_BYTES,
  chunkBytes,
  demandChunk,
  HEADER_BYTES_MAX,
  type Header,
  type Manifest,
  readHeader,
  type UpdateKeys,
} from "./bundle.ts";

export const UPDATES = "updates";
const WHOLE = "bundle";
const PART = "bundle.part";
/** Header and signature of the largest manifest. */
const BEGINNING_BYTES_MAX = HEADER_BYTES_MAX + 1024;
/** What the settings need beside it. */
const MARGIN_BYTES = 8 << 20;
/** What is written waits for the disk so often, so that it never waits long. */
const SYNC_BYTES = 4 << 20;

export interface StagingOptions {
  /** Refuses what this node may not go to, before anything of it is kept. */
  demand: (manifest: Manifest) => void | Promise<void>;
  keys?: UpdateKeys;
}

export interface Staged {
  manifest: Manifest;
  /** So many bytes of the bundle are here, and good. */
  received_bytes: number;
  total_bytes: number;
}

export class Staging {
  readonly #directory: string;
  readonly #options: StagingOptions;
  /** Of what is here, once its header is. */
  #header: Header | null = null;
  #received = 0;
  #complete = false;
  #unsynced = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(state_directory: string, options: StagingOptions) {
    this.#directory = join(state_directory, UPDATES);
    this.#options = options;
  }

  /** What is here; null where there is nothing, or not yet enough to say what it is. */
  get staged(): Staged | null {
    if (this.#header === null) return null;
    const { manifest } = this.#header;
    return { manifest, received_bytes: this.#received, total_bytes: bundleBytes(this.#header) };
  }

  get received_bytes(): number {
    return this.#received;
  }

  /** The whole of this image is here. */
  has(sha256: string): boolean {
    return this.#complete && this.#header?.manifest.sha256 === sha256;
  }

  /** Finds what an earlier run left, and what of it is good. */
  resume(): Promise<void> {
    return this.#alone(async () => {
      this.#forget();
      const whole = join(this.#directory, WHOLE);
      const part = join(this.#directory, PART);
      const path = existsSync(whole) ? whole : existsSync(part) ? part : null;
      if (path === null) return;
      const file = await open(path, "r+");
      try {
        await this.#examine(file, path === whole);
        if (this.#header === null || !this.#complete) await file.truncate(this.#received);
      } finally {
        await file.close();
      }
      if (this.#header === null) return this.#remove();
      if (path === whole && !this.#complete) renameSync(whole, part);
      if (path === part && this.#complete) this.#finish();
    });
  }

  async #examine(file: FileHandle, is_whole: boolean): Promise<void> {
    const { size } = await file.stat();
    try {
      this.#header = readHeader(await readAt(file, 0, Math.min(size, BEGINNING_BYTES_MAX)), this.#options.keys);
      if (this.#header === null) return;
      const { manifest, image_offset } = this.#header;
      this.#received = image_offset;
      for (let index = 0; index < manifest.chunks_sha256.length; index++) {
        const chunk = await readAt(file, this.#received, chunkBytes(manifest, index));
        demandChunk(manifest, index, chunk);
        this.#received += chunk.length;
      }
      this.#complete = is_whole || this.#received === bundleBytes(this.#header);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
    }
  }

  /**
   * The next bytes of a bundle. Answers with how many are here now; whoever sends goes on from there. `offset` 0 begins anew.
   * Throws Failure `bundle-…`, `update-…`, `no-room`, `no-room-slot`, `bundle-offset` or `state-unwritable`.
   */
  put(offset: number, bytes: Buffer): Promise<{ received_bytes: number; complete: boolean }> {
    return this.#alone(async () => {
      try {
        if (offset === 0) this.#remove();
        if (offset !== this.#received || this.#complete)
          throw new Failure(
            "bundle-offset",
            `${this.#received} bytes of the update are here, so the next one is not number ${offset}; go on from there, or begin anew.`,
          );
        await this.#write(bytes);
      } catch (error) {
        throw error instanceof Failure
          ? error
          : new Failure("state-unwritable", `${this.#directory} cannot be written: ${fileTrouble(error)}.`);
      }
      return { received_bytes: this.#received, complete: this.#complete };
    });
  }

  async #write(bytes: Buffer): Promise<void> {
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    const file = await open(join(this.#directory, PART), this.#received === 0 ? "w+" : "r+", 0o600);
    try {
      const before = this.#received;
      if (this.#header !== null && before + bytes.length > bundleBytes(this.#header)) throw tooLong();
      for (let at = 0; at < bytes.length; )
        at += (await file.write(bytes, at, bytes.length - at, before + at)).bytesWritten;
      this.#received += bytes.length;
      if (this.#header === null) await this.#readHeader(file);
      await this.#check(file, before);
      this.#unsynced += bytes.length;
      if (this.#unsynced >= SYNC_BYTES || this.#complete) {
        await file.sync();
        this.#unsynced = 0;
      }
    } catch (error) {
      // Nobody is to wait behind an update that is not wanted, nor to keep a part that is not good.
      if (this.#header === null) this.#remove();
      else await file.truncate(this.#received);
      throw error;
    } finally {
      await file.close();
    }
    if (this.#complete) this.#finish();
  }

  async #readHeader(file: FileHandle): Promise<void> {
    const beginning = await readAt(file, 0, Math.min(this.#received, BEGINNING_BYTES_MAX));
    const header = readHeader(beginning, this.#options.keys);
    if (header === null) return;
    await this.#options.demand(header.manifest);
    if (this.#received > bundleBytes(header)) throw tooLong();
    this.#demandRoom(bundleBytes(header) - this.#received);
    this.#header = header;
  }

  /** Every piece that has become complete. A bad one is cut off. */
  async #check(file: FileHandle, before: number): Promise<void> {
    if (this.#header === null) return;
    const { manifest, image_offset } = this.#header;
    const end = bundleBytes(this.#header);
    const first = Math.max(0, Math.floor((before - image_offset) / CHUNK_BYTES));
    for (let index = first; index < manifest.chunks_sha256.length; index++) {
      const at = image_offset + index * CHUNK_BYTES;
      const length = chunkBytes(manifest, index);
      if (at + length > this.#received) break;
      try {
        demandChunk(manifest, index, await readAt(file, at, length));
      } catch (error) {
        this.#received = at;
        throw error;
      }
    }
    this.#complete = this.#received === end;
  }

  #demandRoom(bytes: number): void {
    const { bavail, bsize } = statfsSync(this.#directory);
    const room = bavail * bsize - MARGIN_BYTES;
    if (bytes <= room) return;
    const mebibytes = (count: number): number => Math.ceil(Math.max(0, count) / (1 << 20));
    throw new Failure(
      "no-room",
      `The update needs ${mebibytes(bytes)} MiB in the state directory, and there are ${mebibytes(room)}; free some space.`,
    );
  }

  #finish(): void {
    renameSync(join(this.#directory, PART), join(this.#directory, WHOLE));
    syncDirectory(this.#directory);
  }

  /** The image, MiB by MiB, each checked once more. Throws Failure `bundle-chunk` or `no-bundle`. */
  async *chunks(): AsyncGenerator<Buffer> {
    const { manifest, image_offset } = this.#demandWhole();
    const file = await open(join(this.#directory, WHOLE), "r");
    try {
      for (let index = 0; index < manifest.chunks_sha256.length; index++) {
        const chunk = await readAt(file, image_offset + index * CHUNK_BYTES, chunkBytes(manifest, index));
        demandChunk(manifest, index, chunk);
        yield chunk;
      }
    } finally {
      await file.close();
    }
  }

  /** Bytes of the whole bundle, for the peer; fewer at its end. Throws Failure `no-bundle`. */
  async read(offset: number, bytes: number): Promise<Buffer> {
    const end = bundleBytes(this.#demandWhole());
    const file = await open(join(this.#directory, WHOLE), "r");
    try {
      return await readAt(file, offset, Math.max(0, Math.min(bytes, end - offset)));
    } finally {
      await file.close();
    }
  }

  discard(): Promise<void> {
    return this.#alone(async () => this.#remove());
  }

  #demandWhole(): Header {
    if (this.#header !== null && this.#complete) return this.#header;
    throw new Failure("no-bundle", "There is no whole update on this node; give it the file.");
  }

  #remove(): void {
    this.#forget();
    for (const name of [PART, WHOLE]) rmSync(join(this.#directory, name), { force: true });
    if (statSync(this.#directory, { throwIfNoEntry: false })?.isDirectory()) syncDirectory(this.#directory);
  }

  #forget(): void {
    this.#header = null;
    this.#received = 0;
    this.#complete = false;
    this.#unsynced = 0;
  }

  /** One after the other: two who send at the same time do not mix. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}

async function readAt(file: FileHandle, offset: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(bytes);
  let read = 0;
  while (read < bytes) {
    const { bytesRead } = await file.read(buffer, read, bytes - read, offset + read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return buffer.subarray(0, read);
}

function tooLong(): Failure {
  return new Failure("bundle-damaged", "There is more behind the end of the update; copy the file again, as it is.");
}
