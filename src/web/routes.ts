/**
 * Every route of the web interface, under /api/v1: who may use it, what it takes and what it answers. The web process,
 * the control process, the description (openapi.ts) and the tests all read this one table; what is not in it is not there.
 */
import { z } from "zod";
import * as shape from "./shapes.ts";

export const API = "/api/v1";

/**
 * `public`: without a session. `read`: looks. `change`: changes something, only on a node that is active or stands alone.
 * `own`: a session's own matters, on every node. Tokens may use what is `read`, and with full access what is `change`,
 * unless it is for people only.
 */
export type Access = "public" | "own" | "read" | "change";

export interface Route {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Parts in braces stand for one part of a path. */
  path: string;
  access: Access;
  /** Not for tokens: who holds one must not be able to make others, or lock people out. */
  people_only?: boolean;
  summary: string;
  body?: z.ZodType;
  /** The body is bytes and no JSON. */
  raw?: boolean;
  /** Names of the query that are passed on. */
  query?: string[];
  answer: z.ZodType;
  body_bytes_max?: number;
  /** Not JSON. */
  media_type?: string;
}

export const BODY_BYTES_MAX = 64 << 10;
const SETTINGS_BYTES_MAX = 4 << 20;
/** A piece of an update: the page sends one after the other. */
const PIECE_BYTES_MAX = 1 << 20;

const { text } = shape;
const nothing = z.strictObject({});

export const ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/public",
    access: "public",
    summary: "What is said before anybody has logged in",
    answer: shape.publicFacts,
  },
  {
    method: "POST",
    path: "/session",
    access: "public",
    summary: "Log in, or set the first password and log in",
    body: shape.login,
    answer: shape.session,
  },
  {
    method: "GET",
    path: "/session",
    access: "own",
    people_only: true,
    summary: "Who is logged in",
    answer: shape.session,
  },
  { method: "DELETE", path: "/session", access: "own", people_only: true, summary: "Log out", answer: nothing },
  { method: "GET", path: "/status", access: "read", summary: "The node and its cluster", answer: shape.status },
  {
    method: "GET",
    path: "/events",
    access: "read",
    summary: "What has happened, oldest first",
    query: ["last", "severity"],
    answer: z.array(shape.event),
  },
  {
    method: "GET",
    path: "/events/stream",
    access: "read",
    summary: "Server-sent events: status, event, end",
    answer: z.string(),
    media_type: "text/event-stream",
  },
  {
    method: "GET",
    path: "/captures",
    access: "read",
    summary: "Captures of the last switches of this node, newest first",
    answer: z.array(shape.capture),
  },
  {
    method: "GET",
    path: "/captures/{name}",
    access: "read",
    summary: "A capture: pcapng in base64",
    answer: z.strictObject({ name: z.string(), content: z.string() }),
  },
  {
    method: "GET",
    path: "/metrics",
    access: "read",
    summary: "The same as /metrics: figures for Prometheus",
    answer: z.string(),
    media_type: "text/plain; version=0.0.4; charset=utf-8",
  },
  { method: "GET", path: "/cards", access: "read", summary: "Network cards of this node", answer: z.array(shape.open) },
  {
    method: "GET",
    path: "/doctor",
    access: "read",
    summary: "What is well and what is not",
    answer: z.array(shape.check),
  },
  { method: "GET", path: "/settings", access: "read", summary: "All settings, without secrets", answer: shape.open },
  {
    method: "PUT",
    path: "/settings",
    access: "change",
    summary: "Replace all settings",
    body: shape.open,
    query: ["alone"],
    answer: shape.open,
    body_bytes_max: SETTINGS_BYTES_MAX,
  },
  {
    method: "PATCH",
    path: "/settings",
    access: "change",
    summary: "Change some settings, each named by its path",
    body: z.strictObject({ set: z.record(text(1, 256), z.unknown()) }),
    query: ["alone"],
    answer: shape.open,
    body_bytes_max: SETTINGS_BYTES_MAX,
  },
  {
    method: "GET",
    path: "/settings/revisions",
    access: "read",
    summary: "Revisions of the settings",
    answer: shape.anything,
  },
  {
    method: "GET",
    path: "/settings/revisions/{name}",
    access: "read",
    summary: "A revision with its content",
    answer: shape.anything,
  },
  {
    method: "POST",
    path: "/cluster/search",
    access: "change",
    summary: "Look for the future backup; goes on without its caller",
    body: z.strictObject({
      interface: text(1, 15),
      timeout_s: z.number().positive().max(3600).optional(),
    }),
    answer: shape.open,
  },
  {
    method: "POST",
    path: "/cluster/code",
    access: "change",
    summary: "The code that the future backup shows",
    body: z.strictObject({ code: text(1, 32) }),
    answer: shape.open,
  },
  {
    method: "POST",
    path: "/cluster/test",
    access: "change",
    summary: "Whether two cards are in one network segment",
    body: shape.match,
    answer: shape.open,
  },
  {
    method: "POST",
    path: "/cluster/apply",
    access: "change",
    summary: "Make the cluster",
    body: z.strictObject({ matches: z.array(shape.match).max(64) }),
    answer: shape.open,
  },
  { method: "DELETE", path: "/cluster/pairing", access: "change", summary: "Give up pairing", answer: shape.open },
  { method: "POST", path: "/cluster/switch", access: "change", summary: "Hand the active role over", answer: nothing },
  {
    method: "PUT",
    path: "/cluster/maintenance",
    access: "change",
    summary: "Whether the backup takes over by itself",
    body: z.strictObject({ on: z.boolean() }),
    answer: shape.open,
  },
  {
    method: "POST",
    path: "/cluster/destroy",
    access: "change",
    summary: "End the cluster: this node goes on alone, the other one is reset",
    body: z.strictObject({ confirm: z.literal(true) }),
    answer: nothing,
  },
  { method: "POST", path: "/system/reboot", access: "change", summary: "Restart this server", answer: shape.open },
  { method: "POST", path: "/system/poweroff", access: "change", summary: "Turn this server off", answer: shape.open },
  { method: "GET", path: "/backups", access: "read", summary: "Backup copies", answer: shape.anything },
  {
    method: "POST",
    path: "/backups",
    access: "change",
    summary: "Make a backup copy",
    body: z.strictObject({ passphrase: text(1, 1024).optional() }),
    answer: shape.open,
  },
  {
    method: "POST",
    path: "/backups/restore",
    access: "change",
    people_only: true,
    summary: "Go back to a backup copy; administrators and their passwords are replaced too",
    body: z.strictObject({
      current: text(1, 1024),
      name: text(1, 255).optional(),
      content: z.string().max(SETTINGS_BYTES_MAX).optional(),
      passphrase: text(1, 1024).optional(),
    }),
    answer: shape.open,
    body_bytes_max: SETTINGS_BYTES_MAX,
  },
  {
    method: "GET",
    path: "/backups/{name}",
    access: "read",
    people_only: true,
    summary: "A backup copy",
    answer: shape.anything,
  },
  { method: "DELETE", path: "/backups/{name}", access: "change", summary: "Delete a backup copy", answer: shape.open },
  { method: "GET", path: "/update", access: "read", summary: "Versions, and the update under way", answer: shape.open },
  {
    method: "POST",
    path: "/update/check",
    access: "change",
    summary: "Whether this node takes an update that begins with these bytes",
    body: shape.bytes,
    raw: true,
    answer: shape.open,
    body_bytes_max: PIECE_BYTES_MAX,
  },
  {
    method: "PUT",
    path: "/update/bundle",
    access: "change",
    summary: "A piece of an update, from the byte `offset` on; the answer says from where to go on",
    body: shape.bytes,
    raw: true,
    query: ["offset"],
    answer: z.strictObject({ received_bytes: z.number(), complete: z.boolean() }),
    body_bytes_max: PIECE_BYTES_MAX,
  },
  {
    method: "POST",
    path: "/update/start",
    access: "change",
    summary: "Update the cluster, or this node, to what was sent",
    body: z.strictObject({ order: z.enum(["active-first", "backup-first"]).optional(), alone: z.boolean().optional() }),
    answer: shape.open,
  },
  { method: "POST", path: "/update/pause", access: "change", summary: "Pause the update", answer: nothing },
  { method: "POST", path: "/update/resume", access: "change", summary: "Go on with the update", answer: nothing },
  {
    method: "POST",
    path: "/update/abort",
    access: "change",
    summary: "Give the update up: both nodes go back",
    answer: nothing,
  },
  {
    method: "POST",
    path: "/update/restore",
    access: "change",
    people_only: true,
    summary: "Go back to the previous version",
    body: z.strictObject({ confirm: z.literal(true), alone: z.boolean().optional() }),
    answer: nothing,
  },
  { method: "GET", path: "/license", access: "read", summary: "The license", answer: shape.open },
  {
    method: "PUT",
    path: "/license",
    access: "change",
    summary: "Install a license",
    body: z.strictObject({ text: text(1, 16_384) }),
    answer: shape.open,
  },
  {
    method: "GET",
    path: "/administrators",
    access: "read",
    summary: "Who may log in",
    answer: z.array(z.strictObject({ name: z.string(), password: z.literal("set") })),
  },
  {
    method: "POST",
    path: "/administrators/password",
    access: "change",
    people_only: true,
    summary: "Change one's own password; all other sessions of that name end",
    body: z.strictObject({ name: text(1, 64), password: text(1, 1024), current: text(1, 1024) }),
    answer: nothing,
  },
  {
    method: "GET",
    path: "/tokens",
    access: "read",
    people_only: true,
    summary: "Tokens for automation",
    answer: z.array(shape.token),
  },
  {
    method: "POST",
    path: "/tokens",
    access: "change",
    people_only: true,
    summary: "Make a token; it is shown this once",
    body: z.strictObject({ name: text(1, 64), access: shape.tokenAccess }),
    answer: z.strictObject({ id: z.string(), token: z.string() }),
  },
  {
    method: "DELETE",
    path: "/tokens/{id}",
    access: "change",
    people_only: true,
    summary: "Revoke a token",
    answer: nothing,
  },
  {
    method: "GET",
    path: "/certificate",
    access: "read",
    summary: "The certificate of this interface",
    answer: shape.certificate,
  },
  {
    method: "PUT",
    path: "/certificate",
    access: "change",
    people_only: true,
    summary: "Use another certificate",
    body: z.strictObject({ certificate: text(1, 32_768), key: text(1, 16_384) }),
    answer: nothing,
  },
  {
    method: "DELETE",
    path: "/certificate",
    access: "change",
    people_only: true,
    summary: "Make a new certificate that vouches for itself",
    answer: nothing,
  },
  { method: "GET", path: "/openapi.json", access: "read", summary: "This description", answer: shape.open },
];

const PARAMETER = /^[A-Za-z0-9._~:@%+-]{1,255}$/;
const COMPILED = ROUTES.map((route) => ({ route, parts: route.path.split("/") }));

/** The route of a path without /api/v1; exact parts come before those in braces, in the order of the table. */
export function findRoute(method: string, path: string): Route | null {
  const parts = path.split("/");
  const found = COMPILED.find(
    ({ route, parts: wanted }) =>
      route.method === method &&
      wanted.length === parts.length &&
      wanted.every((part, index) => (part.startsWith("{") ? isParameter(parts[index] ?? "") : part === parts[index])),
  );
  return found?.route ?? null;
}

/** One part of a path, and not a way out of it, encoded or not. */
function isParameter(part: string): boolean {
  if (!PARAMETER.test(part)) return false;
  try {
    const plain = decodeURIComponent(part);
    return plain !== "." && plain !== ".." && !/[/\\\x00-\x1f]/.test(plain);
  } catch {
    return false;
  }
}
