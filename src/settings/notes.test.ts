import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { freshSettings, parseSettings, type Settings } from "./model.ts";
import { NOT_APPLIED, notesOn } from "./notes.ts";

const fresh = freshSettings();
const external = { nic: "wan0", role: "external" as const, addresses: ["10.2.0.1/24"] };
const internal = { nic: "lan0", role: "internal" as const, addresses: ["10.1.0.1/24"] };
const codes = (before: Settings, change: object) =>
  notesOn(before, parseSettings({ ...before, ...change })).map(({ code }) => code);

test("whoever sets up or edits an external interface is told about MAC addresses (S12)", () => {
  const set = { ...fresh, interfaces: [internal, external] };
  expect(codes(fresh, { interfaces: [internal] })).toEqual([]);
  expect(codes(fresh, { interfaces: [external] })).toEqual(["mac-changes"]);
  expect(codes(set, { interfaces: [internal, { ...external, addresses: ["10.2.0.9/24"] }] })).toEqual(["mac-changes"]);
  expect(codes(set, { interfaces: [{ ...internal, enabled: false }, external] })).toEqual([]);
});

test("what nothing acts on yet is said by name", () => {
  const changed = parseSettings({ ...fresh, dns: { servers: ["10.2.0.53"] }, time: { zone: "Europe/Rome" } });
  expect(notesOn(fresh, changed).map(({ message }) => message)).toEqual([
    "Kept, but not yet applied by this version: the settings of dns, time.",
  ]);
});

test("the README says so of the same keys", () => {
  const readme = readFileSync(join(import.meta.dir, "../../README.md"), "utf8");
  const rows = readme.split("\n").filter((line) => /^\| `.*kept, not yet applied \|$/.test(line));
  expect(new Set(rows.map((row) => /^\| `(\w+)/.exec(row)?.[1]))).toEqual(new Set(NOT_APPLIED));
  expect(rows).toHaveLength(NOT_APPLIED.length);
});
