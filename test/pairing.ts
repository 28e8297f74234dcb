/** For tests of the pairing dialogue: cryptography from one seed, and nodes that introduce themselves. */
import type { PairingCryptography } from "../src/core/pairing/keys.ts";
import type { Introduction } from "../src/core/pairing/messages.ts";
import type { Random } from "./random.ts";

/** A prime, and a number that generates a large group in it: enough for keys that agree. */
const PRIME = 2_305_843_009_213_693_951n;
const GENERATOR = 37n;

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let b = base % PRIME, e = exponent; e > 0n; b = (b * b) % PRIME, e >>= 1n)
    if (e & 1n) result = (result * b) % PRIME;
  return result;
}

const digest = (text: string) => Bun.hash(text).toString(16).padStart(16, "0");

/** As weak as it is fast. `hash` can be replaced, to see what it is good for. */
export function seededCryptography(random: Random, hash = digest): PairingCryptography {
  const secret = BigInt(random.below(0xffff_fffe) + 1);
  return {
    public_key: power(GENERATOR, secret).toString(),
    nonce: digest(`nonce ${random.below(0xffff_fffe)} ${random.below(0xffff_fffe)}`),
    hash,
    derive: (peer, transcript, label) =>
      digest(`${power(BigInt(peer), secret)} ${transcript} ${label}`).padStart(64, "0"),
    proof: (key, text) => digest(`${key} ${text}`),
    seal: (key, text) => `${key}|${text}`,
    open: (key, sealed) => (sealed.startsWith(`${key}|`) ? sealed.slice(key.length + 1) : null),
  };
}

const card = (nic: string, digit: number) => ({ nic, mac: `02:00:00:00:00:0${digit}` });

export function introduction(name: string, digit: number, more: Partial<Introduction> = {}): Introduction {
  const cards = [card("lan0", digit), card("wan0", digit + 1), card("clu0", digit + 2)];
  return {
    name,
    version: "0.1.0",
    build: 1,
    cards,
    cluster: card("clu0", digit + 2),
    license: null,
    certificate: name,
    ...more,
  };
}

export const MATCHES = [
  { mine: "lan0", theirs: "lan0" },
  { mine: "wan0", theirs: "wan0" },
];
