/** Licenses: a good one, and every way in which one can be none. */
import { describe, expect, test } from "bun:test";
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { developmentKey, signLicense } from "../../test/license/sign.ts";
import { BUILT_IN_KEYS, demandLicense, type LicenseKeys, readLicense, SIGNED_PREFIX } from "./license.ts";

const maker = generateKeyPairSync("ed25519");
const stranger = generateKeyPairSync("ed25519");
const keys: LicenseKeys = {
  ...BUILT_IN_KEYS,
  release: maker.publicKey.export({ type: "spki", format: "der" }).toString("base64"),
};
const release: LicenseKeys = { ...keys, accept_development: false };
const payload = {
  product: "understudy",
  holder: "Example Ltd",
  serial: "7",
  issued: "2026-01-10",
  until: "2026-12-31",
  nodes: 2,
};
const signed = (change: object = {}, key: KeyObject = maker.privateKey) => signLicense({ ...payload, ...change }, key);
const good = signed();
const at = (text: string) => new Date(text);
const summer = at("2026-07-01T12:00:00Z");
const forged = (find: string, replace: string): string => {
  const lines = good.split("\n");
  const body = Buffer.from(lines.slice(1, lines.indexOf("")).join(""), "base64").toString("utf8");
  const changed = Buffer.from(body.replace(find, replace)).toString("base64");
  return [lines[0], changed, ...lines.slice(lines.indexOf(""))].join("\n");
};

test("a good one says who holds it and until when", () => {
  expect(readLicense(good, summer, release)).toEqual({
    state: "valid",
    message: "Licensed to Example Ltd until 2026-12-31.",
    holder: "Example Ltd",
    serial: "7",
    issued: "2026-01-10",
    until: "2026-12-31",
  });
  expect(readLicense(signed({ until: undefined }), at("2099-01-01T00:00:00Z"), release).state).toBe("valid");
  expect(readLicense(`\n  ${good.replaceAll("\n", "\r\n")}\r\n`, summer, release).state).toBe("valid");
  expect(readLicense(good, at("2026-12-10T00:00:00Z"), release).message).toMatch(/; 22 days are left\.$/);
});

describe("its days are whole, in UTC", () => {
  const rows: [string, string, string][] = [
    ["before the first", "2026-01-09T23:59:59Z", "not-yet-valid"],
    ["on the first", "2026-01-10T00:00:00Z", "valid"],
    ["on the last", "2026-12-31T23:59:59Z", "valid"],
    ["after the last", "2027-01-01T00:00:00Z", "expired"],
  ];
  for (const [what, now, state] of rows)
    test(what, () => expect(readLicense(good, at(now), release).state).toBe(state as never));
  test("from a later day on", () =>
    expect(readLicense(signed({ from: "2026-08-01" }), summer, release).state).toBe("not-yet-valid"));
});

describe("refused, each by its name", () => {
  const rows: [string, string | null, string, RegExp][] = [
    ["none", null, "missing", /install one/],
    ["empty", "", "damaged", /copy the file again/],
    ["cut in half", good.slice(0, good.length / 2), "damaged", /copy the file again/],
    ["without its signature", good.replace(/\n\n[^-]+/, "\n"), "damaged", /copy the file again/],
    ["far too long", good.replace("\n", "\n".repeat(20_000)), "damaged", /copy the file again/],
    ["signed by a stranger", signed({}, stranger.privateKey), "forged", /genuine one/],
    ["another holder written in", forged("Example Ltd", "Another Ltd"), "forged", /genuine one/],
    ["a later end written in", forged("2026-12-31", "2036-12-31"), "forged", /genuine one/],
    ["signed for development", signed({}, developmentKey()), "development", /a release does not accept/],
    ["for another product", signed({ product: "overstudy" }), "other-product", /another product \(overstudy\)/],
    ["with a field that nobody knows", signed({ colour: "red" }), "damaged", /update this server/],
    ["for a third node", signed({ nodes: 3 }), "damaged", /update this server/],
  ];
  for (const [what, text, state, sentence] of rows)
    test(what, () => {
      const report = readLicense(text, summer, release);
      expect(report.state).toBe(state as never);
      expect(report.message).toMatch(sentence);
      expect(report.message).toMatch(/^[^.]+\.$/);
      if (text !== null) expect(() => demandLicense(text, summer, release)).toThrow(report.message);
    });

  test("the same payload written in another way, though signed", () => {
    const bytes = Buffer.from(JSON.stringify(payload, null, 1));
    const signature = sign(null, Buffer.concat([Buffer.from(SIGNED_PREFIX), bytes]), maker.privateKey);
    const [first = "", last = ""] = [good.split("\n")[0], good.trim().split("\n").at(-1)];
    const text = [first, bytes.toString("base64"), "", signature.toString("base64"), last].join("\n");
    expect(readLicense(text, summer, release).state).toBe("damaged");
  });

  test("a signature by the right key for another purpose", () => {
    const body = good.split("\n\n")[0] ?? "";
    const bytes = Buffer.from(body.split("\n").slice(1).join(""), "base64");
    const signature = sign(null, bytes, maker.privateKey).toString("base64");
    const text = `${body}\n\n${signature}\n-----END UNDERSTUDY LICENSE-----\n`;
    expect(readLicense(text, summer, release).state).toBe("forged");
  });
});

test("a build that is no release accepts the development key, and one without a release key nothing else", () => {
  expect(readLicense(signed({}, developmentKey()), summer, keys).state).toBe("valid");
  expect(readLicense(good, summer, { ...keys, release: null }).state).toBe("forged");
  expect(BUILT_IN_KEYS.accept_development).toBe(true);
});
