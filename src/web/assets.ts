/** The user interface as the web server hands it out: part of the executable, read from no disk. */

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
export const ASSETS: ReadonlyMap<string, Asset> = new Map();
