/** `understudy capture`: what the node sent and received around its last switches, for Wireshark. */
import { writeFileSync } from "node:fs";
import type { CaptureEntry } from "../control/captures.ts";
import { Failure } from "../errors.ts";
import { fileTrouble } from "../trouble.ts";
import dissector from "../wire/understudy.lua" with { type: "text" };
import { ask } from "./client.ts";
import { type Common, said } from "./commands.ts";

const NONE = "This node has recorded no switch yet; captures are made of the ones to come.";

/** FILE, or - for standard output, and the names of captures: of the newest one where none is named. */
export async function captureCommand(common: Common, words: string[]): Promise<void> {
  const [file, ...names] = words;
  const entries = await ask<CaptureEntry[]>(common.run, "GET", "/captures");
  if (file === undefined) return listCaptures(common, entries);
  const newest = entries[0];
  if (newest === undefined) throw new Failure("no-capture", NONE);
  const wanted = names.length === 0 ? [newest.name] : names;
  const parts: Uint8Array[] = [];
  for (const name of wanted) {
    const { content } = await ask<{ content: string }>(common.run, "GET", `/captures/${encodeURIComponent(name)}`);
    parts.push(Buffer.from(content, "base64"));
  }
  // Sections may follow one another in one file.
  const bytes = Buffer.concat(parts);
  if (file === "-") return void (await Bun.write(Bun.stdout, bytes));
  try {
    writeFileSync(file, bytes, { mode: 0o600 });
  } catch (error) {
    throw new Failure("bad-file", `${file} cannot be written: ${fileTrouble(error)}.`);
  }
  said(common, `Written to ${file}: ${wanted.join(", ")}.`);
}

function listCaptures(common: Common, entries: CaptureEntry[]): void {
  if (common.json) return console.log(JSON.stringify(entries, null, 2));
  if (entries.length === 0) return console.log(NONE);
  for (const { name, code, bytes, events } of entries) {
    const message = events.find((event) => event.code === code)?.message ?? "";
    console.log(`${name.padEnd(55)} ${`${Math.ceil(bytes / 1024)} KiB`.padStart(8)}  ${message}`);
  }
}

/** The dissector that reads them; it needs no node. */
export function printDissector(): void {
  process.stdout.write(dissector);
}
