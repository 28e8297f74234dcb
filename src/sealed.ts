/**
 * Files that tell whether they are whole: JSON with its digest, replaced by renaming a complete one over the
 * old one, so that a power cut leaves either the old or the new content, and damage is noticed.
 */
import { createHash } from "node:crypto";
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/** The value of a sealed file; undefined where it is damaged or there is none. */
export function readSealed(path: string): unknown {
  try {
    const { digest, value } = JSON.parse(readFileSync(path, "utf8")) as { digest: string; value: unknown };
    return digestOf(JSON.stringify(value)) === digest ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Durable when it returns. The content before it, if it was good, goes to `previous` where that is named. */
export function writeSealed(path: string, value: unknown, previous?: string): void {
  const text = JSON.stringify(value);
  const fd = openSync(`${path}.new`, "w", 0o600);
  try {
    writeSync(fd, JSON.stringify({ digest: digestOf(text), value }));
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  if (previous !== undefined && existsSync(path) && readSealed(path) !== undefined) renameSync(path, previous);
  renameSync(`${path}.new`, path);
  syncDirectory(dirname(path));
}

/** What was made, renamed or removed in a directory is there, or gone, for good. */
export function syncDirectory(directory: string): void {
  const fd = openSync(directory, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
