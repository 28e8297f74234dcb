/** The compiled executable, as it is shipped: needs glibc and a kernel, and listens to no file it finds. */
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const EXECUTABLE = join(import.meta.dir, "../dist/understudy");

function run(words: string[], cwd: string) {
  const result = Bun.spawnSync([EXECUTABLE, ...words], { cwd, env: {}, stdout: "pipe", stderr: "pipe" });
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

test("a hostile .env and bunfig.toml beside it change nothing", () => {
  inDirectory((directory) => {
    writeFileSync(join(directory, ".env"), "NODE_OPTIONS=--nonsense\nBUN_BE_BUN=1\n");
    writeFileSync(join(directory, "evil.ts"), 'console.log("evil"); process.exit(7);');
    writeFileSync(join(directory, "bunfig.toml"), 'preload = ["./evil.ts"]\n');
    const { status, stdout } = run(["--version", "--json"], directory);
    expect(JSON.parse(stdout)).toHaveProperty("build");
    expect(status).toBe(0);
  });
});

test("needs nothing but glibc", () => {
  const needed =
    Bun.spawnSync(["readelf", "-d", EXECUTABLE])
      .stdout.toString()
      .match(/\[(.*)\]/g) ?? [];
  const glibc = /^\[(libc|libm|libpthread|libdl|librt|ld-linux-x86-64)\.so/;
  expect(needed.filter((name) => !glibc.test(name))).toEqual([]);
});

test("usage errors exit with 2 and one sentence", () => {
  inDirectory((directory) => {
    for (const words of [["frobnicate"], [], ["cluster", "destroy"], ["--nonsense"], ["cluster", "join"]]) {
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
