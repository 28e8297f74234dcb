/** Commands that the build runs, Debian packages that it needs, and failures that it ends with. */
import { existsSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "..");

/** What the build says in one sentence, and ends. */
export class BuildFailure extends Error {}

export interface RunOptions {
  cwd?: string;
  env?: Record<string, string>;
  /** What to say where it fails, without the full stop; the command's last line is added. */
  refusal?: string;
}

/** What is needed of Debian: a command, or a file, and the package that brings it. */
export interface Prerequisite {
  probe: string;
  package: string;
}

// Root's tools are often not on a user's PATH, though everybody may run them.
const PATH = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;

export function run(command: string[], options: RunOptions = {}): string {
  const program = command[0] ?? "";
  const path = program.includes("/") ? program : Bun.which(program, { PATH });
  if (path === null) throw new BuildFailure(`${program} is missing; the build needs Debian 12 or a relative of it.`);
  const result = Bun.spawnSync([path, ...command.slice(1)], {
    cwd: options.cwd ?? ROOT,
    env: { ...process.env, LC_ALL: "C", PATH, ...options.env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  if (result.exitCode !== 0) {
    const lines = `${result.stdout}${result.stderr}`.trim().split("\n");
    if (options.refusal !== undefined) throw new BuildFailure(`${options.refusal} (${lines.at(-1)}).`);
    throw new BuildFailure(`${command.slice(0, 3).join(" ")} failed:\n${lines.slice(-20).join("\n")}`);
  }
  return result.stdout.toString();
}

/** Installs what is missing as root; says how to otherwise. */
export function installPrerequisites(wanted: Prerequisite[]): void {
  const missing = wanted.filter(({ probe }) =>
    probe.startsWith("/") ? !existsSync(probe) : Bun.which(probe, { PATH }) === null,
  );
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((prerequisite) => prerequisite.package))];
  if (process.getuid?.() !== 0) {
    throw new BuildFailure(
      `The build needs some Debian packages. Install them with: sudo apt-get install ${packages.join(" ")}`,
    );
  }
  const refusal = `These Debian packages could not be installed: ${packages.join(" ")}`;
  run(["apt-get", "update", "-q"], { refusal });
  run(["apt-get", "install", "-q", "-y", "--no-install-recommends", ...packages], {
    env: { DEBIAN_FRONTEND: "noninteractive" },
    refusal,
  });
}
