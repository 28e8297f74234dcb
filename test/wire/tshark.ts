/** Captures read back by tshark, with the dissector that the executable prints. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const DISSECTOR = join(import.meta.dir, "../../src/wire/understudy.lua");

/** What tshark says of a capture, on standard output; it must have nothing to complain about. */
export function tshark(capture: Uint8Array, words: string[], dissector = DISSECTOR): string {
  const directory = mkdtempSync(join(tmpdir(), "understudy-tshark-"));
  try {
    const file = join(directory, "capture.pcapng");
    writeFileSync(file, capture);
    const { exitCode, stdout, stderr } = Bun.spawnSync(
      ["tshark", "-n", "-X", `lua_script:${dissector}`, "-r", file, ...words],
      // A home of its own: nobody's preferences, and nothing left behind.
      { env: { PATH: process.env["PATH"] ?? "", HOME: directory, LC_ALL: "C.UTF-8", TZ: "UTC" }, stderr: "pipe" },
    );
    const complaints = stderr
      .toString()
      .split("\n")
      .filter((line) => line !== "" && !/^Running as user "root"/.test(line));
    if (exitCode !== 0 || complaints.length > 0)
      throw new Error(complaints.join("\n") || `tshark ended with ${exitCode}.`);
    return stdout.toString();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A line a frame: these fields of it, parted by tabs. */
export function fieldsOf(capture: Uint8Array, names: string[]): string[][] {
  const text = tshark(capture, ["-T", "fields", ...names.flatMap((name) => ["-e", name])]);
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => line.split("\t"));
}
