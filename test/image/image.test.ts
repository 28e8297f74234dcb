/** The image that `npm run image` makes: the same bytes twice, complete, and what is said where something is missing. */
import { beforeAll, expect, test } from "bun:test";
import { readFileSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type Entry, readArchive } from "../../images/cpio.ts";
import { isElf, needed } from "../../images/elf.ts";
import { fetchPackages, type Packages } from "../../images/packages.ts";
import { assembleRoot, libraries } from "../../images/root.ts";

const ROOT = join(import.meta.dir, "../..");
const IMAGE = join(ROOT, "dist/understudy.img");
const EFI = join(ROOT, "dist/understudy.efi");
const OUTPUTS = [IMAGE, EFI, join(ROOT, "dist/understudy.image.json")];
const RECIPES = join(ROOT, "images/root");
/** How a frame of zstd begins. */
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

const sha256 = (path: string): string => new Bun.CryptoHasher("sha256").update(readFileSync(path)).digest("hex");

function build() {
  const { exitCode, stderr } = Bun.spawnSync([process.execPath, "build.ts", "--image"], { cwd: ROOT, stdin: "ignore" });
  return { status: exitCode, stderr: stderr.toString() };
}

/** Everything that the kernel unpacks, from its section of the unified image: two archives, one behind the other. */
function contents(): Map<string, Entry> {
  const path = join(ROOT, "build/image/section-of-test");
  Bun.spawnSync(["objcopy", "-O", "binary", "--only-section=.initrd", EFI, path]);
  const packed = readFileSync(path);
  rmSync(path);
  for (let at = packed.indexOf(ZSTD, 4); at > 0; at = packed.indexOf(ZSTD, at + 4)) {
    const parts = [packed.subarray(0, at), packed.subarray(at)].map(archiveIn);
    if (parts.every((part) => part !== null))
      return new Map(parts.flatMap((part) => part ?? []).map((entry) => [entry.path, entry]));
  }
  throw new Error("There are no two archives in the image.");
}

/** Null where the bytes are no whole archive: those of the mark may be there by chance. */
function archiveIn(packed: Buffer): Entry[] | null {
  try {
    return readArchive(Buffer.from(Bun.zstdDecompressSync(withoutPadding(packed))));
  } catch {
    return null;
  }
}

function withoutPadding(packed: Buffer): Buffer {
  let end = packed.length;
  while (end > 0 && packed[end - 1] === 0) end--;
  return packed.subarray(0, end);
}

let packages: Packages;
let held: Map<string, Entry>;
const first: Record<string, string> = {};

beforeAll(() => {
  expect(build()).toMatchObject({ status: 0 });
  for (const path of OUTPUTS) first[path] = sha256(path);
  packages = fetchPackages(join(ROOT, "build/image"));
  held = contents();
}, 300_000);

test("a second build with nothing kept of the first but Debian's packages gives the same bytes", () => {
  for (const path of ["compressed", "scratch", "unpacked"])
    rmSync(join(ROOT, "build/image", path), { recursive: true, force: true });
  for (const path of OUTPUTS) rmSync(path);
  expect(build()).toMatchObject({ status: 0 });
  expect(Object.fromEntries(OUTPUTS.map((path) => [path, sha256(path)]))).toEqual(first);
}, 300_000);

test("every program and library in it finds the libraries that it links to", () => {
  const names = new Set([...held.keys()].map((path) => basename(path)));
  const lacking = [...held.values()]
    .filter(({ path, data }) => !path.endsWith(".ko") && isElf(data))
    .flatMap(({ path, data }) =>
      needed(data)
        .filter((name) => !names.has(name))
        .map((name) => `${path}: ${name}`),
    );
  expect(lacking).toEqual([]);
});

test("no symbolic link in it leads nowhere, but to what is made at boot", () => {
  const resolved = (path: string, target: string): string =>
    target.startsWith("/") ? target.slice(1) : join(dirname(path), target);
  const dangling = [...held.values()]
    .filter(({ mode }) => (mode & 0o170000) === 0o120000)
    .map(({ path, data }) => ({ path, target: resolved(path, data.toString()) }))
    .filter(({ target }) => !/^(run|proc)\//.test(target) && !held.has(target));
  expect(dangling).toEqual([]);
});

test("what init and the kernel call is there and may be run", () => {
  const isProgram = (path: string): boolean => ((held.get(path)?.mode ?? 0) & 0o111) === 0o111;
  const called = [
    "busybox",
    "understudy",
    "runsvdir",
    "svlogd",
    "sfdisk",
    "e2fsck",
    "resize2fs",
    "mke2fs",
    "ntpd",
    "conntrackd",
  ];
  expect(called.filter((name) => !isProgram(`usr/bin/${name}`))).toEqual([]);
  const scripts = [...held.keys()].filter((path) => /^etc\/sv\/.*(run|finish)$/.test(path));
  expect(scripts.length).toBeGreaterThan(8);
  expect(scripts.filter((path) => !isProgram(path))).toEqual([]);
  expect(held.get("init")?.data.toString()).toBe("usr/bin/busybox");
  expect(held.get("usr/bin/modprobe")?.data.toString()).toBe("busybox");
});

test("every program that the boot and the services need by name is in it", () => {
  const needed_by_scripts =
    "awk blockdev cat cmp cp cut date dirname env find grep head hostname hwclock ip mdev mkdir";
  const more =
    "modprobe mount mv readlink reboot poweroff sed setsid sleep sort stat stty sv sync sysctl tail tr umount wc xargs";
  const wanted = `${needed_by_scripts} ${more}`.split(" ");
  expect(wanted.filter((name) => !held.has(`usr/bin/${name}`))).toEqual([]);
});

test("busybox's shell takes every script of ours", () => {
  const busybox = join(packages.of("busybox").root, "bin/busybox");
  const scripts = [...new Bun.Glob("**/*").scanSync({ cwd: RECIPES })].filter((path) =>
    readFileSync(join(RECIPES, path), "latin1").startsWith("#!/bin/sh"),
  );
  expect(scripts.length).toBeGreaterThan(15);
  for (const path of scripts) {
    const { stderr } = Bun.spawnSync([busybox, "sh", "-n", join(RECIPES, path)]);
    expect({ path, said: stderr.toString() }).toEqual({ path, said: "" });
  }
});

test("drivers that an appliance boots from and speaks through are in it", () => {
  const modules = new Set([...held.keys()].filter((path) => path.endsWith(".ko")).map((path) => basename(path, ".ko")));
  const wanted = [
    "ahci",
    "nvme",
    "virtio_blk",
    "usb-storage",
    "ext4",
    "e1000e",
    "igb",
    "ixgbe",
    "i40e",
    "tg3",
    "r8169",
  ];
  expect(
    wanted
      .concat("virtio_net", "vmxnet3", "hv_netvsc", "mlx5_core", "i6300esb", "softdog", "nf_conntrack_netlink")
      .filter((name) => !modules.has(name)),
  ).toEqual([]);
});

test("the disk has the two partitions, the loader and one slot, blessed", () => {
  const table = Bun.spawnSync(["/usr/sbin/sgdisk", "-p", IMAGE]).stdout.toString();
  expect(table).toMatch(/ 1 .*EF00 {2}understudy-esp\n.* 2 .*8300 {2}understudy-data\n/);
  expect(Bun.spawnSync(["/usr/sbin/sgdisk", "-v", IMAGE]).stdout.toString()).toContain("No problems found");
  const listing = Bun.spawnSync(["mdir", "-b", "-/", "-i", `${IMAGE}@@1M`, "::"]).stdout.toString();
  expect(
    listing
      .trim()
      .split("\n")
      .filter((line) => !line.endsWith("/"))
      .sort(),
  ).toEqual(["::/EFI/BOOT/BOOTX64.EFI", "::/EFI/Linux/understudy-a.efi", "::/loader/loader.conf"]);
});

test("refused: a program whose library no package brings, and a program that Debian has no more", () => {
  const lonely = { ...packages, all: packages.all.filter(({ name }) => name !== "libfdisk1") };
  expect(() => libraries(assembleRoot(packages).entries, lonely)).toThrow(
    "needs libfdisk.so.1, which none of the packages brings; add its package to images/packages.ts.",
  );
  const gone = { ...packages, of: (name: string) => packages.of(name === "fdisk" ? "runit" : name) };
  expect(() => assembleRoot(gone)).toThrow("Debian's package fdisk has no sfdisk any more.");
  expect(() => packages.of("nonsense")).toThrow("The Debian package nonsense is not in");
});
