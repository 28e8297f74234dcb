/**
 * The same sources as an executable of another build: they are put where their history is another one. Beside a first
 * build it takes about a second, because nothing native is compiled again.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { sh } from "./shell.ts";

const ROOT = join(import.meta.dir, "../..");
/** Below build/, where node_modules is found as from the first place. */
const ELSEWHERE = join(ROOT, "build/lab/other-build");
/** Its history has one commit. */
export const OTHER_BUILD = 1;

/** The path of the executable, which is put into this directory. */
export function otherBuild(directory: string): string {
  rmSync(ELSEWHERE, { recursive: true, force: true });
  mkdirSync(join(ELSEWHERE, "build"), { recursive: true });
  const from = (...names: string[]) => names.map((name) => join(ROOT, name));
  sh(["cp", "-r", ...from("build.ts", "package.json", "src", "native", "images"), ELSEWHERE]);
  sh(["cp", "-al", ...from("build/libpcap", "build/shim.node", "build/shim.node.stamp"), join(ELSEWHERE, "build")]);
  const git = (...words: string[]) => sh(["git", "-C", ELSEWHERE, ...words]);
  git("init", "-q");
  git(
    "-c",
    "user.name=lab",
    "-c",
    "user.email=lab@localhost",
    "commit",
    "-q",
    "--allow-empty",
    "-m",
    "another history",
  );
  sh([process.execPath, join(ELSEWHERE, "build.ts")]);
  const executable = join(directory, "understudy-of-another-build");
  sh(["mv", join(ELSEWHERE, "dist/understudy"), executable]);
  rmSync(ELSEWHERE, { recursive: true, force: true });
  return executable;
}
