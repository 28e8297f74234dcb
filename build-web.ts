/**
 * The user interface of the web server: one script, one style sheet, a page and an icon, bundled from src/web/ui
 * and put into build/web, each compressed as well. `src/web/assets.ts` takes them from assets.json into the executable.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";

const TYPES: Record<string, string> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
};

/** What the web interface is known to run on. */
const BROWSERS = ["chrome123", "edge123", "firefox120", "safari17.5"];

export async function buildWeb(root: string): Promise<void> {
  const source = join(root, "src/web/ui");
  const output = join(root, "build/web");
  mkdirSync(output, { recursive: true });
  await esbuild.build({
    absWorkingDir: root,
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
      const type = TYPES[name.split(".").at(-1) ?? ""] ?? "application/octet-stream";
      return [`/${name}`, { type, gzip: gzipSync(readFileSync(join(output, name)), { level: 9 }).toString("base64") }];
    }),
  );
  writeFileSync(join(output, "assets.json"), `${JSON.stringify(files, null, 1)}\n`);
}
