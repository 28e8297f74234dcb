/**
 * Builds everything: libpcap, the C shim, the user interface, the bundle, the executable. Run with bun; does nothing
 * where nothing changed.
 *
 *   bun build.ts                      dist/understudy for this machine's kind
 *   bun build.ts --target baseline    dist/understudy-baseline for CPUs without AVX2
 *   bun build.ts --image              dist/understudy.img, the appliance on a disk, with that one inside
 *   bun build.ts --release --license-key FILE --update-key FILE
 *                                     accepts only licenses and updates that these public keys' owners signed (Ed25519, PEM)
 */
import { createHash, createPublicKey } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";
import { privateApt } from "./images/apt.ts";
import { BuildFailure, installPrerequisites, run } from "./images/command.ts";
import { buildImage } from "./images/image.ts";

const ROOT = import.meta.dir;
const BUILD = join(ROOT, "build");
const DIST = join(ROOT, "dist");
const LIBPCAP = join(BUILD, "libpcap");
const LIBPCAP_ARCHIVE = join(LIBPCAP, "libpcap.a");
const SHIM = join(BUILD, "shim.node");
const BUNDLE = join(BUILD, "understudy.js");
const NATIVE = [...new Bun.Glob("native/*.{c,h}").scanSync({ cwd: ROOT })].sort();

const WEB_TYPES: Record<string, string> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
};

/** What the user interface is known to run on. */
const BROWSERS = ["chrome123", "edge123", "firefox120", "safari17.5"];

/** What the build needs of Debian: a command, or a file, and the package that brings it. */
const PREREQUISITES = [
  { probe: "gcc", package: "gcc" },
  { probe: "make", package: "make" },
  { probe: "flex", package: "flex" },
  { probe: "bison", package: "bison" },
  { probe: "dpkg-source", package: "dpkg-dev" },
  { probe: "xz", package: "xz-utils" },
  { probe: "/usr/include/stdio.h", package: "libc6-dev" },
  { probe: "/usr/include/linux/if_ether.h", package: "linux-libc-dev" },
];

/** Libpcap captures on Ethernet and nothing else: fewer lines of C in a privileged process. */
const LIBPCAP_OPTIONS = [
  "--disable-shared",
  "--disable-usb",
  "--disable-netmap",
  "--disable-bluetooth",
  "--disable-dbus",
  "--disable-rdma",
  "--disable-remote",
  "--without-dpdk",
  "--without-snf",
  "--without-turbocap",
  "--without-dag",
  "--without-libnl",
];

interface Release {
  release: boolean;
  license_key: string | null;
  update_key: string | null;
}

async function step(name: string, work: () => Promise<void> | void): Promise<void> {
  const started_ms = performance.now();
  await work();
  console.error(`  ${name.padEnd(28)} ${((performance.now() - started_ms) / 1000).toFixed(1)} s`);
}

/** Digest of files and words: a step is done again when its digest differs from the one it left. */
function digest(files: string[], ...words: string[]): string {
  const hash = createHash("sha256");
  for (const part of [...files.map((file) => readFileSync(file)), ...words]) hash.update(part).update("\0");
  return hash.digest("hex");
}

function isFresh(output: string, stamp: string): boolean {
  return existsSync(output) && existsSync(`${output}.stamp`) && readFileSync(`${output}.stamp`, "utf8") === stamp;
}

function leaveStamp(output: string, stamp: string): void {
  writeFileSync(`${output}.stamp`, stamp);
}

function buildLibpcap(): void {
  rmSync(LIBPCAP, { recursive: true, force: true });
  const apt = privateApt(join(LIBPCAP, "apt"), "deb-src");
  const refusal =
    "Debian's source package of libpcap cannot be fetched; check the network, and that /etc/apt names a Debian archive that has sources";
  run(["apt-get", "-q", ...apt, "update"], { refusal });
  run(["apt-get", "-q", ...apt, "source", "libpcap"], { cwd: LIBPCAP, refusal });
  const name = readdirSync(LIBPCAP).find((entry) => /^libpcap-[\d.]+$/.test(entry));
  if (name === undefined) throw new BuildFailure("apt-get source libpcap brought no source directory.");
  const source = join(LIBPCAP, name);
  run(["./configure", ...LIBPCAP_OPTIONS], { cwd: source, env: { CFLAGS: "-O2 -fPIC -fvisibility=hidden" } });
  run(["make", "-j2", "libpcap.a"], { cwd: source });
  run(["cp", join(source, "libpcap.a"), LIBPCAP_ARCHIVE]);
  run(["cp", "-r", join(source, "pcap"), join(LIBPCAP, "include-pcap")]);
  mkdirSync(join(LIBPCAP, "include"), { recursive: true });
  run(["mv", join(LIBPCAP, "include-pcap"), join(LIBPCAP, "include/pcap")]);
}

function buildShim(): void {
  run([
    "gcc",
    "-std=gnu17",
    "-O2",
    "-fPIC",
    "-shared",
    "-fvisibility=hidden",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-D_GNU_SOURCE",
    "-DNAPI_VERSION=8",
    "-isystem",
    "node_modules/node-api-headers/include",
    "-isystem",
    "build/libpcap/include",
    "-Wl,-z,relro,-z,now",
    "-Wl,--exclude-libs,ALL",
    "-o",
    SHIM,
    ...NATIVE.filter((file) => file.endsWith(".c")),
    LIBPCAP_ARCHIVE,
  ]);
  run(["strip", "--strip-unneeded", SHIM]);
}

/**
 * The commit says it all: the build number is its place in the history; a plus behind the commit means that
 * the sources are not quite those. 0 and "unknown" where there is no history, or not the whole of it.
 */
function sourceVersion(): { version: string; build: number; commit: string } {
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
  const git = (...words: string[]): string | null => {
    if (Bun.which("git") === null) return null;
    const { exitCode, stdout } = Bun.spawnSync(["git", "-C", ROOT, ...words], { stderr: "ignore" });
    return exitCode === 0 ? stdout.toString().trim() : null;
  };
  const commit = git("rev-parse", "--short=12", "HEAD");
  if (commit === null) return { version, build: 0, commit: "unknown" };
  const whole = git("rev-parse", "--is-shallow-repository") === "false";
  if (!whole) console.error("  The build number is 0: this clone has not the whole history (git fetch --unshallow).");
  const changed = git("status", "--porcelain", "--untracked-files=no") !== "";
  const build = whole ? Number(git("rev-list", "--count", "HEAD")) : 0;
  return { version, build, commit: changed ? `${commit}+` : commit };
}

/** The public key in a PEM file, as the program keeps it. */
function publicKey(path: string): string {
  try {
    const key = createPublicKey(readFileSync(path));
    if (key.asymmetricKeyType === "ed25519") return key.export({ type: "spki", format: "der" }).toString("base64");
  } catch {
    // Said below, as for a key of another kind.
  }
  throw new BuildFailure(`${path} is no public key (Ed25519, PEM).`);
}

/**
 * The user interface of the web server: one script, one style sheet, a page and an icon, each compressed as well.
 * `src/web/assets.ts` takes them from assets.json into the executable.
 */
async function buildWeb(): Promise<void> {
  const source = join(ROOT, "src/web/ui");
  const output = join(BUILD, "web");
  mkdirSync(output, { recursive: true });
  await esbuild.build({
    absWorkingDir: ROOT,
    entryPoints: [
      { in: join(source, "main.tsx"), out: "app" },
      { in: join(source, "styles/app.css"), out: "app" },
    ],
    outdir: output,
    bundle: true,
    format: "esm",
    platform: "browser",
    target: BROWSERS,
    // All of it is said here: what an editor's configuration says besides must not change a byte.
    tsconfigRaw: {},
    jsx: "automatic",
    jsxImportSource: "preact",
    minify: true,
    legalComments: "none",
    logLevel: "warning",
  });
  for (const name of ["index.html", "icon.svg"]) writeFileSync(join(output, name), readFileSync(join(source, name)));
  const files = Object.fromEntries(
    ["app.css", "app.js", "icon.svg", "index.html"].map((name) => {
      const type = WEB_TYPES[name.split(".").at(-1) ?? ""] ?? "application/octet-stream";
      return [`/${name}`, { type, gzip: gzipSync(readFileSync(join(output, name)), { level: 9 }).toString("base64") }];
    }),
  );
  writeFileSync(join(output, "assets.json"), `${JSON.stringify(files, null, 1)}\n`);
}

async function buildBundle(source: ReturnType<typeof sourceVersion>, release: Release): Promise<void> {
  await esbuild.build({
    absWorkingDir: ROOT,
    entryPoints: ["src/main.ts"],
    outfile: BUNDLE,
    bundle: true,
    // CommonJS keeps `require("./shim.node")` as it is, which is how Bun finds the addon to embed.
    format: "cjs",
    platform: "node",
    target: "esnext",
    external: ["bun", "bun:*", "*.node"],
    loader: { ".lua": "text" },
    minifySyntax: true,
    legalComments: "none",
    logLevel: "warning",
    define: {
      UNDERSTUDY_VERSION: JSON.stringify(source.version),
      UNDERSTUDY_BUILD: String(source.build),
      UNDERSTUDY_COMMIT: JSON.stringify(source.commit),
      UNDERSTUDY_COMPILED: "true",
      UNDERSTUDY_RELEASE: String(release.release),
      UNDERSTUDY_LICENSE_KEY: JSON.stringify(release.license_key),
      UNDERSTUDY_UPDATE_KEY: JSON.stringify(release.update_key),
    },
  });
}

function compile(output: string, runtime: string | null): void {
  mkdirSync(dirname(output), { recursive: true });
  const arguments_ = [
    process.execPath,
    "build",
    BUNDLE,
    "--compile",
    "--outfile",
    output,
    "--no-compile-autoload-dotenv",
    "--no-compile-autoload-bunfig",
  ];
  if (runtime !== null) arguments_.push("--compile-executable-path", runtime);
  // The working directory is the bundle's, so that no path of this machine ends up inside.
  run(arguments_, { cwd: BUILD });
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      target: { type: "string", default: "native" },
      image: { type: "boolean", default: false },
      release: { type: "boolean", default: false },
      "license-key": { type: "string" },
      "update-key": { type: "string" },
    },
  });
  if (values.target !== "native" && values.target !== "baseline") {
    throw new BuildFailure(`Unknown target ${values.target}; use native or baseline.`);
  }
  const keyOf = (option: "license-key" | "update-key", what: string): string | null => {
    const file = values[option];
    if (values.release && file === undefined)
      throw new BuildFailure(`A release needs the public key that its ${what} are signed with: --${option} FILE.`);
    return file === undefined ? null : publicKey(file);
  };
  const release = {
    release: values.release,
    license_key: keyOf("license-key", "licenses"),
    update_key: keyOf("update-key", "updates"),
  };
  const baseline = values.target === "baseline" || values.image;
  const runtime = baseline ? join(ROOT, "node_modules/@oven/bun-linux-x64-baseline/bin/bun") : null;
  if (runtime !== null && !existsSync(runtime))
    throw new BuildFailure("The baseline runtime is missing; run: npm install --no-save");
  const output = join(DIST, baseline ? "understudy-baseline" : "understudy");
  mkdirSync(BUILD, { recursive: true });

  const libpcap_stamp = digest([], LIBPCAP_OPTIONS.join(" "));
  const shim_stamp = digest([...NATIVE.map((file) => join(ROOT, file)), join(ROOT, "build.ts")], libpcap_stamp);
  if (!isFresh(LIBPCAP_ARCHIVE, libpcap_stamp) || !isFresh(SHIM, shim_stamp)) {
    await step("Debian packages", () => installPrerequisites(PREREQUISITES));
  }
  if (!isFresh(LIBPCAP_ARCHIVE, libpcap_stamp)) {
    await step("libpcap from Debian's source", buildLibpcap);
    leaveStamp(LIBPCAP_ARCHIVE, libpcap_stamp);
  }
  if (!isFresh(SHIM, shim_stamp)) {
    await step("C shim", buildShim);
    leaveStamp(SHIM, shim_stamp);
  }
  await buildWeb();
  const source = sourceVersion();
  await buildBundle(source, release);
  const executable_stamp = digest([BUNDLE, SHIM], Bun.version, values.target);
  if (!isFresh(output, executable_stamp)) {
    await step(`dist/${baseline ? "understudy-baseline" : "understudy"}`, () => compile(output, runtime));
    leaveStamp(output, executable_stamp);
  }
  if (values.image) await buildImage({ root: ROOT, executable: output, version: source, step });
}

try {
  await main();
} catch (error) {
  if (!(error instanceof BuildFailure)) throw error;
  console.error(error.message);
  process.exit(1);
}
