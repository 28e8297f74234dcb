/** Why a file or directory could not be used, in words that say what to do. */
import { sentence } from "./errors.ts";

const REASONS: Record<string, string> = {
  ENOSPC: "the disk is full; free some space",
  EDQUOT: "the disk is full; free some space",
  EROFS: "it is read-only; mount it writable",
  EACCES: "this user may not write there; start it as root",
  EPERM: "this user may not write there; start it as root",
  EEXIST: "a file is in its place; name another directory",
  ENOTDIR: "a file is in its place; name another directory",
  EISDIR: "a directory is in its place; remove it",
  ENOENT: "nothing can be made there; name another directory",
  EBUSY: "another process uses it; end that one",
  EIO: "the disk does not work; replace it",
};

export function fileTrouble(error: unknown): string {
  const code = (error as { code?: string }).code ?? "";
  return REASONS[code] ?? sentence(error);
}
