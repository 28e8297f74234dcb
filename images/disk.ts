/** The disk: a partition that the firmware reads, with systemd-boot and the slots, and one for the data. */
import { copyFileSync, mkdirSync, rmSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { run } from "./command.ts";

const MIB = 1024 * 1024;
const ESP = { start_mib: 1, size_mib: 512, guid: "2f0a0ad9-6ac0-4c0b-9f53-7c9f2a1d5e01", volume: "55534459" };
const DATA = {
  start_mib: 513,
  size_mib: 127,
  guid: "2f0a0ad9-6ac0-4c0b-9f53-7c9f2a1d5e02",
  file_system: "2f0a0ad9-6ac0-4c0b-9f53-7c9f2a1d5e03",
  hash_seed: "2f0a0ad9-6ac0-4c0b-9f53-7c9f2a1d5e04",
};
const DISK = { guid: "2f0a0ad9-6ac0-4c0b-9f53-7c9f2a1d5e00", size_mib: 641 };

/** What the file system reserves room for to grow into without moving anything: 1 TiB, in blocks of 4 KiB. */
const GROWTH_BLOCKS = 2 ** 28;

export interface DiskContent {
  /** Paths on the partition of the firmware, and the files that go there. */
  files: Record<string, string>;
  time_s: number;
}

export function writeDisk(output: string, scratch: string, { files, time_s }: DiskContent): void {
  const esp = join(scratch, "esp.img");
  const data = join(scratch, "data.img");
  writeEsp(esp, join(scratch, "esp"), files, time_s);
  writeData(data, time_s);
  rmSync(output, { force: true });
  writeFileSync(output, "");
  truncateSync(output, DISK.size_mib * MIB);
  const table = [
    ["--clear", `--disk-guid=${DISK.guid}`],
    [`--new=1:${ESP.start_mib}M:+${ESP.size_mib}M`, "--typecode=1:ef00", "--change-name=1:understudy-esp"],
    [`--partition-guid=1:${ESP.guid}`],
    [`--new=2:${DATA.start_mib}M:+${DATA.size_mib - 1}M`, "--typecode=2:8300", "--change-name=2:understudy-data"],
    [`--partition-guid=2:${DATA.guid}`],
  ];
  run(["sgdisk", ...table.flat(), output]);
  for (const [part, start_mib] of [
    [esp, ESP.start_mib],
    [data, DATA.start_mib],
  ] as const) {
    run(["dd", `if=${part}`, `of=${output}`, "bs=1M", `seek=${start_mib}`, "conv=sparse,notrunc", "status=none"]);
  }
}

function writeEsp(path: string, staging: string, files: Record<string, string>, time_s: number): void {
  rmSync(path, { force: true });
  rmSync(staging, { recursive: true, force: true });
  writeFileSync(path, "");
  truncateSync(path, ESP.size_mib * MIB);
  run(["mkfs.vfat", "-F", "32", "-n", "UNDERSTUDY", "-i", ESP.volume, "--invariant", path]);
  const tops = new Set<string>();
  for (const [target, source] of Object.entries(files)) {
    const staged = join(staging, target);
    mkdirSync(dirname(staged), { recursive: true });
    copyFileSync(source, staged);
    utimesSync(staged, time_s, time_s);
    for (let parent = dirname(staged); parent.startsWith(staging); parent = dirname(parent))
      utimesSync(parent, time_s, time_s);
    tops.add(join(staging, target.split("/")[0] ?? ""));
  }
  const env = { TZ: "UTC", SOURCE_DATE_EPOCH: String(time_s), MTOOLS_SKIP_CHECK: "1" };
  run(["mcopy", "-s", "-m", "-Q", "-i", path, ...[...tops].sort(), "::/"], { env });
}

function writeData(path: string, time_s: number): void {
  rmSync(path, { force: true });
  writeFileSync(path, "");
  truncateSync(path, (DATA.size_mib - 1) * MIB);
  const options = [
    `hash_seed=${DATA.hash_seed}`,
    `resize=${GROWTH_BLOCKS}`,
    "root_owner=0:0",
    "lazy_itable_init=1",
    "lazy_journal_init=1",
    "nodiscard",
  ];
  const env = { SOURCE_DATE_EPOCH: String(time_s), E2FSPROGS_FAKE_TIME: String(time_s) };
  const command = ["mke2fs", "-q", "-F", "-t", "ext4", "-L", "understudy-data", "-U", DATA.file_system];
  run([...command, "-b", "4096", "-J", "size=16", "-e", "remount-ro", "-E", options.join(","), path], { env });
}
