/**
 * A plain Debian with systemd, as a maker of appliances has it: the fewest packages, unpacked and set up without their
 * installers, so that no root is needed beyond the lab's own world. It starts with Debian's kernel, without firmware.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { privateApt } from "../../images/apt.ts";
import { run } from "../../images/command.ts";
import { directory, type Entry, file, link, writeArchive } from "../../images/cpio.ts";
import { fetchPackages, type Packages } from "../../images/packages.ts";
import { kernelModules, libraries } from "../../images/root.ts";
import type { DirectBoot } from "./vm.ts";

const ROOT = join(import.meta.dir, "../..");
const WORK = join(ROOT, "build/debian");
const IMAGE_WORK = join(ROOT, "build/image");

/** What they depend on comes along; no D-Bus, no logind, no network configuration. */
const PACKAGES = [
  "base-files",
  "base-passwd",
  "bash",
  "coreutils",
  "dash",
  "grep",
  "kmod",
  "login",
  "mount",
  "sed",
  "systemd",
  "systemd-sysv",
  "udev",
  "util-linux",
];
const DIRECTORIES_OF_USR = ["bin", "lib", "lib32", "lib64", "libx32", "sbin"];
/** What the shell says when it reads. */
export const HERE = "The shell is here.";
const DISK_DRIVERS = ["virtio_pci", "virtio_blk", "crc32c_generic", "ext4"];
const DISK_BYTES = 768 * 1024 ** 2;

/** The one thing that a machine of these tests has and no other: a shell on the second serial line. */
const AGENT = `[Unit]
DefaultDependencies=no
[Service]
ExecStart=/bin/sh -c 'stty raw -echo; echo ${HERE}; while :; do sh; done'
StandardInput=tty
StandardOutput=tty
TTYPath=/dev/ttyS1
[Install]
WantedBy=sysinit.target
`;

const SETUP: Record<string, string> = {
  "etc/fstab": "/dev/vda / ext4 rw 0 1\n",
  "etc/hostname": "debian\n",
  // One that it has already: Debian does not enable every service it finds at a first start.
  "etc/machine-id": "00112233445566778899aabbccddeeff\n",
  "etc/systemd/system/test-agent.service": AGENT,
};

/** Finds the disk and goes on there. */
const FIRST_PROGRAM = `#!/bin/sh
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
for module in ${DISK_DRIVERS.join(" ")}; do modprobe $module; done
until [ -b /dev/vda ]; do sleep 0.1; done
mount -t ext4 /dev/vda /root
umount /proc /sys
mount -o move /dev /root/dev
exec switch_root /root /sbin/init
`;

export interface Debian {
  disk: string;
  boot: DirectBoot;
}

/** A disk with Debian, and what is installed into its root file system. */
export function makeDebian(scratch: string, install: (root: string) => void): Debian {
  const packages = fetchPackages(IMAGE_WORK);
  const { release, modules } = kernelModules(packages);
  const tree = join(scratch, "debian");
  run(["cp", "-a", "--reflink=auto", plainRoot(packages, release, modules), tree]);
  install(tree);
  const disk = join(scratch, "debian.img");
  run(["mke2fs", "-q", "-t", "ext4", "-E", "root_owner=0:0", "-d", tree, disk, `${DISK_BYTES / 1024}k`]);
  rmSync(tree, { recursive: true });
  const initrd = join(scratch, "debian.initrd");
  writeFileSync(initrd, initramfs(packages));
  return {
    disk,
    boot: {
      kernel: join(packages.kernel.root, `boot/vmlinuz-${release}`),
      initrd,
      command_line: "console=ttyS0 quiet systemd.show_status=yes net.ifnames=0",
    },
  };
}

/** Kept below build/; made anew where the packages or the kernel are others. */
function plainRoot(packages: Packages, release: string, modules: Entry[]): string {
  const root = join(WORK, "root");
  const stamp = join(WORK, "root.stamp");
  const wanted = JSON.stringify([PACKAGES, SETUP, packages.kernel.sha256]);
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return root;
  rmSync(stamp, { force: true });
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  for (const name of DIRECTORIES_OF_USR) {
    mkdirSync(join(root, "usr", name), { recursive: true });
    run(["ln", "-s", `usr/${name}`, join(root, name)]);
  }
  for (const archive of download()) unpack(archive, root);
  for (const [name, text] of Object.entries(SETUP)) writeFileSync(join(root, name), text);
  for (const name of ["passwd", "group"])
    cpSync(join(root, `usr/share/base-passwd/${name}.master`), join(root, "etc", name));
  for (const { path, data } of modules) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), data);
  }
  run(["chroot", root, "depmod", "-a", release]);
  run(["chroot", root, "systemd-sysusers"]);
  run(["chroot", root, "systemctl", "-q", "enable", "test-agent"]);
  writeFileSync(stamp, wanted);
  return root;
}

function download(): string[] {
  const cache = join(WORK, "archives");
  mkdirSync(join(cache, "partial"), { recursive: true });
  // Of a machine that has nothing yet.
  const status = join(WORK, "status");
  writeFileSync(status, "");
  const options = [`Dir::State::status=${status}`, `Dir::Cache::archives=${cache}`, "Debug::NoLocking=true"];
  const apt = [...privateApt(join(WORK, "apt"), "deb"), ...options.flatMap((option) => ["-o", option])];
  const refusal = "Debian's packages for a plain Debian cannot be fetched; check the network";
  run(["apt-get", "-q", ...apt, "update"], { refusal });
  rmSync(cache, { recursive: true });
  mkdirSync(join(cache, "partial"), { recursive: true });
  const words = ["install", "-y", "--download-only", "--no-install-recommends", ...PACKAGES];
  run(["apt-get", "-q", ...apt, ...words], { refusal });
  return readdirSync(cache)
    .filter((name) => name.endsWith(".deb"))
    .map((name) => join(cache, name));
}

/** Everything becomes root's, which in the lab's world may be the only user there is. */
function unpack(archive: string, root: string): void {
  run([
    "sh",
    "-c",
    'dpkg-deb --fsys-tarfile "$1" | tar -x --no-same-owner --keep-directory-symlink -C "$2"',
    "sh",
    archive,
    root,
  ]);
}

/** Busybox, and the drivers that lead to the disk. */
function initramfs(packages: Packages): Buffer {
  const program = (path: string, from: string): Entry => file(path, readFileSync(from), 0o755);
  const busybox = program("usr/bin/busybox", join(packages.of("busybox").root, "bin/busybox"));
  const applets = ["sh", "mount", "umount", "modprobe", "sleep", "switch_root"];
  const entries = [
    ...["dev", "proc", "sys", "root"].map((path) => directory(path)),
    ...["bin", "sbin"].map((path) => link(path, "usr/bin")),
    link("lib", "usr/lib"),
    link("lib64", "usr/lib64"),
    link("usr/lib64/ld-linux-x86-64.so.2", "../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"),
    ...applets.map((name) => link(`usr/bin/${name}`, "busybox")),
    busybox,
    ...libraries([busybox], packages),
    ...kernelModules(packages, DISK_DRIVERS).modules,
    file("init", Buffer.from(FIRST_PROGRAM), 0o755),
  ];
  return Buffer.from(Bun.zstdCompressSync(writeArchive(entries, 0), { level: 1 }));
}
