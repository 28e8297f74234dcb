/** What the tests need of Debian: installed when root, named when not. */
import { existsSync } from "node:fs";

export interface Prerequisite {
  command: string;
  package: string;
  /** Where the command alone does not tell. */
  isThere?: () => boolean;
}

const PREREQUISITES: Prerequisite[] = [
  { command: "ip", package: "iproute2" },
  { command: "nft", package: "nftables" },
  { command: "gcc", package: "gcc" },
  { command: "readelf", package: "binutils" },
  { command: "spin", package: "spin" },
  { command: "strace", package: "strace" },
  { command: "conntrackd", package: "conntrackd" },
  { command: "conntrack", package: "conntrack" },
];

/** For the web interface: a browser without windows, and letters to draw. */
export const BROWSER: Prerequisite[] = [
  { command: "chromium-headless-shell", package: "chromium-headless-shell" },
  { command: "sh", package: "fonts-dejavu-core", isThere: () => existsSync("/usr/share/fonts/truetype/dejavu") },
];

/** For the dissector, and to read back what `understudy capture` writes. */
export const TSHARK: Prerequisite[] = [{ command: "tshark", package: "tshark" }];

/** For fuzzing C: clang, and its sanitizers and libFuzzer, which it does not bring by itself. */
export const CLANG: Prerequisite[] = [
  { command: "clang", package: "clang" },
  { command: "clang", package: "libclang-rt-dev", isThere: hasClangRuntime },
];

/** For virtual machines with UEFI. */
export const QEMU: Prerequisite[] = [
  { command: "qemu-system-x86_64", package: "qemu-system-x86" },
  { command: "mke2fs", package: "e2fsprogs" },
  { command: "sh", package: "ovmf", isThere: () => existsSync("/usr/share/OVMF/OVMF_CODE_4M.fd") },
];

function hasClangRuntime(): boolean {
  const directory = Bun.spawnSync(["clang", "-print-resource-dir"]).stdout.toString().trim();
  return existsSync(directory) && [...new Bun.Glob("lib/**/libclang_rt.fuzzer*.a").scanSync(directory)].length > 0;
}

/** Installs missing packages as root; otherwise ends the program with the one command that does. */
export function ensurePrerequisites(extra: Prerequisite[] = []): void {
  const wanted = [...PREREQUISITES, ...extra];
  // Root's tools are often not on a user's PATH, though everybody may run them.
  process.env["PATH"] = `${process.env["PATH"] ?? ""}:/usr/local/sbin:/usr/sbin:/sbin`;
  const search = { PATH: process.env["PATH"] };
  const missing = wanted
    .filter(({ command, isThere }) => Bun.which(command, search) === null || isThere?.() === false)
    .map((entry) => entry.package);
  if (!existsSync("/usr/include/stdio.h")) missing.push("libc6-dev");
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0) {
    console.error(`Some Debian packages are missing. Install them with: sudo apt-get install ${missing.join(" ")}`);
    process.exit(1);
  }
  console.error(`Installing ${missing.join(", ")} …`);
  for (const words of [
    ["update", "-q"],
    ["install", "-q", "-y", "--no-install-recommends", ...missing],
  ]) {
    const { exitCode, stderr } = Bun.spawnSync(["apt-get", ...words], {
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    });
    if (exitCode !== 0) {
      console.error(`apt-get ${words[0]} failed: ${stderr.toString().trim()}`);
      process.exit(1);
    }
  }
}
