/**
 * A partition of the firmware in memory, on which power can go after any operation. What was not synchronised by then may be
 * there or not; the test decides which. And systemd-boot, as far as it chooses an entry and counts its tries.
 */

import { releaseOf } from "../../src/update/image.ts";
import { type BootFiles, type BootWriter, parseName, type Slot, startedNext } from "../../src/update/slots.ts";

export class PowerCut extends Error {}

type Content = { bytes: Buffer; durable: number };

export class MemoryBoot implements BootFiles {
  /** As running programs see it. */
  #files = new Map<string, Content>();
  /** As the disk has it. */
  #durable = new Map<string, Content>();
  operations = 0;
  /** Power goes when so many operations were done. */
  power_ends_after = Number.POSITIVE_INFINITY;
  capacity = 16 << 20;
  /** What is read is not what was written. */
  damages = false;

  put(name: string, bytes: Buffer): void {
    const content = { bytes, durable: bytes.length };
    this.#files.set(name, content);
    this.#durable.set(name, content);
  }

  /** The power comes back. `kept`: what was not synchronised had reached the disk by chance. */
  reboot(kept: boolean): void {
    if (kept) this.#durable = new Map(this.#files);
    this.#files = new Map();
    for (const [name, { bytes, durable }] of this.#durable)
      this.#files.set(name, { bytes: kept ? bytes : bytes.subarray(0, durable), durable });
    this.#durable = new Map(this.#files);
    this.power_ends_after = Number.POSITIVE_INFINITY;
  }

  names(): string[] {
    return [...this.#files.keys()];
  }

  size(name: string): number {
    return this.#at(name).bytes.length;
  }

  async read(name: string, offset: number, bytes: number): Promise<Buffer> {
    const read = Buffer.from(this.#at(name).bytes.subarray(offset, offset + bytes));
    if (this.damages && name.endsWith(".new")) read[read.length - 1] = (read.at(-1) ?? 0) ^ 1;
    return read;
  }

  free(): number {
    return this.capacity - [...this.#files.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  async create(name: string): Promise<BootWriter> {
    this.#operate();
    const content: Content = { bytes: Buffer.alloc(0), durable: 0 };
    this.#files.set(name, content);
    return {
      write: async (bytes) => {
        this.#operate();
        if (bytes.length > this.free()) throw Object.assign(new Error("full"), { code: "ENOSPC" });
        content.bytes = Buffer.concat([content.bytes, bytes]);
      },
      sync: async () => {
        this.#operate();
        content.durable = content.bytes.length;
      },
      close: async () => {},
    };
  }

  rename(from: string, to: string): void {
    this.#operate();
    const content = this.#at(from);
    this.#files.delete(from);
    this.#files.set(to, content);
  }

  remove(name: string): void {
    this.#operate();
    this.#files.delete(name);
  }

  async sync(): Promise<void> {
    this.#operate();
    this.#durable = new Map(this.#files);
  }

  forgetCache(): void {}

  async whileWritable<T>(work: () => Promise<T>): Promise<T> {
    return await work();
  }

  /** What systemd-boot starts, with its tries counted; null where there is nothing to start. */
  start(): Slot | null {
    const chosen = startedNext(this.slots());
    if (chosen === null || chosen.tries === null) return chosen;
    const tries = { left: Math.max(0, chosen.tries.left - 1), done: chosen.tries.done + 1 };
    const name = `understudy-${chosen.letter}+${tries.left}-${tries.done}.efi`;
    const content = this.#at(chosen.name);
    this.#files.delete(chosen.name);
    this.#files.set(name, content);
    this.#durable = new Map(this.#files);
    return { ...chosen, name, tries };
  }

  slots(): Slot[] {
    return this.names().flatMap((name) => {
      const parsed = parseName(name);
      return parsed === null ? [] : [{ ...parsed, release: releaseOf(this.#at(name).bytes) }];
    });
  }

  image(name: string): Buffer {
    return this.#at(name).bytes;
  }

  #at(name: string): Content {
    const content = this.#files.get(name);
    if (content === undefined) throw Object.assign(new Error(`no ${name}`), { code: "ENOENT" });
    return content;
  }

  #operate(): void {
    if (this.operations >= this.power_ends_after) throw new PowerCut();
    this.operations += 1;
  }
}
