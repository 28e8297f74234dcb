/**
 * The C shim in the real runtime with real JavaScript values, under gcc's AddressSanitizer and UBSan, in a network
 * namespace of its own. The runtime's buffers come from its own allocator, so a read past the end of one of those is not
 * seen here, nor is a leak: native.ts has targets for that.
 */
import { expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "../..");
const OUTPUT = join(ROOT, "build/sanitized");
const SHIM = join(OUTPUT, "shim.node");
const CALLS = process.env["FUZZ_SHIM_CALLS"] ?? "3000";

function run(command: string[], env: Record<string, string> = {}): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(command, { cwd: ROOT, env: { ...process.env, ...env } });
  if (exitCode !== 0)
    throw new Error(`${command.join(" ")} ended with ${exitCode}:\n${stderr.toString().slice(0, 4000)}`);
  return stdout.toString();
}

test("fuzz: shim", () => {
  mkdirSync(OUTPUT, { recursive: true });
  const include = ["node_modules/node-api-headers/include", "build/libpcap/include"].flatMap((path) => [
    "-isystem",
    path,
  ]);
  const sanitize = [
    "-g",
    "-O1",
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
    "-fno-omit-frame-pointer",
  ];
  const source = [...new Bun.Glob("native/*.c").scanSync({ cwd: ROOT }), "build/libpcap/libpcap.a"];
  run([
    ..."gcc -std=gnu17 -shared -fPIC -D_GNU_SOURCE -DNAPI_VERSION=8".split(" "),
    ...sanitize,
    ...include,
    "-o",
    SHIM,
    ...source,
  ]);
  const asan = run(["gcc", "-print-file-name=libasan.so"]).trim();
  const cables = "ip link add v0 type veth peer name v1 && ip link set v0 up && ip link set v1 up";
  const drive = `${cables} && LD_PRELOAD="$0" exec "$@"`;
  const words = [process.execPath, "test/fuzz/shim-drive.ts", SHIM, "1", CALLS];
  const said = run(["unshare", "-n", "sh", "-c", drive, asan, ...words], { ASAN_OPTIONS: "detect_leaks=0" });
  expect(said).toBe(`${CALLS} calls\n`);
}, 590_000);
