/**
 * The certificate of the web interface. Made at the first start, kept in the state directory; in a cluster it is among the
 * shared settings, so that a browser that has come to trust it meets the same one on the other node after a switch.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { isIPv6 } from "node:net";
import { join } from "node:path";
import { Failure } from "../errors.ts";
import { readSealed, writeSealed } from "../sealed.ts";
import { type CertificateAndKey, makeCertificate } from "./certificate.ts";

const CHAIN_MAX = 8;
const RSA_BITS_MIN = 2048;
/** P-256 and P-384: browsers take no others. */
const CURVES = ["prime256v1", "secp384r1"];

export interface CertificateFacts {
  subject: string;
  issuer: string;
  hosts: string[];
  from: string;
  until: string;
  fingerprint: string;
  self_made: boolean;
  chain: number;
}

export class Certificates {
  readonly #path: string;
  #own: CertificateAndKey | null;

  constructor(state: string) {
    this.#path = join(state, "web-certificate.json");
    this.#own = (readSealed(this.#path) as CertificateAndKey | undefined | null) ?? null;
  }

  /** The one to serve: the shared one where there is one, which is kept here too, or this node's own. */
  current(shared: CertificateAndKey | null, hosts: () => { name: string; hosts: string[] }): CertificateAndKey {
    if (shared !== null && shared.certificate !== this.#own?.certificate && belongTogether(shared)) this.#keep(shared);
    if (this.#own === null) this.#keep(selfMade(hosts()));
    return this.#own as CertificateAndKey;
  }

  #keep({ key, certificate }: CertificateAndKey): void {
    this.#own = { key, certificate };
    writeSealed(this.#path, this.#own);
  }
}

/** Settings are text, and may be imported by hand: what cannot be served is not served. */
function belongTogether({ certificate, key }: CertificateAndKey): boolean {
  try {
    return chainOf(certificate)[0]?.checkPrivateKey(keyOf(key)) === true;
  } catch {
    return false;
  }
}

export function selfMade({ name, hosts }: { name: string; hosts: string[] }): CertificateAndKey {
  // A name for people is not always one for computers.
  const names = hosts.filter((host) => /^[A-Za-z0-9.:-]{1,253}$/.test(host));
  return makeCertificate(name, names);
}

export function factsOf({ certificate }: Pick<CertificateAndKey, "certificate">): CertificateFacts {
  const chain = chainOf(certificate);
  const [first] = chain;
  if (first === undefined) throw badCertificate();
  return {
    subject: oneLine(first.subject),
    issuer: oneLine(first.issuer),
    hosts: (first.subjectAltName ?? "")
      .split(", ")
      .filter((entry) => entry !== "")
      .map((entry) => shortAddress(entry.replace(/^(DNS|IP Address):/, ""))),
    from: new Date(first.validFrom).toISOString(),
    until: new Date(first.validTo).toISOString(),
    fingerprint: first.fingerprint256,
    self_made: first.verify(first.publicKey),
    chain: chain.length,
  };
}

/**
 * A certificate that an administrator brings. Throws Failure `bad-certificate`, `bad-key`, `wrong-key`, `expired`,
 * `bad-chain`, each before anything is stored.
 */
export function demandUsable({ certificate, key }: CertificateAndKey, now: Date = new Date()): CertificateAndKey {
  const chain = chainOf(certificate);
  const [first] = chain;
  if (first === undefined) throw badCertificate();
  const private_key = keyOf(key);
  if (!first.checkPrivateKey(private_key))
    throw new Failure(
      "wrong-key",
      "The key does not belong to the certificate; put the server's own certificate first.",
    );
  for (const link of chain) {
    if (new Date(link.validTo) <= now)
      throw new Failure("expired", `The certificate of ${oneLine(link.subject)} ended on ${dayOf(link.validTo)}.`);
    if (new Date(link.validFrom) > now)
      throw new Failure(
        "expired",
        `The certificate of ${oneLine(link.subject)} begins on ${dayOf(link.validFrom)} only; check this server's clock too.`,
      );
  }
  for (const [index, link] of chain.slice(1).entries()) {
    const signed = chain[index];
    if (signed?.checkIssued(link) !== true || !signed.verify(link.publicKey))
      throw new Failure(
        "bad-chain",
        `${oneLine(link.subject)} has not signed the certificate before it; mend the order.`,
      );
  }
  return {
    certificate: chain.map((link) => link.toString()).join(""),
    key: private_key.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

function chainOf(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw badCertificate();
  if (blocks.length > CHAIN_MAX)
    throw new Failure("bad-chain", `A chain of more than ${CHAIN_MAX} certificates is not taken.`);
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch (error) {
    throw badCertificate(error);
  }
}

function keyOf(pem: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (error) {
    throw new Failure("bad-key", "The key is no private key in PEM without a passphrase.", { cause: error });
  }
  const { modulusLength = 0, namedCurve = "" } = key.asymmetricKeyDetails ?? {};
  const strong = key.asymmetricKeyType === "rsa" ? modulusLength >= RSA_BITS_MIN : CURVES.includes(namedCurve);
  if (!strong)
    throw new Failure("bad-key", `The key must be RSA of ${RSA_BITS_MIN} bits or more, or ECDSA on P-256 or P-384.`);
  return key;
}

function badCertificate(cause?: unknown): Failure {
  return new Failure("bad-certificate", "That is no certificate in PEM.", { cause });
}

/** IPv6 as people write it. */
function shortAddress(host: string): string {
  return isIPv6(host) ? new URL(`http://[${host}]`).hostname.slice(1, -1) : host;
}

function oneLine(name: string): string {
  return name.replaceAll("\n", ", ");
}

function dayOf(date: string): string {
  return new Date(date).toISOString().slice(0, 10);
}
