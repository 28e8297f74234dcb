/** The appliance image: what goes in, in which order, and what is said about it. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BuildFailure, installPrerequisites } from "./command.ts";
import { type Entry, file, writeArchive } from "./cpio.ts";
import { writeDisk } from "./disk.ts";
import { fetchPackages } from "./packages.ts";
import { assembleRoot, libraries } from "./root.ts";
import { writeUnifiedImage } from "./uki.ts";

const PREREQUISITES = [
  { probe: "apt-get", package: "apt" },
  { probe: "dpkg-deb", package: "dpkg" },
  { probe: "objcopy", package: "binutils" },
  { probe: "sgdisk", package: "gdisk" },
  { probe: "mkfs.vfat", package: "dosfstools" },
  { probe: "mcopy", package: "mtools" },
  { probe: "mke2fs", package: "e2fsprogs" },
];

/** Every file in the image has this time: 2026-01-01, so that a clock that was lost starts no earlier. */
const TIME_S = 1_767_225_600;

/** Compresses to the same bytes with the pinned runtime; the kernel takes windows of up to 128 MiB. */
const ZSTD_LEVEL = 9;

const COMMAND_LINE = [
  "console=tty0",
  "console=ttyS0,115200n8",
  "quiet",
  "loglevel=4",
  "printk.devkmsg=on",
  "net.ifnames=0",
  // A kernel that cannot go on starts again; the other node has taken over long before.
  "panic=5",
  "oops=panic",
  "rcupdate.rcu_cpu_stall_timeout=30",
].join(" ");

export interface ImageOptions {
  root: string;
  /** The executable that goes inside. */
  executable: string;
  version: { version: string; build: number; commit: string };
  step: (name: string, work: () => void) => Promise<void>;
}

export async function buildImage({ root, executable, version, step }: ImageOptions): Promise<void> {
  const work = join(root, "build/image");
  const scratch = join(work, "scratch");
  const dist = join(root, "dist");
  mkdirSync(scratch, { recursive: true });
  if (!existsSync(executable)) throw new BuildFailure(`${executable} is missing; it is built before the image.`);
  await step("tools for the image", () => installPrerequisites(PREREQUISITES));
  await step("Debian packages of the image", () => void fetchPackages(work));
  const packages = fetchPackages(work);

  const program = file("usr/bin/understudy", readFileSync(executable), 0o755);
  const { entries, kernel_release } = assembleRoot(packages);
  const name = `${version.version}.${version.build}`;
  const os_release = [
    "ID=understudy",
    'NAME="Understudy"',
    `PRETTY_NAME="Understudy ${version.version} build ${version.build}"`,
    "IMAGE_ID=understudy",
    // systemd-boot starts the highest one first.
    `IMAGE_VERSION=${name}`,
    `VERSION_ID=${name}`,
    `BUILD_ID=${version.commit}`,
    "",
  ].join("\n");
  const product = [program, file("etc/os-release", Buffer.from(os_release))];
  const linked = libraries([...entries, program], packages);
  const initramfs = join(scratch, "initramfs");
  const cache = join(work, "compressed");
  await step("initramfs", () => {
    // Two archives, one behind the other, so that a change of the product compresses the product only.
    const parts = [[...entries, ...linked], product].map((part) => compressed(part, cache));
    writeFileSync(initramfs, Buffer.concat(parts.map(({ packed }) => packed)));
    // Those of earlier builds.
    const current = new Set(parts.map(({ digest }) => digest));
    for (const name of readdirSync(cache)) if (!current.has(name)) rmSync(join(cache, name));
  });
  const efi = join(dist, "understudy.efi");
  await step("dist/understudy.efi", () =>
    writeUnifiedImage(efi, scratch, {
      stub: join(packages.of("systemd-boot-efi").root, "usr/lib/systemd/boot/efi/linuxx64.efi.stub"),
      kernel: join(packages.kernel.root, `boot/vmlinuz-${kernel_release}`),
      release: kernel_release,
      command_line: COMMAND_LINE,
      os_release,
      initramfs: readFileSync(initramfs),
    }),
  );
  const loader = join(scratch, "loader.conf");
  writeFileSync(loader, "timeout 0\neditor no\nauto-entries yes\nauto-firmware no\n");
  const image = join(dist, "understudy.img");
  await step("dist/understudy.img", () =>
    writeDisk(image, scratch, {
      files: {
        "EFI/BOOT/BOOTX64.EFI": join(
          packages.of("systemd-boot-efi").root,
          "usr/lib/systemd/boot/efi/systemd-bootx64.efi",
        ),
        "EFI/Linux/understudy-a.efi": efi,
        "loader/loader.conf": loader,
      },
      time_s: TIME_S,
    }),
  );
  const sizes = measure(entries, linked, program, {
    kernel: join(packages.kernel.root, `boot/vmlinuz-${kernel_release}`),
    initramfs,
    efi,
    image,
  });
  writeFileSync(
    join(dist, "understudy.image.json"),
    `${JSON.stringify(
      {
        ...version,
        kernel: kernel_release,
        command_line: COMMAND_LINE,
        packages: packages.all.map(({ name, version, sha256 }) => ({ name, version, sha256 })),
        sizes_bytes: sizes,
      },
      null,
      2,
    )}\n`,
  );
}

function compressed(entries: Entry[], cache: string): { packed: Buffer; digest: string } {
  const archive = writeArchive(entries, TIME_S);
  const digest = createHash("sha256").update(archive).update(`zstd ${ZSTD_LEVEL} ${Bun.version}`).digest("hex");
  const path = join(cache, digest);
  if (existsSync(path)) return { packed: readFileSync(path), digest };
  const packed = Buffer.from(Bun.zstdCompressSync(archive, { level: ZSTD_LEVEL }));
  const padded = Buffer.concat([packed, Buffer.alloc((4 - (packed.length % 4)) % 4)]);
  mkdirSync(cache, { recursive: true });
  writeFileSync(path, padded);
  return { packed: padded, digest };
}

function measure(system: Entry[], linked: Entry[], program: Entry, files: Record<string, string>) {
  const sum = (entries: Entry[]): number => entries.reduce((total, { data }) => total + data.length, 0);
  const isModule = ({ path }: Entry): boolean => path.startsWith("usr/lib/modules/");
  return {
    unpacked: {
      understudy: program.data.length,
      modules: sum(system.filter(isModule)),
      libraries: sum(linked),
      rest: sum(system.filter((entry) => !isModule(entry))),
    },
    ...Object.fromEntries(Object.entries(files).map(([name, path]) => [name, statSync(path).size])),
  };
}
