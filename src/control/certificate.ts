/**
 * A key and a certificate that vouches for itself: ECDSA on P-256, X.509. Whoever uses it compares the whole
 * certificate with one that was agreed on before; nobody signs for anybody, and no date counts. The dates in it are
 * wide, as an appliance may start with its clock at zero.
 */
import { generateKeyPairSync, randomBytes, sign, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  BasicConstraints,
  Certificate,
  Extension,
  Extensions,
  GeneralName,
  id_ce_basicConstraints,
  id_ce_subjectAltName,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from "@peculiar/asn1-x509";

/** Both PEM; the key is PKCS#8 and a secret. */
export interface CertificateAndKey {
  key: string;
  certificate: string;
}

const ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";
const COMMON_NAME = "2.5.4.3";
const NOT_BEFORE = new Date(0);
/** RFC 5280, section 4.1.2.5: no end. */
const NOT_AFTER = new Date("9999-12-31T23:59:59Z");

/** A new key, and its certificate for `name`; `hosts` are the names and addresses that a browser may reach it by. */
export function makeCertificate(name: string, hosts: string[] = []): CertificateAndKey {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const signatureAlgorithm = new AlgorithmIdentifier({ algorithm: ECDSA_WITH_SHA256 });
  const common_name = new AttributeTypeAndValue({
    type: COMMON_NAME,
    value: new AttributeValue({ utf8String: name }),
  });
  const whose = new Name([new RelativeDistinguishedName([common_name])]);
  const tbsCertificate = new TBSCertificate({
    version: Version.v3,
    serialNumber: serialNumber(),
    signature: signatureAlgorithm,
    issuer: whose,
    subject: whose,
    validity: new Validity({ notBefore: NOT_BEFORE, notAfter: NOT_AFTER }),
    subjectPublicKeyInfo: AsnConvert.parse(publicKey.export({ type: "spki", format: "der" }), SubjectPublicKeyInfo),
    extensions: new Extensions([
      extension(id_ce_basicConstraints, true, new BasicConstraints({ cA: false })),
      ...(hosts.length === 0
        ? []
        : [extension(id_ce_subjectAltName, false, new SubjectAlternativeName(hosts.map(generalName)))]),
    ]),
  });
  const signature = sign("sha256", new Uint8Array(AsnConvert.serialize(tbsCertificate)), privateKey);
  const der = AsnConvert.serialize(
    new Certificate({ tbsCertificate, signatureAlgorithm, signatureValue: bufferOf(signature) }),
  );
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    certificate: new X509Certificate(Buffer.from(der)).toString(),
  };
}

/** SHA-256 of the certificate's bytes, in hex: what a pairing binds itself to. Throws where it is no certificate. */
export function certificateDigest(pem: string): string {
  return new X509Certificate(pem).fingerprint256.replaceAll(":", "").toLowerCase();
}

/** Positive and without a leading zero byte, as DER wants it. */
function serialNumber(): ArrayBuffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bufferOf(bytes);
}

function extension(extnID: string, critical: boolean, value: object): Extension {
  return new Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

function generalName(host: string): GeneralName {
  return isIP(host) === 0 ? new GeneralName({ dNSName: host }) : new GeneralName({ iPAddress: host });
}

/** The library wants buffers of their own, not parts of a pool. */
function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
