/** A private apt: the machine's own Debian sources, with lists and a cache of its own, and no need of root. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Options that follow `apt-get` or `apt-cache`; `directory` is filled with what they name. */
export function privateApt(directory: string, type: "deb" | "deb-src"): string[] {
  const lists = join(directory, "lists");
  const parts = join(directory, "sources.list.d");
  const cache = join(directory, "cache");
  for (const path of [join(lists, "partial"), join(cache, "archives/partial"), parts])
    mkdirSync(path, { recursive: true });
  writeSources(parts, type);
  const options = [
    "Dir::Etc::SourceList=/dev/null",
    `Dir::Etc::SourceParts=${parts}`,
    `Dir::State::Lists=${lists}`,
    `Dir::Cache=${cache}`,
    "APT::Sandbox::User=root",
    "APT::Get::List-Cleanup=false",
  ];
  return options.flatMap((option) => ["-o", option]);
}

/** The machine's sources that are Debian's, made `type`, so that no archive is named here. */
function writeSources(parts: string, type: "deb" | "deb-src"): void {
  const more = "/etc/apt/sources.list.d";
  const names = existsSync(more) ? readdirSync(more) : [];
  const from = ["/etc/apt/sources.list", ...names.map((name) => join(more, name))];
  for (const [index, path] of from.entries()) {
    if (!existsSync(path)) continue;
    const text = readFileSync(path, "utf8");
    if (path.endsWith(".sources")) {
      const stanzas = text.split(/\n\s*\n/).filter((stanza) => /^URIs:.*debian/m.test(stanza));
      writeFileSync(
        join(parts, `${index}.sources`),
        stanzas.map((stanza) => stanza.replace(/^Types:.*$/m, `Types: ${type}`)).join("\n\n"),
      );
    } else if (path.endsWith(".list")) {
      const lines = text.split("\n").filter((line) => /^deb\s.*debian/.test(line));
      writeFileSync(
        join(parts, `${index}.list`),
        `${lines.map((line) => line.replace(/^deb\s/, `${type} `)).join("\n")}\n`,
      );
    }
  }
}
