/** The page and its files, out of the executable (assets.ts). */
import type { Asset } from "./assets.ts";
import { refusal, withHeaders } from "./headers.ts";
import type { Answer, Head } from "./http/message.ts";

export function answerPage(assets: ReadonlyMap<string, Asset>, head: Head): Answer {
  if (head.method !== "GET" && head.method !== "HEAD") return refusal(405, "unknown-route", "A page can only be read.");
  const asset = assets.get(head.path);
  if (asset === undefined) return refusal(404, "not-found", "There is no such page.");
  const packs = acceptsGzip(head.headers.get("accept-encoding") ?? "");
  // Strong tags: the same tag, the same bytes.
  const etag = packs ? asset.etag.replace(/"$/, '-gz"') : asset.etag;
  const headers = { "content-type": asset.type, "cache-control": "no-cache", vary: "accept-encoding", etag };
  if (hasTag(head.headers.get("if-none-match") ?? "", etag)) return withHeaders({ status: 304, headers, body: "" });
  if (!packs) return withHeaders({ status: 200, headers, body: asset.bytes });
  return withHeaders({ status: 200, headers: { ...headers, "content-encoding": "gzip" }, body: asset.gzip });
}

function hasTag(wanted: string, etag: string): boolean {
  return wanted.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag);
}

function acceptsGzip(accepted: string): boolean {
  return accepted.split(",").some((part) => {
    const [coding = "", ...parameters] = part.split(";").map((word) => word.trim().toLowerCase());
    return coding === "gzip" && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
}
