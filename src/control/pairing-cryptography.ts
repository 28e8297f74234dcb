/** X25519, HKDF-SHA256, HMAC-SHA256 and AES-256-GCM of the runtime: one key pair and one nonce for one exchange. */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from "node:crypto";
import type { PairingCryptography } from "../core/pairing/keys.ts";
import { Failure } from "../errors.ts";

/** RFC 7748, section 6.1: keys of small order agree on zero with everybody, and are refused. */
function agreed(privateKey: KeyObject, peer_key: string): Buffer {
  try {
    const x = Buffer.from(peer_key, "hex").toString("base64url");
    const publicKey = createPublicKey({ key: { kty: "OKP", crv: "X25519", x }, format: "jwk" });
    return diffieHellman({ privateKey, publicKey });
  } catch {
    throw new Failure(
      "bad-key",
      "A node on this cable sent a key that cannot be used; check what is on it and start again.",
    );
  }
}

export function cryptography(): PairingCryptography {
  const { privateKey, publicKey } = generateKeyPairSync("x25519");
  const public_key = Buffer.from(publicKey.export({ format: "jwk" }).x ?? "", "base64url").toString("hex");
  const hash = (text: string) => createHash("sha256").update(text).digest();
  return {
    public_key,
    nonce: randomBytes(32).toString("hex"),
    hash: (text) => hash(text).toString("hex"),
    derive(peer_key, transcript, label) {
      const secret = agreed(privateKey, peer_key);
      return Buffer.from(hkdfSync("sha256", secret, hash(transcript), `understudy ${label}`, 32)).toString("hex");
    },
    proof: (key, text) => createHmac("sha256", Buffer.from(key, "hex")).update(text).digest("hex"),
    seal(key, text) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", Buffer.from(key, "hex"), nonce);
      const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString("base64");
    },
    open(key, sealed) {
      try {
        const bytes = Buffer.from(sealed, "base64");
        const decipher = createDecipheriv("aes-256-gcm", Buffer.from(key, "hex"), bytes.subarray(0, 12));
        decipher.setAuthTag(bytes.subarray(12, 28));
        return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString("utf8");
      } catch {
        return null;
      }
    },
  };
}
