/** The compiled executable, as it is shipped: needs glibc and a kernel, and listens to no file it finds. */
import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const EXECUTABLE = join(import.meta.dir, "../dist/understudy");
const ADDON = join(import.meta.dir, "../build/shim.node");
/** A heart whose standard input has ended unpacks and loads the addon, and stops. In a world of its own. */
const HEART = ["unshare", "-mn", "sh", "-c", 'eval "$1" exec \'"$0"\' heart', EXECUTABLE];

function run(words: string[], cwd: string, env: Record<string, string> = {}) {
  return runCommand([EXECUTABLE, ...words], cwd, env);
}

function runCommand(command: string[], cwd: string, env: Record<string, string>) {
  const result = Bun.spawnSync(command, { cwd, env, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  return { status: result.exitCode, stdout: result.stdout.toString(), stderr: result.stderr.toString() };
}

function inDirectory(work: (directory: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), "understudy-smoke-"));
  try {
    work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

test("prints its version from an empty directory with an empty environment", () => {
  inDirectory((directory) => {
    const { status, stdout } = run(["--version"], directory);
    expect(stdout).toMatch(/^understudy \d+\.\d+\.\d+ build \d+ \(/);
    expect(status).toBe(0);
  });
});

test("brings the dissector for its frames along", () => {
  inDirectory((directory) => {
    const { status, stdout } = run(["capture", "--dissector"], directory);
    expect(stdout).toBe(readFileSync(join(import.meta.dir, "../src/wire/understudy.lua"), "utf8"));
    expect(status).toBe(0);
  });
});

/** Whatever the current directory holds: told apart from the version by exit status and output. */
const HOSTILE_FILES = {
  ".env": "NODE_OPTIONS=--nonsense\nBUN_BE_BUN=1\nBUN_OPTIONS=--preload ./evil.ts\nBUN_TMPDIR=/nowhere\n",
  "evil.ts": 'console.log("evil"); process.exit(7);',
  "bunfig.toml": 'preload = ["./evil.ts"]\n',
  "package.json": '{ "name": "evil", "imports": { "#x": "./evil.ts" } }',
  "tsconfig.json": '{ "compilerOptions": { "paths": { "*": ["./evil.ts"] } } }',
};

test("hostile files beside it change nothing", () => {
  inDirectory((directory) => {
    for (const name of ["", ".local", ".production"])
      writeFileSync(join(directory, `.env${name}`), HOSTILE_FILES[".env"]);
    for (const [name, text] of Object.entries(HOSTILE_FILES)) writeFileSync(join(directory, name), text);
    const { status, stdout } = run(["--version", "--json"], directory);
    expect(JSON.parse(stdout)).toHaveProperty("build");
    expect(status).toBe(0);
    expect(runCommand([...HEART, ""], directory, { PATH: process.env["PATH"] ?? "" })).toMatchObject({ status: 0 });
  });
});

test("the options of Node and of the loader's search in its environment change nothing", () => {
  inDirectory((directory) => {
    writeFileSync(join(directory, "evil.ts"), HOSTILE_FILES["evil.ts"]);
    const env = { NODE_OPTIONS: "--require ./evil.ts", NODE_PATH: directory, BUN_CONFIG_PRELOAD: "./evil.ts" };
    expect(run(["--version"], directory, env)).toEqual(run(["--version"], directory));
  });
});

test("needs nothing but glibc, and its addon as little", () => {
  const glibc = /^\[(libc|libm|libpthread|libdl|librt|ld-linux-x86-64)\.so/;
  for (const path of [EXECUTABLE, ADDON]) {
    const needed =
      Bun.spawnSync(["readelf", "-d", path])
        .stdout.toString()
        .match(/NEEDED.*\[(.*)\]/g) ?? [];
    const names = needed.map((line) => line.replace(/^[^[]*/, ""));
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => !glibc.test(name))).toEqual([]);
  }
  // The addon that was looked at is the one inside.
  expect(readFileSync(EXECUTABLE).includes(readFileSync(ADDON))).toBe(true);
});

test("the addon is unpacked once, however often it starts", () => {
  inDirectory((directory) => {
    const temporary = join(directory, "tmp");
    mkdirSync(temporary);
    const env = { PATH: process.env["PATH"] ?? "", BUN_TMPDIR: temporary };
    for (let start = 0; start < 5; start += 1) {
      expect(runCommand([...HEART, ""], directory, env)).toMatchObject({ status: 0, stderr: "" });
    }
    expect(readdirSync(temporary).length).toBe(1);
  });
});

test("a temporary directory that does not allow execution, or is not there, is told in one sentence", () => {
  inDirectory((directory) => {
    const env = { PATH: process.env["PATH"] ?? "", BUN_TMPDIR: directory };
    const noexec = runCommand([...HEART, `mount -t tmpfs -o noexec tmpfs '${directory}' &&`], "/", env);
    const missing = runCommand([...HEART, ""], "/", { ...env, BUN_TMPDIR: join(directory, "nowhere") });
    for (const { status, stdout, stderr } of [noexec, missing]) {
      expect({ status, stdout, lines: stderr.split("\n").length }).toEqual({ status: 1, stdout: "", lines: 2 });
      expect(stderr).toContain("BUN_TMPDIR");
    }
  });
});

test("usage errors exit with 2 and one sentence", () => {
  inDirectory((directory) => {
    for (const words of [
      ["frobnicate"],
      [],
      ["cluster", "destroy"],
      ["--nonsense"],
      ["cluster", "join"],
      ["backup", "x"],
      ["license"],
      ["password", "x"],
      ["status", "x"],
      ["node", "x"],
    ]) {
      const { status, stderr, stdout } = run(words, directory);
      expect({ words, status, stdout, lines: stderr.trim().split("\n").length }).toEqual({
        words,
        status: 2,
        stdout: "",
        lines: 1,
      });
    }
  });
});

test("without a node, a command says so and exits with 1", () => {
  inDirectory((directory) => {
    const { status, stderr } = run(["--run", directory, "status"], directory);
    expect(stderr).toContain("No node is running");
    expect(status).toBe(1);
  });
});
