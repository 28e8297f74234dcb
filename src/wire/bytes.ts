/** Small helpers for reading and writing network byte order; shared by the files of this folder. */

/** Six bytes as `02:00:00:00:00:01`. */
export function macText(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < 6; i++) text += (i ? ":" : "") + (bytes[i] ?? 0).toString(16).padStart(2, "0");
  return text;
}

/** `02:00:00:00:00:01` as six bytes. The text must be well-formed. */
export function macBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(6);
  for (let i = 0; i < 6; i++) bytes[i] = Number.parseInt(text.slice(i * 3, i * 3 + 2), 16);
  return bytes;
}

/** Four bytes as dotted decimal. */
export function ipv4Text(bytes: Uint8Array): string {
  return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`;
}

/** Dotted decimal as four bytes. The text must be well-formed. */
export function ipv4Bytes(text: string): Uint8Array {
  return Uint8Array.from(text.split("."), Number);
}

/** Any valid IPv6 text (no zone) as sixteen bytes. */
export function ipv6Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(16);
  const dotted = text.lastIndexOf(".") > 0;
  let words = text;
  if (dotted) {
    const at = text.lastIndexOf(":") + 1;
    const [a = 0, b = 0, c = 0, d = 0] = ipv4Bytes(text.slice(at));
    words = `${text.slice(0, at)}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  }
  const [head = "", tail] = words.split("::");
  const front = head === "" ? [] : head.split(":");
  const back = tail === undefined || tail === "" ? [] : tail.split(":");
  const put = (word: string, index: number): void => {
    const value = Number.parseInt(word, 16);
    bytes[index * 2] = value >> 8;
    bytes[index * 2 + 1] = value & 0xff;
  };
  front.forEach(put);
  back.forEach((word, i) => {
    put(word, 8 - back.length + i);
  });
  return bytes;
}

/** Sixteen bytes as IPv6 text, RFC 5952 (the longest run of zeros, lower case). */
export function ipv6Text(bytes: Uint8Array): string {
  const words: number[] = [];
  for (let i = 0; i < 8; i++) words.push(((bytes[i * 2] ?? 0) << 8) | (bytes[i * 2 + 1] ?? 0));
  let best_start = -1;
  let best_length = 1;
  for (let i = 0; i < 8; i++) {
    let n = 0;
    while (i + n < 8 && words[i + n] === 0) n++;
    if (n > best_length) [best_start, best_length] = [i, n];
  }
  const text = (from: number, to: number) =>
    words
      .slice(from, to)
      .map((word) => word.toString(16))
      .join(":");
  return best_start < 0 ? text(0, 8) : `${text(0, best_start)}::${text(best_start + best_length, 8)}`;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** As `equalBytes`, in a time that does not depend on where they differ: for authentication tags. */
export function equalTags(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}

// Numbers in network byte order, byte by byte: a DataView would cost an object a frame, and asking a small array for
// its buffer costs far more.

export function getU16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

export function getU32(bytes: Uint8Array, at: number): number {
  return ((getU16(bytes, at) << 16) | getU16(bytes, at + 2)) >>> 0;
}

/** Up to 2^53, as a number and not as a BigInt: the hot path allocates nothing. */
export function getU64(bytes: Uint8Array, at: number): number {
  return getU32(bytes, at) * 0x1_0000_0000 + getU32(bytes, at + 4);
}

export function setU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

export function setU32(bytes: Uint8Array, at: number, value: number): void {
  setU16(bytes, at, value >>> 16);
  setU16(bytes, at + 2, value);
}

export function setU64(bytes: Uint8Array, at: number, value: number): void {
  setU32(bytes, at, Math.floor(value / 0x1_0000_0000));
  setU32(bytes, at + 4, value >>> 0);
}
