/** Disks of machines: sparse copies of an image, and where its partitions lie (GPT). */
import { closeSync, openSync, readSync, truncateSync, writeSync } from "node:fs";
import { sh } from "../lab/shell.ts";

const SECTOR_BYTES = 512;
const ENTRY_BYTES = 128;
const ENTRIES_MAX = 128;

export interface Partition {
  name: string;
  from_byte: number;
  bytes: number;
}

/** A copy that takes no room for what is empty, on a disk of another size where that is wanted. */
export function copyImage(image: string, disk: string, bytes?: number): void {
  sh(["cp", "--sparse=always", "--reflink=auto", image, disk]);
  if (bytes !== undefined) truncateSync(disk, bytes);
}

export function partitionsOf(disk: string): Partition[] {
  const header = readAt(disk, SECTOR_BYTES, SECTOR_BYTES);
  if (header.toString("latin1", 0, 8) !== "EFI PART") throw new Error(`${disk} has no GPT.`);
  const table = readAt(disk, Number(header.readBigUInt64LE(72)) * SECTOR_BYTES, ENTRY_BYTES * ENTRIES_MAX);
  const partitions: Partition[] = [];
  for (let at = 0; at < table.length; at += ENTRY_BYTES) {
    const [first, last] = [32, 40].map((field) => Number(table.readBigUInt64LE(at + field)));
    if (first === undefined || last === undefined || first === 0) continue;
    const name = table.toString("utf16le", at + 56, at + ENTRY_BYTES).replace(/\0.*$/s, "");
    partitions.push({ name, from_byte: first * SECTOR_BYTES, bytes: (last - first + 1) * SECTOR_BYTES });
  }
  return partitions;
}

export function partition(disk: string, name: string): Partition {
  const found = partitionsOf(disk).find((each) => each.name === name);
  if (found === undefined) throw new Error(`${disk} has no partition ${name}.`);
  return found;
}

/** Overwrites part of a partition with what no file system has there. */
export function damage(disk: string, name: string, from_byte: number, bytes: number): void {
  const place = partition(disk, name);
  const file = openSync(disk, "r+");
  writeSync(file, Buffer.alloc(bytes, 0xa5), 0, bytes, place.from_byte + from_byte);
  closeSync(file);
}

function readAt(path: string, from_byte: number, bytes: number): Buffer {
  const file = openSync(path, "r");
  const buffer = Buffer.alloc(bytes);
  readSync(file, buffer, 0, bytes, from_byte);
  closeSync(file);
  return buffer;
}
