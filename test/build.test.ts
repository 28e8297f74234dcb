/** The build: the same commit gives the same bytes wherever it is built, and each target has its own runtime. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { developmentKey, signLicense } from "./license/sign.ts";

const ROOT = join(import.meta.dir, "..");
/** Below build/, where links to node_modules cost nothing and the commit is found as for the first build. */
const ELSEWHERE = join(ROOT, "build/elsewhere/with a longer name");
const BASELINE_RUNTIME = "node_modules/@oven/bun-linux-x64-baseline/bin/bun";

function run(command: string[], cwd = ROOT) {
  const { exitCode, stdout, stderr } = Bun.spawnSync(command, { cwd, stdin: "ignore" });
  return { status: exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}

const build = (cwd: string, ...words: string[]) => run([process.execPath, "build.ts", ...words], cwd);
const sha256 = (path: string): string => new Bun.CryptoHasher("sha256").update(readFileSync(path)).digest("hex");

beforeAll(() => {
  rmSync(ELSEWHERE, { recursive: true, force: true });
  mkdirSync(join(ELSEWHERE, "build"), { recursive: true });
});
afterAll(() => rmSync(join(ROOT, "build/elsewhere"), { recursive: true, force: true }));

test("two builds of one commit in two places are the same, byte for byte", () => {
  for (const name of ["build.ts", "package.json", "images", "src", "native"]) run(["cp", "-r", name, ELSEWHERE]);
  run(["cp", "-al", "node_modules", ELSEWHERE]);
  // Built once, as it takes longest.
  run(["cp", "-al", "build/libpcap", join(ELSEWHERE, "build")]);
  expect(build(ELSEWHERE)).toMatchObject({ status: 0 });
  for (const output of ["build/shim.node", "build/understudy.js", "dist/understudy"]) {
    expect({ output, sha256: sha256(join(ELSEWHERE, output)) }).toEqual({ output, sha256: sha256(join(ROOT, output)) });
  }
});

test("no path of this machine is inside", () => {
  for (const output of ["build/shim.node", "build/understudy.js"]) {
    expect({ output, found: readFileSync(join(ROOT, output)).includes(ROOT) }).toEqual({ output, found: false });
  }
});

test("the build number is the place of the commit in the history", () => {
  const said = JSON.parse(run(["dist/understudy", "--version", "--json"]).stdout) as { build: number; commit: string };
  const { status, stdout } = run(["git", "rev-list", "--count", "HEAD"]);
  const whole = status === 0 && run(["git", "rev-parse", "--is-shallow-repository"]).stdout.trim() === "false";
  expect(said.build).toBe(whole ? Number(stdout) : 0);
  expect(said.commit).toMatch(/^([0-9a-f]{12}\+?|unknown)$/);
});

test("the target baseline has the runtime for CPUs without AVX2 inside, and runs", () => {
  expect(build(ROOT, "--target", "baseline")).toMatchObject({ status: 0 });
  expect(run(["dist/understudy-baseline", "--version"]).stdout).toBe(run(["dist/understudy", "--version"]).stdout);
  expect(code("dist/understudy-baseline").equals(code(BASELINE_RUNTIME))).toBe(true);
});

test("a release accepts what its own key signed, and not what everybody can sign", () => {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const key = join(ELSEWHERE, "release-key.pem");
  writeFileSync(key, publicKey.export({ type: "spki", format: "pem" }));
  const payload = { product: "understudy", holder: "Lab", serial: "1", issued: "2020-01-01", nodes: 2 };
  const licenses = { own: signLicense(payload, privateKey), development: signLicense(payload, developmentKey()) };
  for (const [name, text] of Object.entries(licenses)) writeFileSync(join(ELSEWHERE, name), text);
  const check = (directory: string) =>
    Object.keys(licenses).map((name) => {
      const { status, stdout } = run(
        ["dist/understudy", "license", "check", join(ELSEWHERE, name), "--json"],
        directory,
      );
      return [status, (JSON.parse(stdout) as { state: string }).state];
    });
  expect(build(ELSEWHERE, "--release", "--license-key", key, "--update-key", key)).toMatchObject({ status: 0 });
  expect(check(ELSEWHERE)).toEqual([
    [0, "valid"],
    [1, "development"],
  ]);
  expect(check(ROOT)).toEqual([
    [1, "forged"],
    [0, "valid"],
  ]);
});

test("a release without a key, or with a file that is none, is refused in one sentence", () => {
  expect(build(ROOT, "--release")).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^A release needs .*\n$/),
  });
  const wrong = build(ROOT, "--release", "--license-key", "package.json", "--update-key", "package.json");
  expect(wrong).toEqual({ status: 1, stdout: "", stderr: "package.json is no public key (Ed25519, PEM).\n" });
});

test("an unknown target is refused in one sentence", () => {
  const said = { status: 1, stdout: "", stderr: "Unknown target vax; use native or baseline.\n" };
  expect(build(ROOT, "--target", "vax")).toEqual(said);
});

/** The machine code of an executable. */
function code(path: string): Buffer {
  const section = /\.text\s+PROGBITS\s+\w+\s+(\w+)\s+(\w+)/.exec(run(["readelf", "-SW", path]).stdout);
  const [start, length] = [section?.[1], section?.[2]].map((hex) => Number.parseInt(hex ?? "", 16));
  if (!start || !length) throw new Error(`${path} has no machine code`);
  return readFileSync(join(ROOT, path)).subarray(start, start + length);
}
