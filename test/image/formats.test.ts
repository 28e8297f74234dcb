/** What the image is made of, format by format: archives of the kernel, kernel modules, programs and what they link to. */
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { characterDevice, directory, file, link, readArchive, writeArchive } from "../../images/cpio.ts";
import { isElf, moduleInfo, needed } from "../../images/elf.ts";
import { ModuleTree, moduleIndexes } from "../../images/modules.ts";

const scratch = mkdtempSync(join(tmpdir(), "understudy-image-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

test("an archive holds what was put in, sorted, with every parent once", () => {
  const entries = [
    link("bin", "usr/bin"),
    file("usr/bin/b", Buffer.from("bb"), 0o755),
    characterDevice("dev/console", [5, 1], 0o600),
    file("usr/bin/a", Buffer.from("aaaaa")),
    directory("tmp", 0o1777),
  ];
  const archive = writeArchive(entries, 1_000_000_000);
  const found = readArchive(archive);
  expect(found.map(({ path }) => path)).toEqual([
    "bin",
    "dev",
    "dev/console",
    "tmp",
    "usr",
    "usr/bin",
    "usr/bin/a",
    "usr/bin/b",
  ]);
  for (const entry of entries) expect(found).toContainEqual(entry);
  expect(archive.length % 4).toBe(0);
  expect(writeArchive([...entries].reverse(), 1_000_000_000).equals(archive)).toBe(true);
});

test("the last of two entries with one path counts", () => {
  const archive = writeArchive([file("a", Buffer.from("old")), file("a", Buffer.from("new"))], 0);
  expect(readArchive(archive).map(({ data }) => data.toString())).toEqual(["new"]);
});

test("an archive is one that cpio(1) would read: the literal header of one file", () => {
  const archive = writeArchive([file("ab", Buffer.from("hello"), 0o644)], 0x12345678);
  expect(archive.toString("latin1", 0, 110)).toBe(
    "070701" +
      "00000001" +
      "000081A4" +
      "00000000" +
      "00000000" +
      "00000001" +
      "12345678" +
      "00000005" +
      "00000000".repeat(4) +
      "00000003" +
      "00000000",
  );
  expect(archive.toString("latin1", 110, 124)).toBe("ab\0\0\0\0hello\0\0\0".slice(0, 14));
});

for (const [what, archive] of [
  ["no header", Buffer.alloc(200, "x")],
  ["no end", writeArchive([file("a", Buffer.from("b"))], 0).subarray(0, 120)],
] as const)
  test(`refused: an archive with ${what}`, () => {
    expect(() => readArchive(archive)).toThrow();
  });

/** An ELF file with one section beside the table of names, as little as the reader needs. */
function moduleFile(info: string): Buffer {
  const names = Buffer.from("\0.shstrtab\0.modinfo\0");
  const text = Buffer.from(info);
  const table = 64 + names.length + text.length;
  const out = Buffer.alloc(table + 3 * 64);
  out.writeUInt32LE(0x464c457f, 0);
  out[4] = 2;
  out[5] = 1;
  out.writeBigUInt64LE(BigInt(table), 40);
  out.writeUInt16LE(3, 60);
  out.writeUInt16LE(1, 62);
  names.copy(out, 64);
  text.copy(out, 64 + names.length);
  const section = (index: number, name: number, at: number, bytes: number): void => {
    out.writeUInt32LE(name, table + index * 64);
    out.writeBigUInt64LE(BigInt(at), table + index * 64 + 24);
    out.writeBigUInt64LE(BigInt(bytes), table + index * 64 + 32);
  };
  section(1, 1, 64, names.length);
  section(2, 11, 64 + names.length, text.length);
  return out;
}

function tree(modules: Record<string, string>, builtin: string[] = []): ModuleTree {
  const root = mkdtempSync(join(scratch, "tree-"));
  for (const [path, info] of Object.entries(modules)) {
    mkdirSync(join(root, "kernel", path, ".."), { recursive: true });
    writeFileSync(join(root, "kernel", path), moduleFile(info));
  }
  writeFileSync(join(root, "modules.builtin"), `${builtin.map((name) => `kernel/${name}.ko`).join("\n")}\n`);
  return new ModuleTree(root);
}

const KERNEL = {
  "drivers/net/card.ko": "alias=pci:v00008086d*\0depends=mdio-bus,phy\0license=GPL\0",
  "drivers/net/phy.ko": "depends=mdio-bus,built_in\0",
  "drivers/net/mdio-bus.ko": "depends=\0",
  "drivers/net/stray.ko": "depends=gone\0",
  "fs/files.ko": "softdep=pre: sum post: unknown\0alias=fs-files\0",
  "crypto/sum_generic.ko": "alias=sum\0alias=crypto-sum\0depends=\0",
  "arch/x86/crypto/sum-fast.ko": "alias=crypto-sum\0depends=\0",
};

test("a module comes with everything it depends on, and nothing else", () => {
  const chosen = tree(KERNEL, ["built_in"]).select(["card"]);
  expect(chosen.map(({ name }) => name)).toEqual(["card", "mdio_bus", "phy"]);
  const { "modules.dep": dep, "modules.alias": alias } = moduleIndexes(chosen);
  expect(dep?.split("\n")).toEqual([
    // The last one is loaded first.
    "kernel/drivers/net/card.ko: kernel/drivers/net/phy.ko kernel/drivers/net/mdio-bus.ko",
    "kernel/drivers/net/mdio-bus.ko:",
    "kernel/drivers/net/phy.ko: kernel/drivers/net/mdio-bus.ko",
    "",
  ]);
  expect(alias).toBe("alias pci:v00008086d* card\n");
});

test("a checksum that a module asks for by its algorithm comes with every implementation of it", () => {
  expect(
    tree(KERNEL)
      .select(["files"])
      .map(({ name }) => name),
  ).toEqual(["sum_fast", "sum_generic", "files"]);
});

test("built in is as good as a module", () => {
  expect(tree(KERNEL, ["built_in"]).select(["built-in"])).toEqual([]);
});

test("refused by name: a module, or one that it needs, that the kernel does not have", () => {
  expect(() => tree(KERNEL).select(["nonsense"])).toThrow(
    "The kernel has no module nonsense, which the list of drivers names; correct images/drivers.ts.",
  );
  expect(() => tree(KERNEL).select(["stray"])).toThrow("The kernel has no module gone, which stray names");
});

test("a program's libraries and loader are found, as ldd finds them", () => {
  const shell = readFileSync("/bin/sh");
  expect(isElf(shell)).toBe(true);
  expect(needed(shell)).toEqual(["ld-linux-x86-64.so.2", "libc.so.6"]);
  expect(isElf(Buffer.from("#!/bin/sh\n"))).toBe(false);
  expect(moduleInfo(moduleFile("a=b=c\0d=\0"))).toEqual([
    ["a", "b=c"],
    ["d", ""],
  ]);
});
