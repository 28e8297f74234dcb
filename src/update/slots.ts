/**
 * The two slots of the system on the firmware's partition, each one file that systemd-boot starts:
 *
 *   understudy-a.efi        blessed: it was healthy once
 *   understudy-b+3.efi      on trial, three tries left; systemd-boot makes it +2-1 when it starts it, and so on
 *   understudy-b+0-3.efi    three tries and never blessed
 *   understudy-b+0.efi      refused: somebody wanted the other one
 *   understudy-b.new        being written; systemd-boot looks at *.efi alone
 *
 * systemd-boot starts the first of this order: those without a try left come last, and of the others the highest
 * IMAGE_VERSION comes first (boot_entry_compare; both slots have the same IMAGE_ID). So a newer slot on trial is started,
 * an older one is started when the newer has used up its tries or was refused, and when both are bad the newer of them is.
 *
 * The running slot is never written. Each step below ends with the directory on the disk, so that power may go at any byte:
 * what is half-written has a name that nobody starts, and goes at the next start.
 */
import { createHash } from "node:crypto";
import { Failure } from "../errors.ts";
import type { Manifest } from "./bundle.ts";
import { findRelease, HEADERS_BYTES, parseRelease, type Release } from "./image.ts";

export const TRIES = 3;
const NAME = /^understudy-([ab])(?:\+(\d{1,9})(?:-(\d{1,9}))?)?\.efi$/i;
const UNFINISHED = /^understudy-[ab]\.new$/i;
/** So much is read or written at once: the loop has others to serve. */
const PIECE_BYTES = 1 << 20;
/** What is written waits for the disk so often, so that it never waits long. */
const SYNC_BYTES = 4 << 20;
/** What the file system needs for itself. */
const MARGIN_BYTES = 1 << 20;

export type Letter = "a" | "b";

export interface Slot {
  letter: Letter;
  /** Of its file. */
  name: string;
  /** Null where it is blessed. */
  tries: { left: number; done: number } | null;
  /** Null where the file is none of our images. */
  release: Release | null;
}

export interface Slots {
  running: Slot;
  other: Slot | null;
}

/** The directory of the slots, whatever it is on. Everything may throw what the system says. */
export interface BootFiles {
  names(): string[];
  size(name: string): number;
  read(name: string, offset: number, bytes: number): Promise<Buffer>;
  free(): number;
  create(name: string): Promise<BootWriter>;
  rename(from: string, to: string): void;
  remove(name: string): void;
  /** What was made, renamed or removed is there, or gone, for good. */
  sync(): Promise<void>;
  /** What is read next comes from the disk. */
  forgetCache(): void;
  /** Writing is allowed while `work` runs. */
  whileWritable<T>(work: () => Promise<T>): Promise<T>;
}

export interface BootWriter {
  write(bytes: Uint8Array): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

export function parseName(name: string): Pick<Slot, "letter" | "name" | "tries"> | null {
  const match = NAME.exec(name);
  if (match === null) return null;
  const [, letter = "", left, done = "0"] = match;
  const tries = left === undefined ? null : { left: Number(left), done: Number(done) };
  return { letter: letter.toLowerCase() as Letter, name, tries };
}

/** On trial: started, and not yet found healthy. */
export function isOnTrial({ tries }: Slot): boolean {
  return tries !== null && !isRefused({ tries });
}

/** Somebody chose the other one, and it has not been started since. */
export function isRefused({ tries }: Pick<Slot, "tries">): boolean {
  return tries !== null && tries.left === 0 && tries.done === 0;
}

/** Every try was used up, and it was never found healthy. */
export function isUsedUp({ tries }: Slot): boolean {
  return tries !== null && tries.left === 0 && tries.done > 0;
}

/** Which of the slots systemd-boot starts; as it sorts them. */
export function startedNext(slots: Slot[]): Slot | null {
  const order = slots.toSorted((one, other) => {
    const is_bad = ({ tries }: Slot): number => (tries?.left === 0 ? 1 : 0);
    return is_bad(one) - is_bad(other) || compareReleases(other.release, one.release);
  });
  return order[0] ?? null;
}

function compareReleases(one: Release | null, other: Release | null): number {
  const parts = (release: Release | null): number[] =>
    release === null ? [] : [...release.version.split(".").map(Number), release.build];
  const [ours, theirs] = [parts(one), parts(other)];
  for (let at = 0; at < 4; at++) {
    const difference = (ours[at] ?? -1) - (theirs[at] ?? -1);
    if (difference !== 0) return difference;
  }
  return 0;
}

export class SlotStore {
  readonly #files: BootFiles;
  readonly #build: number;
  /** The name of the entry that was started, as the loader says it; null where it does not. */
  readonly #selected: string | null;

  constructor(files: BootFiles, running: { build: number; selected: string | null }) {
    this.#files = files;
    this.#build = running.build;
    this.#selected = running.selected;
  }

  /** Throws Failure `no-slots`. */
  async look(): Promise<Slots> {
    const all: Slot[] = [];
    for (const name of this.#files.names()) {
      const parsed = parseName(name);
      if (parsed !== null) all.push({ ...parsed, release: await this.#release(name) });
    }
    const letter = this.#runningLetter(all);
    const running = all.find((slot) => slot.letter === letter);
    if (running === undefined)
      throw new Failure(
        "no-slots",
        `None of the slots for the system holds build ${this.#build}, which runs here, so it cannot be updated; write the image to the disk anew.`,
      );
    return { running, other: all.find((slot) => slot.letter !== letter) ?? null };
  }

  /** Removes what a power cut left behind; at every start. True where there was something. */
  async cleanUp(): Promise<boolean> {
    const left = this.#files.names().filter((name) => UNFINISHED.test(name));
    if (left.length === 0) return false;
    await this.#files.whileWritable(async () => {
      for (const name of left) this.#files.remove(name);
      await this.#files.sync();
    });
    return true;
  }

  /** Whether an image of this size goes into the other slot. Throws Failure `no-room-slot`. */
  async demandRoom(size_bytes: number): Promise<void> {
    const { other } = await this.look();
    const room = this.#files.free() + (other === null ? 0 : this.#files.size(other.name)) - MARGIN_BYTES;
    if (size_bytes <= room) return;
    throw new Failure(
      "no-room-slot",
      `The update needs ${mebibytes(size_bytes)} MiB for the system, and there are ${mebibytes(Math.max(0, room))}; write a larger image to the disk.`,
    );
  }

  /** Fills the other slot; it is started next. Throws Failure `slot-damaged`, or as `demandRoom`. */
  async write({ size_bytes, sha256 }: Manifest, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    await this.demandRoom(size_bytes);
    const { running } = await this.look();
    const letter = running.letter === "a" ? "b" : "a";
    const unfinished = `understudy-${letter}.new`;
    const files = this.#files;
    await files.whileWritable(async () => {
      for (const name of files.names())
        if (parseName(name)?.letter === letter || UNFINISHED.test(name)) files.remove(name);
      await files.sync();
      await this.#fill(unfinished, chunks);
      await files.sync();
      files.forgetCache();
      const read = await this.#digest(unfinished);
      if (read !== sha256) {
        files.remove(unfinished);
        await files.sync();
        throw new Failure(
          "slot-damaged",
          "What was written of the update reads back differently, so it is not used; the disk is failing, or the file was changed.",
        );
      }
      files.rename(unfinished, `understudy-${letter}+${TRIES}.efi`);
      await files.sync();
    });
  }

  async #fill(name: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const writer = await this.#files.create(name);
    try {
      let waiting = 0;
      for await (const chunk of chunks) {
        await writer.write(chunk);
        waiting += chunk.length;
        if (waiting < SYNC_BYTES) continue;
        await writer.sync();
        waiting = 0;
      }
      await writer.sync();
    } finally {
      await writer.close();
    }
  }

  async #digest(name: string): Promise<string> {
    const hash = createHash("sha256");
    const size = this.#files.size(name);
    for (let at = 0; at < size; at += PIECE_BYTES)
      hash.update(await this.#files.read(name, at, Math.min(PIECE_BYTES, size - at)));
    return hash.digest("hex");
  }

  /** The running slot has proved itself. */
  async bless(): Promise<void> {
    const { running } = await this.look();
    await this.#rename(running, "");
  }

  /** The other slot is the one that is started next, and the running one stays on the disk. Throws Failure `no-previous`. */
  async preferOther(): Promise<Release> {
    const { running, other } = await this.look();
    if (other === null || other.release === null)
      throw new Failure("no-previous", "There is no other version on this node to go back to.");
    // First, so that there is a slot with tries left at every moment.
    if (other.tries?.left === 0) await this.#rename(other, `+${TRIES}`);
    if (compareReleases(running.release, other.release) > 0) await this.#rename(running, "+0");
    return other.release;
  }

  /** The other slot is not started any more; it stays on the disk. */
  async refuseOther(): Promise<void> {
    const { other } = await this.look();
    if (other !== null && other.tries?.left !== 0) await this.#rename(other, "+0");
  }

  async #rename({ letter, name }: Slot, counter: string): Promise<void> {
    const next = `understudy-${letter}${counter}.efi`;
    if (next === name) return;
    await this.#files.whileWritable(async () => {
      this.#files.rename(name, next);
      await this.#files.sync();
    });
  }

  #runningLetter(all: Slot[]): Letter | null {
    const selected = this.#selected === null ? null : parseName(this.#selected);
    if (selected !== null && all.some(({ letter }) => letter === selected.letter)) return selected.letter;
    const ours = all.filter(({ release }) => release?.build === this.#build);
    return startedNext(ours)?.letter ?? null;
  }

  async #release(name: string): Promise<Release | null> {
    const size = this.#files.size(name);
    const place = findRelease(await this.#files.read(name, 0, Math.min(HEADERS_BYTES, size)));
    if (place === null || place.offset + place.bytes > size) return null;
    return parseRelease((await this.#files.read(name, place.offset, place.bytes)).toString("utf8"));
  }
}

function mebibytes(bytes: number): number {
  return Math.ceil(bytes / (1 << 20));
}
