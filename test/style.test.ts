/** The house rules that a machine can check. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "..");
const files = [...new Bun.Glob("{src,test,native}/**/*.{ts,tsx,c,h}").scanSync(ROOT)];
const sources = files.filter((file) => file.startsWith("src/") && !file.endsWith(".test.ts"));
const text = (file: string) => readFileSync(join(ROOT, file), "utf8");
const imports = (file: string) =>
  [...text(file).matchAll(/(?:from|import\(|require\()\s*"([^"]+)"/g)].map((match) => match[1] ?? "");

/** Who may import what, and why. A folder's own files are always allowed. */
const RULES: { folder: string; except?: string; allowed: RegExp; because: string }[] = [
  { folder: "src/wire/", allowed: /^\.\/|^\.\.\/errors\.ts$/, because: "formats are bytes and values, and do no I/O" },
  {
    folder: "src/core/",
    allowed: /^\.\/|^(\.\.\/){1,2}(wire\/|errors\.ts$|heart\/messages\.ts$)/,
    because: "one seed must replay everything: no I/O, no clock, no randomness",
  },
  {
    folder: "src/kernel/",
    allowed: /^\.\/|^\.\.\/(wire\/|errors\.ts$|shim\.ts$)|^node:fs$/,
    because: "it knows the kernel, not the cluster",
  },
  {
    folder: "src/replication/",
    allowed: /^\.\/|^\.\.\/(settings\/|errors\.ts$|heart\/messages\.ts$|update\/plan\.ts$)|^node:(tls|crypto)$|^zod$/,
    because: "it decides about revisions and carries messages; the clock, the database and the card are brought to it",
  },
  {
    folder: "src/heart/",
    allowed: /^\.\/|^\.\.\/(wire|core|kernel)\/|^\.\.\/(errors|shim|version)\.ts$|^node:crypto$/,
    because: "nothing slow shares a thread with heartbeats: no disk, no HTTP",
  },
  {
    folder: "src/menu/",
    allowed: /^\.\/|^\.\.\/(errors\.ts|cli\/client\.ts)$|^node:net$/,
    because: "it sees the node as every other client does, over the control socket",
  },
  {
    folder: "src/settings/",
    allowed:
      /^\.\/|^\.\.\/(wire\/|(core\/tuning|errors|sealed|trouble|heart\/messages)\.ts$)|^zod$|^bun:sqlite$|^node:(crypto|fs|net|path)$/,
    because: "it checks and keeps settings, and knows neither the kernel nor the node's processes",
  },
  {
    folder: "src/update/",
    allowed: /^\.\/|^\.\.\/((errors|sealed|trouble|version)\.ts$)|^zod$|^node:(crypto|fs|fs\/promises|path)$/,
    because: "it knows bundles, slots and plans; the node, the peer and the clock are brought to it",
  },
  {
    folder: "src/services/",
    allowed:
      /^\.\/|^\.\.\/((environment|errors|heart\/messages|kernel\/(gate-rules|sysctl)|settings\/schema|control\/program)\.ts$)|^node:(fs|os|path)$/,
    because: "it knows its processes; the node's role, settings and peer are brought to it",
  },
  {
    folder: "src/web/",
    except: "src/web/ui/",
    allowed:
      /^\.\/|^\.\.\/(headers|errors|shim|version)\.ts$|^\.\.\/\.\.\/build\/web\/assets\.json$|^zod$|^node:(crypto|zlib)$/,
    because: "what faces the network has one way to the node, and no way to the disk",
  },
];

for (const { folder, except, allowed, because } of RULES) {
  test(`${folder} imports only what it may: ${because}`, () => {
    const strays = sources
      .filter((file) => file.startsWith(folder) && !(except !== undefined && file.startsWith(except)))
      .flatMap((file) =>
        imports(file)
          .filter((name) => !allowed.test(name))
          .map((name) => `${file}: ${name}`),
      );
    expect(strays).toEqual([]);
  });
}

test("the core reads no clock, draws no random number and sets no timer", () => {
  const banned =
    /\b(Date\.now|new Date|performance\.now|Math\.random|setTimeout|setInterval|process\.[a-z]|Bun\.|crypto\.get)/;
  const strays = sources.filter((file) => /^src\/(core|wire)\//.test(file) && banned.test(text(file)));
  expect(strays).toEqual([]);
});

test("what replication decides depends on what it is told alone, so that one seed replays it", () => {
  const banned = /\b(Date\.now|new Date|performance\.|Math\.random|setTimeout|setInterval|Bun\.|crypto\.get)/;
  const deciders = sources.filter((file) => /^src\/replication\/(?!transport)/.test(file));
  expect(deciders.filter((file) => banned.test(text(file)))).toEqual([]);
});

test("what an update does next is decided from facts alone", () => {
  const banned = /\b(Date\.now|new Date|performance\.|Math\.random|setTimeout|setInterval|Bun\.)|"node:/;
  const deciders = sources.filter((file) => /^src\/update\/(plan|health|slots|image)\.ts$/.test(file));
  expect(deciders.length).toBe(4);
  expect(deciders.filter((file) => banned.test(text(file).replace('"node:crypto"', "")))).toEqual([]);
});

test("what the services' supervisor decides depends on what it is told alone", () => {
  const banned = /\b(Date\.now|new Date|performance\.|Math\.random|setTimeout|setInterval|Bun\.|node:)/;
  const deciders = sources.filter((file) => /^src\/services\/(supervisor|unfitness|conntrack|table)\.ts/.test(file));
  expect(deciders.length).toBe(4);
  expect(deciders.filter((file) => banned.test(text(file)))).toEqual([]);
});

test("the heart and the shim know no wall clock, so that a clock step changes nothing", () => {
  const banned = /\b(Date\.now|new Date|performance\.|setTimeout|setInterval|CLOCK_REALTIME|gettimeofday|time\(NULL\))/;
  const strays = files.filter((file) => /^(src\/(heart|kernel)|native)\//.test(file) && !file.endsWith(".test.ts"));
  expect(strays.filter((file) => banned.test(text(file)))).toEqual([]);
});

test("files stay small enough to hold in your head", () => {
  expect(sources.filter((file) => text(file).split("\n").length > 700)).toEqual([]);
});

test("no left-over marks, and no test that does not run", () => {
  const marks = new RegExp(["TO" + "DO", "FIX" + "ME", "X" + "XX", "\\.only\\(", "\\.sk" + "ip\\("].join("|"));
  expect(files.filter((file) => file !== "test/style.test.ts" && marks.test(text(file)))).toEqual([]);
});

test("the lock file has no download addresses", () => {
  expect(text("package-lock.json")).not.toContain('"resolved"');
});
