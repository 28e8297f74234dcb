/** Bytes and JSON that are nearly right, from one seed: the same seed gives the same inputs. */
import { Random } from "../random.ts";

const INTERESTING = [0, 1, 0x7f, 0x80, 0xff];
const VALUES: unknown[] = [null, true, 0, -1, 1e308, "", "x", "\u0000", "10.1.0.1/24", [], {}, [null], "0".repeat(64)];

export class Mutator extends Random {
  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }

  /** One of the corpus with a few changes, or now and then bytes out of nowhere. */
  mutated(corpus: readonly Uint8Array[]): Uint8Array {
    if (this.below(20) === 0) return this.bytes(this.below(200));
    let bytes: Uint8Array = this.pick(corpus).slice();
    for (let changes = this.below(5); changes > 0; changes--) bytes = this.#change(bytes, corpus);
    return bytes;
  }

  #change(bytes: Uint8Array, corpus: readonly Uint8Array[]): Uint8Array {
    const at = this.below(bytes.length + 1);
    switch (this.below(7)) {
      case 0:
        return bytes.subarray(0, at);
      case 1:
        return joined(bytes.subarray(0, at), this.bytes(this.below(9)), bytes.subarray(at));
      case 2:
        return joined(bytes.subarray(0, at), bytes.subarray(at + this.below(9)));
      case 3:
        return joined(bytes.subarray(0, at), this.pick(corpus).subarray(at));
      case 4:
        if (at < bytes.length) bytes[at] = this.pick(INTERESTING);
        return bytes;
      case 5:
        if (at < bytes.length) bytes[at] = this.below(256);
        return bytes;
      default:
        if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << this.below(8));
        return bytes;
    }
  }

  /** A copy of `value` with one place replaced, removed or added. */
  mutatedJson(value: unknown): unknown {
    if (typeof value !== "object" || value === null || this.below(6) === 0) return this.pick(VALUES);
    if (Array.isArray(value)) {
      const list = value.slice();
      const at = this.below(list.length + 1);
      if (this.below(3) === 0) list.splice(at, 1);
      else list[at] = this.mutatedJson(list[at]);
      return list;
    }
    const entries = Object.entries(value);
    const at = this.below(entries.length + 1);
    const [key, old] = entries[at] ?? [this.pick(["__proto__", "extra", "toString"]), 1];
    if (this.below(4) === 0) entries.splice(at, 1);
    else entries[at] = [key, this.mutatedJson(old)];
    return Object.fromEntries(entries);
  }
}

function joined(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
