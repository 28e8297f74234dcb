/** The certificate that is made, the one that is brought, and everything that is wrong with one. */
import { afterAll, describe, expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeCertificate } from "./certificate.ts";
import { Certificates, demandUsable, factsOf, selfMade } from "./certificates.ts";

const root = mkdtempSync(join(tmpdir(), "understudy-certificates-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const lab = (name: string) => readFileSync(join(import.meta.dir, "../../test/web/certificates", name), "utf8");
const [ca, server, key] = [lab("ca.pem"), lab("server.pem"), lab("server.key")];
const keyOn = (namedCurve: string) =>
  generateKeyPairSync("ec", { namedCurve }).privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const hosts = () => ({ name: "node-a", hosts: ["node-a", "10.1.0.1", "fd00::1", "a name for people"] });
const NOW = new Date("2026-12-01T00:00:00Z");

describe("its own", () => {
  test("is made once, for the names and addresses of the node, and is readable by root only", () => {
    const made = new Certificates(root).current(null, hosts);
    expect(factsOf(made)).toMatchObject({
      subject: "CN=node-a",
      hosts: ["node-a", "10.1.0.1", "fd00::1"],
      self_made: true,
      chain: 1,
    });
    expect(new Certificates(root).current(null, hosts)).toEqual(made);
    expect(statSync(join(root, "web-certificate.json")).mode & 0o777).toBe(0o600);
  });

  test("gives way to the shared one, which stays where the settings lose it", () => {
    const shared = selfMade(hosts());
    const certificates = new Certificates(root);
    expect(certificates.current(shared, hosts)).toEqual(shared);
    expect(certificates.current(null, hosts)).toEqual(shared);
    expect(new Certificates(root).current(null, hosts)).toEqual(shared);
  });
});

test("one among the settings that cannot be served is not", () => {
  const certificates = new Certificates(root);
  const before = certificates.current(null, hosts);
  for (const shared of [
    { certificate: "hello", key: "set" },
    { certificate: server, key: "set" },
    { certificate: server, key: makeCertificate("x").key },
  ])
    expect(certificates.current(shared, hosts)).toEqual(before);
});

describe("one that is brought", () => {
  test("is taken with its chain, and shown", () => {
    const usable = demandUsable({ certificate: `some words\n${server}\n${ca}`, key }, NOW);
    expect(usable.certificate.match(/BEGIN CERTIFICATE/g)?.length).toBe(2);
    expect(factsOf(usable)).toMatchObject({
      subject: "CN=gateway.example",
      issuer: "CN=Lab CA",
      hosts: ["gateway.example", "10.1.0.1"],
      self_made: false,
      chain: 2,
    });
    expect(demandUsable({ certificate: server, key }, NOW).key).toBe(usable.key);
  });

  const rows: [string, string, string, string][] = [
    ["no certificate", "bad-certificate", "hello", key],
    ["a damaged certificate", "bad-certificate", server.replace("MII", "MIX"), key],
    ["a key as certificate", "bad-certificate", key, key],
    ["no key", "bad-key", server, "hello"],
    ["a key with a passphrase", "bad-key", server, lab("locked.key")],
    ["a weak key", "bad-key", lab("weak.pem"), lab("weak.key")],
    // Browsers take no such certificate, and the refusal names the curves that they take.
    ["a curve that browsers do not know", "bad-key", server, keyOn("P-521")],
    [
      "a key of another kind",
      "bad-key",
      server,
      "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIIq1lIuKjXk2mYbdzCJ2fI8y2k1oE4a5s1Uq0w3e6f7g\n-----END PRIVATE KEY-----\n",
    ],
    ["another one's key", "wrong-key", server, makeCertificate("x").key],
    ["the chain before the certificate", "wrong-key", ca + server, key],
    ["a certificate that has ended", "expired", lab("expired.pem"), key],
    ["a stranger in the chain", "bad-chain", server + makeCertificate("x").certificate, key],
    ["a chain without end", "bad-chain", server + ca.repeat(8), key],
  ];
  for (const [what, code, certificate, with_key] of rows)
    test(`is refused: ${what}`, () => {
      let refused = "";
      try {
        demandUsable({ certificate, key: with_key }, NOW);
      } catch (error) {
        refused = (error as { code: string }).code;
      }
      expect(refused).toBe(code);
    });

  test("may have a key on either curve that the refusal names", () => {
    for (const curve of ["P-256", "P-384"])
      expect(() => demandUsable({ certificate: server, key: keyOn(curve) }, NOW)).toThrow(/does not belong/);
  });

  test("is refused before it begins, with a word about the clock", () =>
    expect(() => demandUsable({ certificate: server, key }, new Date("2001-01-01T00:00:00Z"))).toThrow(
      /begins on .* clock/,
    ));
});
