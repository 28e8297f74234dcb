/** The Debian packages that the image is made of: fetched and unpacked without root, kept below build/. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { privateApt } from "./apt.ts";
import { BuildFailure, run } from "./command.ts";

/** Depends on the kernel that Debian ships at present. */
const KERNEL = "linux-image-amd64";

/** Everything that is in the image but the kernel; what their programs link to is checked when it is put together. */
const PACKAGES = [
  "busybox",
  "conntrackd",
  "e2fsprogs",
  "fdisk",
  "libblkid1",
  "libc6",
  "libcap2",
  "libcom-err2",
  "libext2fs2",
  "libfdisk1",
  "libgcrypt20",
  "libgpg-error0",
  "liblz4-1",
  "liblzma5",
  "libmnl0",
  "libnetfilter-conntrack3",
  "libnetfilter-cthelper0",
  "libnetfilter-queue1",
  "libnfnetlink0",
  "libreadline8",
  "libsmartcols1",
  "libss2",
  "libsystemd0",
  "libtinfo6",
  "libuuid1",
  "libzstd1",
  "openntpd",
  "runit",
  "systemd-boot-efi",
  "tzdata",
];

export interface Package {
  name: string;
  version: string;
  sha256: string;
  /** Where its files are unpacked. */
  root: string;
}

export interface Packages {
  all: Package[];
  kernel: Package;
  of(name: string): Package;
}

/** Throws BuildFailure; what is there already is not fetched again. */
export function fetchPackages(directory: string): Packages {
  const archives = join(directory, "packages");
  const stamp = join(directory, "packages.stamp");
  const wanted = [KERNEL, ...PACKAGES].join(" ");
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted) {
    rmSync(stamp, { force: true });
    download(directory, archives);
    writeFileSync(stamp, wanted);
  }
  return describe(directory, archives);
}

function download(directory: string, archives: string): void {
  for (const path of [archives, join(directory, "unpacked")]) rmSync(path, { recursive: true, force: true });
  mkdirSync(archives, { recursive: true });
  const apt = privateApt(join(directory, "apt"), "deb");
  const refusal =
    "Debian's packages for the image cannot be fetched; check the network, and that /etc/apt names a Debian archive";
  run(["apt-get", "-q", ...apt, "update"], { refusal });
  const depends = run(["apt-cache", ...apt, "depends", KERNEL], { refusal });
  const kernel = /Depends: (linux-image-\S+)/.exec(depends)?.[1];
  if (kernel === undefined) throw new BuildFailure(`Debian's package ${KERNEL} names no kernel.`);
  run(["apt-get", "-q", ...apt, "download", kernel, ...PACKAGES], { cwd: archives, refusal });
}

function describe(directory: string, archives: string): Packages {
  const files = readdirSync(archives)
    .filter((name) => name.endsWith(".deb"))
    .sort();
  const all = files.map((file): Package => {
    const archive = join(archives, file);
    const [name = "", version = ""] = run(["dpkg-deb", "--show", "--showformat=${Package}\n${Version}", archive]).split(
      "\n",
    );
    const root = join(directory, "unpacked", name);
    if (!existsSync(`${root}.stamp`)) {
      mkdirSync(root, { recursive: true });
      run(["dpkg-deb", "-x", archive, root]);
      writeFileSync(`${root}.stamp`, "");
    }
    return { name, version, sha256: createHash("sha256").update(readFileSync(archive)).digest("hex"), root };
  });
  const of = (name: string): Package => {
    const found = all.find((one) => one.name === name);
    if (found === undefined)
      throw new BuildFailure(`The Debian package ${name} is not in ${archives}; remove ${directory} and build again.`);
    return found;
  };
  const kernel = all.find(({ name }) => name.startsWith("linux-image-"));
  if (kernel === undefined)
    throw new BuildFailure(`There is no kernel in ${archives}; remove ${directory} and build again.`);
  return { all, kernel, of };
}
