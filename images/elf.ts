/** The little of ELF (64 bits, little-endian) that the image needs: what a program links to, and what a kernel module says. */

const MAGIC = 0x464c457f;
const SECTION_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const PT_DYNAMIC = 2;
const PT_INTERP = 3;
const DT_NEEDED = 1n;

interface Section {
  name: string;
  offset: number;
  bytes: number;
  link: number;
}

export function isElf(file: Buffer): boolean {
  return file.length >= 64 && file.readUInt32LE(0) === MAGIC && file[4] === 2 && file[5] === 1;
}

function sections(file: Buffer): Section[] {
  const table = Number(file.readBigUInt64LE(40));
  const count = file.readUInt16LE(60);
  const names_index = file.readUInt16LE(62);
  const raw = Array.from({ length: count }, (_, index) => {
    const at = table + index * SECTION_BYTES;
    return {
      name_at: file.readUInt32LE(at),
      offset: Number(file.readBigUInt64LE(at + 24)),
      bytes: Number(file.readBigUInt64LE(at + 32)),
      link: file.readUInt32LE(at + 40),
    };
  });
  const names = raw[names_index]?.offset ?? 0;
  return raw.map(({ name_at, offset, bytes, link }) => ({ name: text(file, names + name_at), offset, bytes, link }));
}

function text(file: Buffer, at: number): string {
  return file.toString("latin1", at, file.indexOf(0, at));
}

/** The libraries that a program or library names (DT_NEEDED), and its loader. */
export function needed(file: Buffer): string[] {
  const found: string[] = [];
  const table = Number(file.readBigUInt64LE(32));
  const count = file.readUInt16LE(56);
  for (let index = 0; index < count; index++) {
    const at = table + index * PROGRAM_HEADER_BYTES;
    if (file.readUInt32LE(at) === PT_INTERP) {
      const path = text(file, Number(file.readBigUInt64LE(at + 8)));
      found.push(path.slice(path.lastIndexOf("/") + 1));
    }
    if (file.readUInt32LE(at) === PT_DYNAMIC) found.push(...dynamicNames(file));
  }
  return [...new Set(found)].sort();
}

function dynamicNames(file: Buffer): string[] {
  const all = sections(file);
  const dynamic = all.find(({ name }) => name === ".dynamic");
  if (dynamic === undefined) return [];
  const names = all[dynamic.link]?.offset ?? 0;
  const found: string[] = [];
  for (let at = dynamic.offset; at < dynamic.offset + dynamic.bytes; at += 16) {
    if (file.readBigUInt64LE(at) === DT_NEEDED) found.push(text(file, names + Number(file.readBigUInt64LE(at + 8))));
  }
  return found;
}

/** `key=value` of a kernel module's .modinfo, in the order of the file. */
export function moduleInfo(file: Buffer): [string, string][] {
  const section = sections(file).find(({ name }) => name === ".modinfo");
  if (section === undefined) return [];
  return file
    .toString("latin1", section.offset, section.offset + section.bytes)
    .split("\0")
    .filter((entry) => entry.includes("="))
    .map((entry) => [entry.slice(0, entry.indexOf("=")), entry.slice(entry.indexOf("=") + 1)]);
}
