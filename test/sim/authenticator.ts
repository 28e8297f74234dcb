/**
 * The cluster's key for simulations: a keyed hash of 128 bits that is cheap rather than safe. Nobody in the
 * simulation computes it but the nodes.
 */
import type { Authenticator } from "../../src/wire/heartbeat.ts";

export function cheapAuthenticator(key: number): Authenticator {
  return (bytes) => {
    let a = key | 0;
    let b = 0x9e3779b9 ^ bytes.length;
    const { length } = bytes;
    for (let i = 0; i < length; i += 4) {
      const word =
        (bytes[i] ?? 0) | ((bytes[i + 1] ?? 0) << 8) | ((bytes[i + 2] ?? 0) << 16) | ((bytes[i + 3] ?? 0) << 24);
      a = Math.imul(a ^ word, 0x85ebca6b);
      a ^= a >>> 15;
      b = Math.imul((b + word) | 0, 0xc2b2ae35) ^ a;
      b ^= b >>> 13;
    }
    const tag = new Uint8Array(16);
    for (let i = 0; i < 16; i += 4) {
      a = Math.imul(a ^ b, 0x27d4eb2f);
      a ^= a >>> 16;
      b = (b + a) | 0;
      tag[i] = a;
      tag[i + 1] = a >>> 8;
      tag[i + 2] = b;
      tag[i + 3] = b >>> 8;
    }
    return tag;
  };
}
