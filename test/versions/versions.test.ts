/**
 * What every released version left and said is kept here, a directory each (make.ts writes them). Today's code reads it, or
 * refuses it in plain words; and what it will be told by a later version does not confuse it.
 */
import { describe, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isKnownTo, readMessage } from "../../src/replication/messages.ts";
import { DATABASE, SettingsDatabase } from "../../src/settings/database.ts";
import { parseSettings } from "../../src/settings/model.ts";
import { fromShared } from "../../src/settings/shared.ts";
import { parseHeartbeat } from "../../src/wire/heartbeat.ts";
import { CLUSTER, HEARTBEAT, KEY, SETTINGS } from "./content.ts";

const VERSIONS = readdirSync(import.meta.dir, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);
const authenticate = (bytes: Uint8Array) => createHmac("sha256", KEY).update(bytes).digest().subarray(0, 16);
const heartbeatOf = (version: string) =>
  Uint8Array.from(Buffer.from(readFileSync(join(import.meta.dir, version, "heartbeat.hex"), "utf8").trim(), "hex"));

test("there are kept files", () => expect(VERSIONS).toContain("0.1.0"));

for (const version of VERSIONS)
  describe(`version ${version}`, () => {
    test("its heartbeat is understood", () => {
      expect(parseHeartbeat(heartbeatOf(version), CLUSTER, authenticate)).toEqual(HEARTBEAT);
    });

    test("its settings are read", () => {
      const state = mkdtempSync(join(tmpdir(), "understudy-versions-"));
      try {
        copyFileSync(join(import.meta.dir, version, DATABASE), join(state, DATABASE));
        const database = new SettingsDatabase(state);
        expect(database.warnings).toEqual([]);
        const read = parseSettings(fromShared(JSON.parse(database.head().content), database.local()));
        database.close();
        expect(read).toEqual(parseSettings(SETTINGS));
      } finally {
        rmSync(state, { recursive: true });
      }
    });
  });

/** A frame with a change and a tag that is right for it. */
function later(change: (frame: Uint8Array) => void): Uint8Array {
  const frame = heartbeatOf("0.1.0").slice();
  change(frame);
  frame.set(authenticate(frame.subarray(14, frame.length - 16)), frame.length - 16);
  return frame;
}

describe("of a later version", () => {
  test("flags and reserved bytes that mean nothing yet change nothing", () => {
    const frame = later((bytes) => {
      bytes[23] = (bytes[23] ?? 0) | 0xf0;
      bytes[25] = 7;
    });
    expect(parseHeartbeat(frame, CLUSTER, authenticate)).toEqual(HEARTBEAT);
  });

  test("another layout of heartbeats is refused by name", () => {
    const frame = later((bytes) => {
      bytes[15] = 2;
    });
    expect(parseHeartbeat(frame, CLUSTER, authenticate)).toBe("wrong-version");
  });

  test("a message of a new kind is passed over, and new keys of a known one too", () => {
    expect(readMessage({ type: "weather", sun: true })).toBe(null);
    const hello = { type: "hello", protocol: 9, version: "9.0.0", build: 900 } as const;
    expect(readMessage({ ...hello, mood: "good" })).toEqual(hello);
    expect(() => readMessage({ type: "hello", protocol: "9" })).toThrow();
  });
});

test("version 0.1.0, which ends the connection over what it does not know, is told nothing of the kind", () => {
  const message = readMessage({ type: "bundle-wanted", sha256: "a".repeat(64), offset: 0 });
  expect(message !== null && isKnownTo(1, message)).toBe(false);
  const hello = readMessage({ type: "hello", protocol: 2, version: "0.2.0", build: 1 });
  expect(Object.keys(hello ?? {}).sort()).toEqual(["build", "protocol", "type", "version"]);
  expect(hello !== null && isKnownTo(1, hello)).toBe(true);
});
