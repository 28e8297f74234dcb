/** `understudy license show | install FILE | check FILE`. */
import { readFileSync } from "node:fs";
import { type LicenseReport, readLicense } from "../control/license.ts";
import { Failure, sentence } from "../errors.ts";
import { ask } from "./client.ts";
import type { Common } from "./commands.ts";
import { doorOf } from "./settings.ts";

const VERBS = ["show", "install", "check"];

export async function licenseCommand(common: Common, words: string[], options: { alone: boolean }): Promise<void> {
  const [verb, file] = words;
  if (!VERBS.includes(verb ?? "") || words.length > 2)
    throw new Failure("usage", "Say what to do with the license: show | install FILE | check FILE.");
  if (verb === "show") return show(common, await ask<LicenseReport>(common.run, "GET", "/license"));
  if (file === undefined) throw new Failure("usage", `license ${verb} needs a file, or - for standard input.`);
  const text = await textOf(file);
  if (verb === "install")
    return show(common, await ask<LicenseReport>(common.run, "PUT", `/license?${doorOf(options)}`, { text }));
  // Without a node: what this very build would say of it.
  const report = readLicense(text, new Date());
  show(common, report);
  if (report.state !== "valid") process.exitCode = 1;
}

function show(common: Common, report: LicenseReport): void {
  if (common.json) return console.log(JSON.stringify(report, null, 2));
  console.log(report.serial === null ? report.message : `${report.message} Serial number ${report.serial}.`);
}

async function textOf(file: string): Promise<string> {
  try {
    return file === "-" ? await Bun.stdin.text() : readFileSync(file, "utf8");
  } catch (error) {
    throw new Failure("bad-file", `${file} cannot be read: ${sentence(error)}.`);
  }
}
