/** What a unified kernel image says of itself: the section .osrel of its PE file, which systemd-boot sorts by too. */

export interface Release {
  version: string;
  build: number;
  commit: string;
}

/** The headers of any image end before this. */
export const HEADERS_BYTES = 4096;
const SECTION_BYTES = 40;
const SECTIONS_MAX = 64;
const OSREL_BYTES_MAX = 16 << 10;

/** Where .osrel is in a file that begins with `head`; null where it is no image with one. */
export function findRelease(head: Buffer): { offset: number; bytes: number } | null {
  if (head.length < 0x40 || head.toString("latin1", 0, 2) !== "MZ") return null;
  const pe = head.readUInt32LE(0x3c);
  if (pe + 24 > head.length || head.toString("latin1", pe, pe + 4) !== "PE\0\0") return null;
  const sections = Math.min(head.readUInt16LE(pe + 6), SECTIONS_MAX);
  const table = pe + 24 + head.readUInt16LE(pe + 20);
  for (
    let at = table;
    at < table + sections * SECTION_BYTES && at + SECTION_BYTES <= head.length;
    at += SECTION_BYTES
  ) {
    if (head.toString("latin1", at, at + 8).replace(/\0+$/, "") !== ".osrel") continue;
    const used = Math.min(head.readUInt32LE(at + 8), head.readUInt32LE(at + 16));
    return { offset: head.readUInt32LE(at + 20), bytes: Math.min(used, OSREL_BYTES_MAX) };
  }
  return null;
}

/** Null where it is the release of something else. */
export function parseRelease(text: string): Release | null {
  const fields = new Map(
    text
      .replace(/\0+$/, "")
      .split("\n")
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1).replace(/^"(.*)"$/, "$1")]),
  );
  const match = /^(\d{1,5}\.\d{1,5}\.\d{1,5})\.(\d{1,10})$/.exec(fields.get("IMAGE_VERSION") ?? "");
  if (match === null || fields.get("IMAGE_ID") !== "understudy") return null;
  return { version: match[1] ?? "", build: Number(match[2]), commit: fields.get("BUILD_ID") ?? "" };
}

/** The release of a whole image in memory. */
export function releaseOf(image: Buffer): Release | null {
  const place = findRelease(image.subarray(0, HEADERS_BYTES));
  return place === null ? null : parseRelease(image.toString("utf8", place.offset, place.offset + place.bytes));
}
