/** A unified kernel image: one file that the firmware starts, with kernel, initramfs, command line and release inside. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./command.ts";

/** Sections begin at multiples of this, behind what the stub itself occupies. */
const ALIGNMENT = 0x1000;

export interface Kernel {
  stub: string;
  kernel: string;
  release: string;
  command_line: string;
  os_release: string;
  initramfs: Buffer;
}

export function writeUnifiedImage(output: string, scratch: string, parts: Kernel): void {
  const sections: [string, string | Buffer][] = [
    [".osrel", parts.os_release],
    [".cmdline", parts.command_line],
    [".uname", parts.release],
    [".linux", readFileSync(parts.kernel)],
    [".initrd", parts.initramfs],
  ];
  let address = endOfStub(readFileSync(parts.stub));
  const options = sections.flatMap(([name, content]) => {
    const path = join(scratch, `section${name}`);
    writeFileSync(path, content);
    const at = address;
    address = aligned(at + Buffer.byteLength(content));
    return ["--add-section", `${name}=${path}`, "--change-section-vma", `${name}=0x${at.toString(16)}`];
  });
  run(["objcopy", ...options, parts.stub, output]);
  withoutTime(output);
}

/** Where the last section of a PE file ends in memory. */
function endOfStub(stub: Buffer): number {
  const header = stub.readUInt32LE(0x3c);
  const image_base = Number(stub.readBigUInt64LE(header + 24 + 24));
  const size_of_image = stub.readUInt32LE(header + 24 + 56);
  return image_base + aligned(size_of_image);
}

/** objcopy writes the time of day into the header, and a checksum over it; firmware asks for neither. */
function withoutTime(path: string): void {
  const image = readFileSync(path);
  const header = image.readUInt32LE(0x3c);
  image.writeUInt32LE(0, header + 8);
  image.writeUInt32LE(0, header + 24 + 64);
  writeFileSync(path, image);
}

const aligned = (at: number): number => Math.ceil(at / ALIGNMENT) * ALIGNMENT;
