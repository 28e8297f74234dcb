/**
 * What every answer says to the browser, and what a request must show before it may change anything.
 *
 * There is no Strict-Transport-Security: with a certificate that vouches for itself it would take away the browser's way
 * past its warning, and lock the administrator out of the server. The redirect from HTTP and the Secure cookie remain.
 */
import type { Answer, Head } from "./http/message.ts";

const CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "manifest-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

const ALWAYS: Record<string, string> = {
  "content-security-policy": CSP,
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
};

export function withHeaders(answer: Answer): Answer {
  return { ...answer, headers: { ...ALWAYS, "cache-control": "no-store", ...answer.headers } };
}

export function refusal(status: number, code: string, message: string): Answer {
  return withHeaders({
    status,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ code, message }),
  });
}

const COOKIE = "__Host-session";
const SESSION = /^[A-Za-z0-9._-]{1,1024}$/;
const ATTRIBUTES = "Path=/; Secure; HttpOnly; SameSite=Strict";

export function sessionOf(head: Head): string | null {
  for (const part of (head.headers.get("cookie") ?? "").split(";")) {
    const [name, value = ""] = part.trim().split("=", 2);
    if (name === COOKIE && SESSION.test(value)) return value;
  }
  return null;
}

export function sessionCookie(session: string): string {
  return session === "" ? `${COOKIE}=; ${ATTRIBUTES}; Max-Age=0` : `${COOKIE}=${session}; ${ATTRIBUTES}`;
}

/** A token for automation; null where there is none, "" where it is something else. */
export function tokenOf(head: Head): string | null {
  const authorization = head.headers.get("authorization");
  if (authorization === undefined) return null;
  return /^Bearer (ust_[A-Za-z0-9_-]{1,128})$/i.exec(authorization)?.[1] ?? "";
}

/**
 * Whether the page itself sent this, and not another one in the same browser: a header that no form can send, and the
 * origin, which browsers always say where something changes.
 */
export function isFromOurPage(head: Head): boolean {
  if (head.headers.get("x-understudy") !== "1") return false;
  const site = head.headers.get("sec-fetch-site");
  if (site !== undefined && site !== "same-origin") return false;
  const host = head.headers.get("host") ?? "";
  return host !== "" && head.headers.get("origin")?.toLowerCase() === `https://${host.toLowerCase()}`;
}

/** What a body is called that is bytes and nothing else. */
export const BYTES = "application/octet-stream";

export function isBytes(head: Head): boolean {
  return head.headers.get("content-type")?.toLowerCase() === BYTES;
}

export function isJson(head: Head): boolean {
  return /^application\/json\s*(;|$)/i.test(head.headers.get("content-type") ?? "");
}
