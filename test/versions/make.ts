/** Writes what this version leaves and says into a directory: `bun test/versions/make.ts test/versions/0.1.0`, once for each release. */
import { createHmac } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeRevision } from "../../src/settings/chain.ts";
import { DATABASE, SettingsDatabase } from "../../src/settings/database.ts";
import { parseSettings } from "../../src/settings/model.ts";
import { localPart, sharedPart } from "../../src/settings/shared.ts";
import { emitHeartbeat } from "../../src/wire/heartbeat.ts";
import { CLUSTER, HEARTBEAT, KEY, PEER_MAC, SENDER_MAC, SETTINGS } from "./content.ts";

const [, , directory = ""] = process.argv;
mkdirSync(directory, { recursive: true });
const state = mkdtempSync(join(tmpdir(), "understudy-versions-"));
const database = new SettingsDatabase(state);
const settings = parseSettings(SETTINGS);
const slots = [
  { nic: "lan0", slot: 1 },
  { nic: "wan0", slot: 2 },
];
const content = JSON.stringify(sharedPart(settings, slots));
database.append(
  [makeRevision(database.head(), { at: "2026-01-01T00:00:00.000Z", author: "admin", term: 3, content })],
  localPart(settings, slots),
);
database.close();
copyFileSync(join(state, DATABASE), join(directory, DATABASE));
rmSync(state, { recursive: true });
const authenticate = (bytes: Uint8Array) => createHmac("sha256", KEY).update(bytes).digest().subarray(0, 16);
const frame = emitHeartbeat(HEARTBEAT, CLUSTER, SENDER_MAC, PEER_MAC, authenticate);
writeFileSync(join(directory, "heartbeat.hex"), `${Buffer.from(frame).toString("hex")}\n`);
