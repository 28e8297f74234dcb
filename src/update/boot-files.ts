/** The slots' directory as it is on a machine: EFI/Linux on the firmware's partition, which is writable only while it must be. */
import { readdirSync, readFileSync, renameSync, rmSync, statfsSync, statSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Failure } from "../errors.ts";
import { fileTrouble } from "../trouble.ts";
import type { BootFiles, BootWriter } from "./slots.ts";

const SLOTS = "EFI/Linux";
/** Which entry systemd-boot has started (its Boot Loader Interface). */
const SELECTED = "/sys/firmware/efi/efivars/LoaderEntrySelected-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
const ATTRIBUTE_BYTES = 4;

/** Null where the firmware does not tell. */
export function selectedEntry(path = SELECTED): string | null {
  try {
    return readFileSync(path).subarray(ATTRIBUTE_BYTES).toString("utf16le").replace(/\0+$/, "");
  } catch {
    return null;
  }
}

export class BootDirectory implements BootFiles {
  readonly #boot: string;
  readonly #slots: string;
  readonly #is_mount: boolean;
  #writers = 0;

  /** Throws Failure `no-slots` where the directory is none of ours. */
  constructor(boot: string) {
    this.#boot = resolve(boot);
    this.#slots = join(this.#boot, SLOTS);
    this.#is_mount = isMountPoint(this.#boot);
    try {
      readdirSync(this.#slots);
    } catch (error) {
      throw new Failure("no-slots", `The system's slots in ${this.#slots} cannot be read: ${fileTrouble(error)}.`);
    }
  }

  names(): string[] {
    return readdirSync(this.#slots);
  }

  size(name: string): number {
    return statSync(join(this.#slots, name)).size;
  }

  async read(name: string, offset: number, bytes: number): Promise<Buffer> {
    const file = await open(join(this.#slots, name), "r");
    try {
      const buffer = Buffer.alloc(bytes);
      const { bytesRead } = await file.read(buffer, 0, bytes, offset);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  }

  free(): number {
    const { bavail, bsize } = statfsSync(this.#slots);
    return bavail * bsize;
  }

  async create(name: string): Promise<BootWriter> {
    const file = await open(join(this.#slots, name), "wx", 0o600);
    return {
      write: async (bytes) => {
        for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at, bytes.length - at)).bytesWritten;
      },
      sync: () => file.sync(),
      close: () => file.close(),
    };
  }

  rename(from: string, to: string): void {
    renameSync(join(this.#slots, from), join(this.#slots, to));
  }

  remove(name: string): void {
    rmSync(join(this.#slots, name), { force: true });
  }

  async sync(): Promise<void> {
    const directory = await open(this.#slots, "r");
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }

  forgetCache(): void {
    try {
      writeFileSync("/proc/sys/vm/drop_caches", "1");
    } catch {
      // Not this machine's to do; what is read back may come from memory then.
    }
  }

  async whileWritable<T>(work: () => Promise<T>): Promise<T> {
    if (this.#writers++ === 0) this.#remount("rw");
    try {
      return await work();
    } catch (error) {
      throw error instanceof Failure
        ? error
        : new Failure(
            "slot-unwritable",
            `The system's slots in ${this.#slots} cannot be written: ${fileTrouble(error)}.`,
          );
    } finally {
      if (--this.#writers === 0) this.#remount("ro");
    }
  }

  #remount(way: "rw" | "ro"): void {
    if (!this.#is_mount) return;
    const { exitCode, stderr } = Bun.spawnSync(["mount", "-o", `remount,${way}`, this.#boot], { stdin: "ignore" });
    if (exitCode === 0 || way === "ro") return;
    throw new Failure("slot-unwritable", `${this.#boot} cannot be made writable: ${stderr.toString().trim()}.`);
  }
}

function isMountPoint(path: string): boolean {
  try {
    const lines = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
    return lines.some((line) => line.split(" ")[4] === path.replaceAll(" ", "\\040"));
  } catch {
    return false;
  }
}
