import { expect, test } from "bun:test";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { certificateDigest, makeCertificate } from "./certificate.ts";

test("a certificate belongs to its key and vouches for itself", () => {
  const { key, certificate } = makeCertificate("node-ä");
  const parsed = new X509Certificate(certificate);
  expect(parsed.subject).toBe("CN=node-ä");
  expect(parsed.verify(parsed.publicKey)).toBe(true);
  expect(parsed.checkPrivateKey(createPrivateKey(key))).toBe(true);
  expect(parsed.ca).toBe(false);
  expect(parsed.publicKey.asymmetricKeyDetails?.namedCurve).toBe("prime256v1");
});

test("it is valid whatever the clock says, at zero and far ahead", () => {
  const { validFrom, validTo } = new X509Certificate(makeCertificate("a").certificate);
  expect(Date.parse(validFrom)).toBe(0);
  expect(Date.parse(validTo)).toBe(Date.parse("9999-12-31T23:59:59Z"));
});

test("it names the hosts that a browser may reach it by", () => {
  const { certificate } = makeCertificate("gateway", ["gateway.example", "10.1.0.1", "fd00::1"]);
  const parsed = new X509Certificate(certificate);
  expect(parsed.checkHost("gateway.example")).toBe("gateway.example");
  expect(parsed.checkIP("10.1.0.1")).toBe("10.1.0.1");
  expect(parsed.checkIP("fd00::1")).toBe("fd00::1");
  expect(parsed.checkIP("10.1.0.2")).toBeUndefined();
});

test("no two are alike, and the digest tells them apart", () => {
  const digests = [makeCertificate("a"), makeCertificate("a")].map(({ certificate }) => certificateDigest(certificate));
  expect(digests[0]).toMatch(/^[0-9a-f]{64}$/);
  expect(digests[0]).not.toBe(digests[1]);
  expect(() => certificateDigest("no certificate")).toThrow();
});
