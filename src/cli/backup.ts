/** `understudy backup create | list | show | restore | delete`: backup copies of the settings. */
import { readFileSync } from "node:fs";
import type { BackupEntry } from "../control/backups.ts";
import { Failure, sentence } from "../errors.ts";
import { ask } from "./client.ts";
import { type Common, said } from "./commands.ts";
import { knownSecret, newSecret, secretFrom } from "./secrets.ts";
import { doorOf } from "./settings.ts";

const VERBS = ["create", "list", "show", "restore", "delete"];

export interface BackupOptions {
  alone: boolean;
  /** Ask for one. */
  passphrase: boolean;
  file: string | undefined;
}

export async function backupCommand(common: Common, words: string[], options: BackupOptions): Promise<void> {
  const [verb, name] = words;
  if (!VERBS.includes(verb ?? "") || words.length > 2)
    throw new Failure("usage", "Say what to do: backup create | list | show NAME | restore NAME | delete NAME.");
  if (verb === "create") return createBackup(common, options);
  if (verb === "list") return listBackups(common);
  if (name === undefined)
    throw new Failure("usage", `backup ${verb} needs the name of a backup copy; \`backup list\` shows them.`);
  if (verb === "restore") return restoreBackup(common, name, options);
  const path = `/backups/${encodeURIComponent(name)}`;
  if (verb === "delete") {
    await ask(common.run, "DELETE", path);
    return said(common, `The backup copy ${name} was deleted.`);
  }
  const { content } = await ask<{ content: string }>(common.run, "GET", path);
  if (common.json) console.log(JSON.stringify({ name, content }, null, 2));
  else process.stdout.write(content);
}

async function createBackup(common: Common, { passphrase, file }: BackupOptions): Promise<void> {
  const secret = file !== undefined ? await secretFrom(file) : passphrase ? await newSecret("passphrase") : undefined;
  const entry = await ask<BackupEntry>(common.run, "POST", "/backups", { passphrase: secret });
  if (common.json) return console.log(JSON.stringify(entry, null, 2));
  const warning = entry.encrypted ? "" : " It is not encrypted and holds password hashes: keep it as you keep a key.";
  console.log(`The backup copy ${entry.name} was made.${warning}`);
}

async function listBackups(common: Common): Promise<void> {
  const entries = await ask<BackupEntry[]>(common.run, "GET", "/backups");
  if (common.json) return console.log(JSON.stringify(entries, null, 2));
  if (entries.length === 0) return console.log("There are no backup copies; make one with `understudy backup create`.");
  for (const { name, bytes, server, version, encrypted, trouble } of entries)
    console.log(
      trouble === null
        ? `${name}   ${server}   version ${version}   ${bytes} bytes${encrypted ? "   encrypted" : ""}`
        : `${name}   ${trouble}`,
    );
}

/** A word with a slash, or `-`, is a file that was brought along; any other one is of the list. */
async function restoreBackup(common: Common, word: string, options: BackupOptions): Promise<void> {
  if (word === "-" && options.file === "-")
    throw new Failure("usage", "Standard input cannot be both the copy and the passphrase; put one into a file.");
  const from = word === "-" || word.includes("/") ? { content: await contentOf(word) } : { name: word };
  const given = options.file !== undefined ? await secretFrom(options.file) : undefined;
  try {
    await ask(common.run, "POST", `/backups/restore?${doorOf(options)}`, { ...from, passphrase: given });
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "passphrase-needed" || !process.stdin.isTTY) throw error;
    await ask(common.run, "POST", `/backups/restore?${doorOf(options)}`, {
      ...from,
      passphrase: await knownSecret("Passphrase"),
    });
  }
  said(common, "The settings were restored.");
}

async function contentOf(file: string): Promise<string> {
  try {
    return file === "-" ? await Bun.stdin.text() : readFileSync(file, "utf8");
  } catch (error) {
    throw new Failure("bad-file", `${file} cannot be read: ${sentence(error)}.`);
  }
}
