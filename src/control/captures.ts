/**
 * Captures of the last switches, in the state directory: each node keeps its own, as it does its events (S8). The oldest
 * go as new ones come. Suspicions that came to nothing have places of their own, so that they push out no switch.
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Failure } from "../errors.ts";
import type { CapturePiece } from "../heart/messages.ts";
import { fileTrouble } from "../trouble.ts";
import { sectionComment } from "../wire/pcapng.ts";
import { CaptureAssembly, type CapturedEvent, type CaptureFacts, captureFile, readEvents } from "./capture-format.ts";

const DIRECTORY = "captures";
const SUFFIX = ".pcapng";
const NAME = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z-[a-z-]{1,40}\.pcapng$/;
/** The most telling event names the capture; the last two alone are no switch. */
const TELLING = ["became-active", "handed-over", "yielded", "slept", "peer-silent"];
const SUSPICIONS: readonly string[] = ["slept", "peer-silent"];
const SWITCHES_MAX = 8;
const SUSPICIONS_MAX = 2;
/** A suspicion every few seconds must not wear out a disk. */
const SUSPICION_INTERVAL_MS = 60_000;
const COMMENT_BYTES_MAX = 8192;
/** What the web and the command line read at once. */
const FILE_BYTES_MAX = 4 << 20;

export interface CaptureEntry {
  name: string;
  at: string;
  /** What happened, by the code of its event. */
  code: string;
  bytes: number;
  events: CapturedEvent[];
}

/** The clocks, and who this node is. */
export interface CaptureSource {
  facts: () => CaptureFacts;
  now_ms: () => number;
  failed: (message: string) => void;
}

export class Captures {
  readonly #directory: string;
  readonly #source: CaptureSource;
  readonly #assembly = new CaptureAssembly();
  #suspected_ms = Number.NEGATIVE_INFINITY;

  constructor(state_directory: string, source: CaptureSource) {
    this.#directory = join(state_directory, DIRECTORY);
    this.#source = source;
  }

  /** A piece from the heart; the last one of a capture makes the file. A disk that refuses costs the capture alone. */
  take(piece: CapturePiece): void {
    const recorded = this.#assembly.take(piece);
    if (recorded === null) return;
    const { events } = recorded.head;
    const code = TELLING.find((wanted) => events.some((event) => event.code === wanted));
    const switched = events.find((event) => event.code === code);
    if (code === undefined || switched === undefined) return;
    if (SUSPICIONS.includes(code) && !this.#maySuspect()) return;
    const facts = this.#source.facts();
    const at = new Date(facts.wall_ms(switched.at_ms)).toISOString().replaceAll(":", "-");
    try {
      this.#write(`${at}-${code}${SUFFIX}`, captureFile(recorded, facts));
    } catch (error) {
      this.#source.failed(`The capture of a switch cannot be written to ${this.#directory}: ${fileTrouble(error)}.`);
    }
  }

  #maySuspect(): boolean {
    const now_ms = this.#source.now_ms();
    if (now_ms - this.#suspected_ms < SUSPICION_INTERVAL_MS) return false;
    this.#suspected_ms = now_ms;
    return true;
  }

  /** Newest first. */
  list(): CaptureEntry[] {
    return this.#names()
      .reverse()
      .map((name) => {
        const [, day, hours, minutes, rest, code = ""] = /^(.{10})T(..)-(..)-(.{7})-(.*)\.pcapng$/.exec(name) ?? [];
        const path = join(this.#directory, name);
        const events = readEvents(commentOf(path) ?? "");
        return { name, at: `${day}T${hours}:${minutes}:${rest}`, code, bytes: statSync(path).size, events };
      });
  }

  /** The file as it is. Throws Failure `no-capture`. */
  read(name: string): Uint8Array {
    const path = join(this.#directory, name);
    if (!NAME.test(name) || !existsSync(path) || statSync(path).size > FILE_BYTES_MAX)
      throw new Failure("no-capture", `There is no capture ${name.slice(0, 120)}; \`understudy capture\` lists them.`);
    return readFileSync(path);
  }

  /** Oldest first: names begin with the time. */
  #names(): string[] {
    if (!existsSync(this.#directory)) return [];
    try {
      return readdirSync(this.#directory)
        .filter((name) => NAME.test(name))
        .sort();
    } catch (error) {
      throw new Failure("state-unusable", `${this.#directory} cannot be read: ${fileTrouble(error)}.`);
    }
  }

  /** Not synchronised to the disk: a power cut may take a capture, never leave half of one. */
  #write(name: string, bytes: Uint8Array): void {
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    const path = join(this.#directory, name);
    writeFileSync(`${path}.new`, bytes, { mode: 0o600 });
    renameSync(`${path}.new`, path);
    const is_suspicion = (entry: string) => SUSPICIONS.some((code) => entry.endsWith(`Z-${code}${SUFFIX}`));
    const names = this.#names();
    const old = [
      ...names.filter((entry) => !is_suspicion(entry)).slice(0, -SWITCHES_MAX),
      ...names.filter(is_suspicion).slice(0, -SUSPICIONS_MAX),
      ...readdirSync(this.#directory).filter((entry) => entry.endsWith(".new")),
    ];
    for (const entry of old) rmSync(join(this.#directory, entry), { force: true });
  }
}

function commentOf(path: string): string | null {
  const head = new Uint8Array(COMMENT_BYTES_MAX);
  const fd = openSync(path, "r");
  try {
    return sectionComment(head.subarray(0, readSync(fd, head)));
  } finally {
    closeSync(fd);
  }
}
