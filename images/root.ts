/** The root file system of the appliance, as entries of an archive: Debian's programs, our recipes, kernel modules. */
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { BuildFailure, run } from "./command.ts";
import { characterDevice, directory, type Entry, file, link } from "./cpio.ts";
import { DRIVERS } from "./drivers.ts";
import { isElf, needed } from "./elf.ts";
import { type Module, ModuleTree, moduleIndexes } from "./modules.ts";
import type { Packages } from "./packages.ts";

const RECIPES = join(import.meta.dir, "root");
const LIBRARIES = "usr/lib/x86_64-linux-gnu";
/** Where Debian's packages have their libraries. */
const LIBRARY_DIRECTORIES = ["lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"];

/** Programs by package, all of them put into usr/bin. */
const PROGRAMS: Record<string, string[]> = {
  busybox: ["bin/busybox"],
  conntrackd: ["usr/sbin/conntrackd"],
  e2fsprogs: ["sbin/e2fsck", "sbin/mke2fs", "sbin/resize2fs", "sbin/tune2fs"],
  fdisk: ["sbin/sfdisk"],
  openntpd: ["usr/sbin/ntpd", "usr/sbin/ntpctl"],
  runit: ["usr/bin/chpst", "usr/bin/runsv", "usr/bin/runsvdir", "usr/bin/sv", "usr/bin/svlogd"],
};
/** Applets that a real program stands for, or that must not be found. */
const APPLETS_LEFT_OUT = new Set([
  "busybox",
  "fdisk",
  "mke2fs",
  "mkdosfs",
  "svc",
  "svok",
  "rpm",
  "rpm2cpio",
  "linuxrc",
]);

/** One directory for programs and one tree for libraries, whatever path a program is called by. */
const LINKS: [string, string][] = [
  ["init", "usr/bin/busybox"],
  ["bin", "usr/bin"],
  ["sbin", "usr/bin"],
  ["lib", "usr/lib"],
  ["lib64", "usr/lib64"],
  ["usr/sbin", "bin"],
  ["usr/lib64/ld-linux-x86-64.so.2", "../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"],
  ["etc/resolv.conf", "/run/resolv.conf"],
  ["etc/localtime", "/run/localtime"],
  ["etc/mtab", "/proc/self/mounts"],
];

export interface Root {
  entries: Entry[];
  kernel_release: string;
}

/** Throws BuildFailure where something that is named is not there. */
export function assembleRoot(packages: Packages): Root {
  const programs = Object.entries(PROGRAMS).flatMap(([name, paths]) =>
    paths.map((path) => program(join(packages.of(name).root, path), name)),
  );
  const busybox = join(packages.of("busybox").root, "bin/busybox");
  const applets = run([busybox, "--list"]).trim().split("\n");
  const taken = new Set(programs.map(({ path }) => basename(path)));
  const links = applets.filter((name) => !taken.has(name) && !APPLETS_LEFT_OUT.has(name));
  const { release, modules } = kernelModules(packages);
  return {
    kernel_release: release,
    entries: [
      ...["data", "dev", "mnt", "proc", "run", "sys", "var"].map((path) => directory(path)),
      directory("root", 0o700),
      directory("tmp", 0o1777),
      characterDevice("dev/console", [5, 1], 0o600),
      characterDevice("dev/null", [1, 3], 0o666),
      ...LINKS.map(([path, target]) => link(path, target)),
      ...links.map((name) => link(`usr/bin/${name}`, "busybox")),
      ...programs,
      link("usr/bin/mkfs.ext4", "mke2fs"),
      file("etc/mke2fs.conf", readFileSync(join(packages.of("e2fsprogs").root, "etc/mke2fs.conf"))),
      ...zones(join(packages.of("tzdata").root, "usr/share/zoneinfo")),
      ...recipes(RECIPES, ""),
      ...modules,
    ],
  };
}

function program(path: string, owner: string): Entry {
  if (!existsSync(path)) throw new BuildFailure(`Debian's package ${owner} has no ${basename(path)} any more.`);
  return file(`usr/bin/${basename(path)}`, readFileSync(path), 0o755);
}

/** The libraries that the programs among the entries link to, and those that these need. */
export function libraries(entries: Entry[], packages: Packages): Entry[] {
  const found = new Map<string, Entry>();
  const open = entries.filter(({ data }) => isElf(data)).map(({ path, data }) => ({ path, data }));
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next.path.endsWith(".ko")) continue;
    for (const name of needed(next.data)) {
      if (found.has(name)) continue;
      const data = library(name, packages);
      if (data === null)
        throw new BuildFailure(
          `${next.path} needs ${name}, which none of the packages brings; add its package to images/packages.ts.`,
        );
      found.set(name, file(`${LIBRARIES}/${name}`, data, 0o755));
      open.push({ path: name, data });
    }
  }
  return [...found.values()];
}

function library(name: string, packages: Packages): Buffer | null {
  for (const { root } of packages.all) {
    for (const place of LIBRARY_DIRECTORIES) {
      const path = join(root, place, name);
      if (existsSync(path)) return readFileSync(realpathSync(path));
    }
  }
  return null;
}

/** The drivers by these names, with what they depend on. */
export function kernelModules(
  packages: Packages,
  names = Object.values(DRIVERS).flat(),
): { release: string; modules: Entry[] } {
  const parent = join(packages.kernel.root, "lib/modules");
  const release = readdirSync(parent)[0];
  if (release === undefined) throw new BuildFailure(`${packages.kernel.name} has no modules.`);
  const tree = join(parent, release);
  const modules: Module[] = new ModuleTree(tree).select(names);
  const target = `usr/lib/modules/${release}`;
  const indexes = {
    ...moduleIndexes(modules),
    "modules.builtin": readFileSync(join(tree, "modules.builtin"), "utf8"),
  };
  return {
    release,
    modules: [
      ...modules.map(({ path, data }) => file(`${target}/${path}`, data)),
      ...Object.entries(indexes).map(([name, text]) => file(`${target}/${name}`, Buffer.from(text))),
    ],
  };
}

/** Time zones by name, without the copies for other notions of time. */
function zones(from: string): Entry[] {
  return readdirSync(from, { recursive: true, encoding: "utf8" })
    .filter((path) => /^[A-Z][\w+-]*(\/[\w+-]+)*$/.test(path) && !statSync(join(from, path)).isDirectory())
    .map((path) => {
      const source = join(from, path);
      const target = `usr/share/zoneinfo/${path}`;
      if (lstatSync(source).isSymbolicLink()) return link(target, readlinkSync(source));
      return file(target, readFileSync(source));
    });
}

/** Our own files, as they lie in images/root. */
function recipes(parent: string, prefix: string): Entry[] {
  return readdirSync(parent)
    .sort()
    .flatMap((name) => {
      const path = join(parent, name);
      const stat = statSync(path);
      if (stat.isDirectory()) return recipes(path, `${prefix}${name}/`);
      return [file(`${prefix}${name}`, readFileSync(path), stat.mode & 0o100 ? 0o755 : 0o644)];
    });
}
