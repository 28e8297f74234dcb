/** The user interface as the web server hands it out: part of the executable, read from no disk. */
import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import files from "../../build/web/assets.json";

export interface Asset {
  /** Its media type, for `content-type`. */
  type: string;
  bytes: Uint8Array;
  /** The same, compressed, for whoever accepts it. */
  gzip: Uint8Array;
  /** Quoted, as the header wants it. */
  etag: string;
}

/** By path: "/" is the page itself. */
export const ASSETS: ReadonlyMap<string, Asset> = new Map(
  Object.entries(files).map(([path, { type, gzip }]) => {
    const compressed = Buffer.from(gzip, "base64");
    const bytes = gunzipSync(compressed);
    const etag = `"${createHash("sha256").update(bytes).digest("hex").slice(0, 32)}"`;
    const asset: Asset = { type, bytes, gzip: compressed, etag };
    return [path === "/index.html" ? "/" : path, asset];
  }),
);
