/** Archives as the kernel unpacks them (cpio, "newc"): the same entries give the same bytes. */

const MAGIC = "070701";
const HEADER_BYTES = 110;
const TRAILER = "TRAILER!!!";

export interface Entry {
  /** Without a leading slash. */
  path: string;
  /** Kind and permissions, as in stat(2). */
  mode: number;
  /** What a file holds, or where a symbolic link leads. */
  data: Buffer;
  /** Major and minor number of a device. */
  device?: [number, number];
}

export const directory = (path: string, mode = 0o755): Entry => ({
  path,
  mode: 0o040000 | mode,
  data: Buffer.alloc(0),
});
export const file = (path: string, data: Buffer, mode = 0o644): Entry => ({ path, mode: 0o100000 | mode, data });
export const link = (path: string, target: string): Entry => ({ path, mode: 0o120777, data: Buffer.from(target) });
export const characterDevice = (path: string, device: [number, number], mode: number): Entry => ({
  path,
  mode: 0o020000 | mode,
  data: Buffer.alloc(0),
  device,
});

/** Sorted by path, with a directory for every parent; all owned by root, all of one time. */
export function writeArchive(entries: Entry[], time_s: number): Buffer {
  const byPath = new Map<string, Entry>();
  for (const entry of entries) {
    for (const parent of parents(entry.path)) if (!byPath.has(parent)) byPath.set(parent, directory(parent));
    byPath.set(entry.path, entry);
  }
  const sorted = [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  const parts = sorted.flatMap((entry, index) => emit(entry, index + 1, time_s));
  return Buffer.concat([...parts, ...emit({ path: TRAILER, mode: 0, data: Buffer.alloc(0) }, 0, 0)]);
}

function parents(path: string): string[] {
  const words = path.split("/").slice(0, -1);
  return words.map((_, index) => words.slice(0, index + 1).join("/"));
}

function emit(entry: Entry, inode: number, time_s: number): Buffer[] {
  const name = Buffer.from(`${entry.path}\0`);
  const links = (entry.mode & 0o170000) === 0o040000 ? 2 : 1;
  const [major, minor] = entry.device ?? [0, 0];
  const numbers = [inode, entry.mode, 0, 0, links, time_s, entry.data.length, 0, 0, major, minor, name.length, 0];
  const header = MAGIC + numbers.map((number) => number.toString(16).toUpperCase().padStart(8, "0")).join("");
  return [Buffer.from(header), name, padding(HEADER_BYTES + name.length), entry.data, padding(entry.data.length)];
}

function padding(bytes: number): Buffer {
  return Buffer.alloc((4 - (bytes % 4)) % 4);
}

/** What an archive holds. Throws where it is none. */
export function readArchive(archive: Buffer): Entry[] {
  const entries: Entry[] = [];
  let at = 0;
  while (at + HEADER_BYTES <= archive.length) {
    if (archive.toString("latin1", at, at + 6) !== MAGIC) throw new Error(`No cpio header at byte ${at}.`);
    const number = (index: number): number =>
      Number.parseInt(archive.toString("latin1", at + 6 + index * 8, at + 14 + index * 8), 16);
    const name_bytes = number(11);
    const data_bytes = number(6);
    const path = archive.toString("utf8", at + HEADER_BYTES, at + HEADER_BYTES + name_bytes - 1);
    if (path === TRAILER) return entries;
    const data_at = aligned(at + HEADER_BYTES + name_bytes);
    const data = archive.subarray(data_at, data_at + data_bytes);
    const device: [number, number] = [number(9), number(10)];
    entries.push({ path, mode: number(1), data, ...(device[0] === 0 ? {} : { device }) });
    at = aligned(data_at + data_bytes);
  }
  throw new Error("The cpio archive has no end.");
}

const aligned = (at: number): number => Math.ceil(at / 4) * 4;
