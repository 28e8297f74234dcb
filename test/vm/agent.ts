/**
 * A variant of the image for tests alone: the same, and a shell on the second serial line. The product has no way in
 * like that, so what a test does to the inside of a machine (a panic, a stopped process, a full disk) it does by way of
 * an archive that is added to the initial RAM disk here, and nowhere else.
 */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { file, writeArchive } from "../../images/cpio.ts";
import { writeUnifiedImage } from "../../images/uki.ts";
import { sh } from "../lab/shell.ts";
import { copyImage, partition } from "./disk.ts";
import { ANSWER_MS_MAX } from "./node.ts";
import type { Vm } from "./vm.ts";

const ESP = "understudy-esp";
const FIRST_PROGRAM = "test-agent";
const SECTIONS = [".osrel", ".cmdline", ".uname", ".linux", ".initrd"] as const;
/** Waits for the second serial line, has a shell there, and becomes the real init meanwhile. */
const SCRIPT = `#!/bin/sh
(
  until [ -c /dev/ttyS1 ]; do sleep 1; done
  exec setsid sh -c 'stty raw -echo; while :; do sh; done' </dev/ttyS1 >/dev/ttyS1 2>&1
) &
exec /init "$@"
`;

/** Makes the variant of `image` at `path`. */
export function addAgent(image: string, path: string, scratch: string): void {
  copyImage(image, path);
  const drive = `${path}@@${partition(path, ESP).from_byte}`;
  const listed = sh(["mdir", "-b", "-i", drive, "::/EFI/Linux"]).trim().split("\n");
  for (const name of listed) {
    const kernel = join(scratch, "kernel.efi");
    rmSync(kernel, { force: true });
    sh(["mcopy", "-i", drive, name, kernel]);
    rebuild(kernel, scratch);
    sh(["mcopy", "-o", "-i", drive, kernel, name]);
  }
}

/** The same unified kernel image with one more archive, and with the agent as the first program. */
function rebuild(kernel: string, scratch: string): void {
  const place = (section: string): string => join(scratch, `was${section}`);
  const stub = join(scratch, "stub.efi");
  sh(["objcopy", ...SECTIONS.flatMap((name) => ["--dump-section", `${name}=${place(name)}`]), kernel, "/dev/null"]);
  sh(["objcopy", ...SECTIONS.flatMap((name) => ["--remove-section", name]), kernel, stub]);
  const text = (section: string) => readFileSync(place(section), "utf8").replace(/\0+$/, "");
  const archive = writeArchive([file(FIRST_PROGRAM, Buffer.from(SCRIPT), 0o755)], 0);
  writeUnifiedImage(kernel, scratch, {
    stub,
    kernel: place(".linux"),
    release: text(".uname"),
    command_line: `${text(".cmdline")} rdinit=/${FIRST_PROGRAM}`,
    os_release: text(".osrel"),
    initramfs: Buffer.concat([readFileSync(place(".initrd")), archive]),
  });
}

/** Runs a line of shell inside the machine; what it printed. Throws where it failed. */
export async function inside({ agent }: Vm, line: string, limit_ms = ANSWER_MS_MAX): Promise<string> {
  agent.forget();
  agent.type(`( ${line} ) 2>&1; echo "ended:$?:"\n`);
  const [whole, said = "", status] = await agent.expect(/([\s\S]*)ended:(\d+):/, limit_ms);
  if (status !== "0") throw new Error(`In the machine, ${line}: ${whole}`);
  return said.replace(/^[#\s]+/, "").trim();
}

/** The same for what does not come back. */
export function insideForGood({ agent }: Vm, line: string): void {
  agent.type(`${line}\n`);
}
