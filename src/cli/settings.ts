/** `understudy settings`: read, changed by path, imported, exported, and their history. */
import { closeSync, fchmodSync, openSync, readFileSync, writeSync } from "node:fs";
import type { SettingsService } from "../control/settings-service.ts";
import { Failure, sentence } from "../errors.ts";
import type { Note } from "../settings/notes.ts";
import { fileTrouble } from "../trouble.ts";
import { ask } from "./client.ts";
import type { Common } from "./commands.ts";

const VERBS = "get [PATH] | set PATH=VALUE ... | export [FILE] | import FILE | revisions | show REVISION";

export async function settingsCommand(common: Common, words: string[], options: { alone: boolean }): Promise<void> {
  const [verb = "", ...rest] = words;
  const [word] = rest;
  if (rest.length > 1 && verb !== "set") throw usage(`settings ${verb} takes one word at most.`);
  const door = doorOf(options);
  switch (verb) {
    case "get":
      return print(await ask(common.run, "GET", `/settings?path=${encodeURIComponent(word ?? "")}`));
    case "set": {
      const answer = await ask<Changed>(common.run, "PATCH", `/settings?${door}`, { set: changesOf(rest) });
      return saidChanged(common, `The settings were changed (revision ${answer.revision}).`, answer);
    }
    case "export":
      return exportTo(common, word, await ask(common.run, "GET", "/settings?secrets=1"));
    case "import": {
      if (word === undefined) throw usage("settings import needs a file, or - for standard input.");
      const answer = await ask<Changed>(common.run, "PUT", `/settings?${door}`, await read(word));
      return saidChanged(common, "The settings were imported.", answer);
    }
    case "revisions":
      return showRevisions(common);
    case "show":
      if (word === undefined) throw usage("settings show needs the number or the name of a revision.");
      return print(await ask(common.run, "GET", `/settings/revisions/${encodeURIComponent(word)}`));
  }
  const what = verb === "" ? "Say what to do with the settings" : `There is no command "settings ${verb}"`;
  throw usage(`${what}; these are: ${VERBS}.`);
}

interface Changed {
  revision: number;
  notes: Note[];
}

/** Of a change: who makes it, and whether it may stay on this node alone. */
export function doorOf({ alone }: { alone: boolean }): string {
  return `author=${encodeURIComponent(author())}${alone ? "&alone=1" : ""}`;
}

/** The person at the keyboard, where the system knows. */
function author(): string {
  const { SUDO_USER, USER } = process.env;
  return SUDO_USER || USER || "root";
}

/** What is not JSON is a text, and so is what JSON would change, such as 007. Null removes. */
function changesOf(words: string[]): Record<string, unknown> {
  if (words.length === 0) throw usage("settings set needs at least one PATH=VALUE, such as dns.servers=10.2.0.53.");
  return Object.fromEntries(
    words.map((word) => {
      const at = word.indexOf("=");
      if (at < 1) throw usage(`${word} must look like PATH=VALUE.`);
      return [word.slice(0, at), typed(word.slice(at + 1))];
    }),
  );
}

function typed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "number" && String(value) !== text ? text : value;
  } catch {
    return text;
  }
}

/** To standard output, or into a file that only its owner can read: there are secrets in it. */
function exportTo(common: Common, file: string | undefined, settings: unknown): void {
  if (file === undefined || file === "-") return print(settings);
  try {
    const fd = openSync(file, "w", 0o600);
    try {
      fchmodSync(fd, 0o600);
      writeSync(fd, `${JSON.stringify(settings, null, 2)}\n`);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw new Failure("bad-file", `${file} cannot be written: ${fileTrouble(error)}.`);
  }
  said(common, `The settings were exported to ${file}.`, {});
}

async function read(file: string): Promise<unknown> {
  try {
    return JSON.parse(file === "-" ? await Bun.stdin.text() : readFileSync(file, "utf8"));
  } catch (error) {
    const what = file === "-" ? "Standard input" : file;
    throw new Failure("bad-file", `${what} is not readable JSON: ${sentence(error)}.`);
  }
}

async function showRevisions(common: Common): Promise<void> {
  const history = await ask<ReturnType<SettingsService["revisions"]>>(common.run, "GET", "/settings/revisions");
  if (common.json) return print(history);
  for (const { number, at, author: who, has_content } of history.revisions)
    console.log(
      `${String(number).padStart(7)}  ${at}  ${who.padEnd(16)} ${has_content ? "" : "(history only)"}`.trimEnd(),
    );
  for (const { name, at, revisions } of history.kept)
    console.log(`${name}  ${at}  ${revisions.length} that the peer does not have`);
}

function print(value: unknown): void {
  console.log(JSON.stringify(value, null, 2));
}

function said(common: Common, message: string, more: object): void {
  console.log(common.json ? JSON.stringify({ ok: true, message, ...more }) : message);
}

function saidChanged(common: Common, message: string, answer: Changed): void {
  said(common, message, answer);
  if (!common.json) for (const note of answer.notes) console.error(note.message);
}

function usage(message: string): Failure {
  return new Failure("usage", message);
}
