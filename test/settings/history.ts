/** A history of settings that anybody can make again, and look whether a database has it, whole and up to where. */
import { expect } from "bun:test";
import { FRESH, makeRevision, type Revision } from "../../src/settings/chain.ts";
import type { SettingsDatabase } from "../../src/settings/database.ts";
import type { Local } from "../../src/settings/shared.ts";

const CONTENT_CHARACTERS = 3000;

/** Revision `number` of the history, as the child of the one before. */
export function child(parent: Revision): Revision {
  const number = parent.number + 1;
  const at = new Date(Date.UTC(2026, 10, 24) + number * 1000).toISOString();
  const content = JSON.stringify({ number, filling: String(number).padEnd(CONTENT_CHARACTERS, "settings ") });
  return makeRevision(parent, { at, author: "test", term: 1, content });
}

export function history(count: number): Revision[] {
  const revisions: Revision[] = [];
  for (let i = 0; i < count; i++) revisions.push(child(revisions.at(-1) ?? FRESH));
  return revisions;
}

/** Changes with every third revision only. */
export function localAt(number: number): Local | undefined {
  return number % 3 === 1 ? { name: `node-${number}`, slots: [{ nic: `eth${number}`, slot: 1 }] } : undefined;
}

export function appendNext(database: SettingsDatabase): number {
  const next = child(database.head());
  database.append([next], localAt(next.number));
  return next.number;
}

/** The newest revision is of the history, with what was local then, and it goes on. */
export function expectWhole(database: SettingsDatabase, least: number, most: number): void {
  const head = database.head();
  expect(head.number).toBeGreaterThanOrEqual(least);
  expect(head.number).toBeLessThanOrEqual(most);
  const revisions = history(head.number);
  expect(head).toEqual(revisions.at(-1) ?? FRESH);
  const last_local = head.number - ((head.number + 2) % 3);
  if (head.number > 0) expect(database.local()).toEqual(localAt(last_local) as Local);
  expect(appendNext(database)).toBe(head.number + 1);
}
