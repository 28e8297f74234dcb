/**
 * What the two control processes say to each other about settings, over an authenticated connection. Whatever
 * arrives is checked here before anybody looks at it, and has a bound.
 *
 * Two versions meet in the middle of every update. So `hello` never changes, kinds of messages that this version does not
 * know are passed over, and so are keys that it does not know; a kind or a key that came later is sent to a peer alone
 * whose `hello` says the protocol that brought it (`SINCE`).
 */
import { z } from "zod";
import { Failure } from "../errors.ts";
import { planSchema, reportSchema } from "../update/plan.ts";

/** 2: `update`, `bundle-wanted`, `bundle-part`; from it on what is not known is passed over. */
export const PROTOCOL = 2;
/** The first protocol with this kind of message, where that is not the first one of all. */
const SINCE: Partial<Record<Message["type"], number>> = { update: 2, "bundle-wanted": 2, "bundle-part": 2 };
/** The largest settings that travel: what the control socket takes, and room for what the model fills in. */
export const CONTENT_CHARACTERS_MAX = 5 << 20;
/** A batch ends with the revision that takes it beyond this. */
export const BATCH_CHARACTERS = 1 << 20;
export const BATCH_REVISIONS_MAX = 512;
export const LOCATE_IDS_MAX = 256;
/** Sessions of the web interface that were ended early. */
export const ENDED_SESSIONS_MAX = 10_000;
/** Of a bundle, at once: the words that keep the connection alive go in between. */
export const BUNDLE_PART_BYTES_MAX = 256 << 10;
/** A message in bytes: one batch with its largest revision, in UTF-8 and with every quote escaped. */
export const MESSAGE_BYTES_MAX = 24 << 20;

const id = z.string().regex(/^(0|[0-9a-f]{64})$/);
const number = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

const digest = z.string().regex(/^[0-9a-f]{64}$/);

const revision = z.object({
  number,
  id,
  parent: id.or(z.literal("")),
  at: z.string().max(40),
  author: z.string().max(200),
  term: number,
  digest,
  content: z.string().max(CONTENT_CHARACTERS_MAX),
});

const timing = z.number().min(0).max(1_000_000);
const tuning = z.object({
  interval_ms: timing,
  lease_ms: timing,
  detect_floor_ms: timing,
  detect_ceiling_ms: timing,
  listen_ms: timing,
  on_link_loss: z.enum(["switch", "stay"]),
});

const message = z.discriminatedUnion("type", [
  /** The first one in either direction; nothing else is said where the versions differ (S21). */
  z.object({ type: z.literal("hello"), protocol: z.int(), version: z.string().max(40), build: number }),
  /** The newest revision, and whether the sender is the active node in this term. At every change, and twice a second. */
  z.object({ type: z.literal("head"), id, number, active: z.boolean(), term: number }),
  /** What came after a revision? Answered with `batch`, or with `unknown` where the sender has no such revision. */
  z.object({ type: z.literal("fetch"), after: id }),
  z.object({
    type: z.literal("batch"),
    after: id,
    revisions: z.array(revision).max(BATCH_REVISIONS_MAX),
    more: z.boolean(),
  }),
  z.object({ type: z.literal("unknown"), after: id }),
  /** Ids of the sender's history, newest first. Answered with the first one that the other has too. */
  z.object({ type: z.literal("locate"), ids: z.array(id).min(1).max(LOCATE_IDS_MAX) }),
  z.object({ type: z.literal("common"), id: id.nullable() }),
  /** From the active node: a change to be stored. Answered with `stored` once it is on disk, or with `refused`. */
  z.object({ type: z.literal("append"), term: number, revision }),
  z.object({ type: z.literal("stored"), id }),
  z.object({ type: z.literal("refused"), id, code: z.string().max(60), message: z.string().max(1000) }),
  /** From the active node, on an administrator's word: take over no more, or again. Its heartbeats say that it is so. */
  z.object({ type: z.literal("maintenance"), on: z.boolean() }),
  /** Logouts of the web interface: all that count once the nodes have met, and each new one. */
  z.object({
    type: z.literal("sessions-ended"),
    ended: z.array(z.object({ id: z.string().regex(/^[\w-]{1,64}$/), until_ms: number })).max(ENDED_SESSIONS_MAX),
  }),
  /** For how long the sender has been running: once the nodes have met, and only to a node of the same version. */
  z.strictObject({ type: z.literal("uptime"), uptime_s: number }),
  /** See timings.ts. */
  z.object({
    type: z.literal("timings"),
    generation: number,
    acknowledged: number,
    target: tuning,
  }),
  /** How the update goes, and what the sender is; at every change, and every two seconds. Also between two versions. */
  z.object({ type: z.literal("update"), plan: planSchema.nullable(), report: reportSchema }),
  /** Bytes of the bundle with this image, from there on. Answered with `bundle-part`; empty where there is none. */
  z.object({ type: z.literal("bundle-wanted"), sha256: digest, offset: number }),
  z.object({
    type: z.literal("bundle-part"),
    sha256: digest,
    offset: number,
    data: z.base64().max(Math.ceil(BUNDLE_PART_BYTES_MAX / 3) * 4),
  }),
]);
const KINDS = new Set<unknown>(message.options.map(({ shape }) => shape.type.value));

export type Message = z.infer<typeof message>;
export type MessageOf<T extends Message["type"]> = Extract<Message, { type: T }>;

/** Whether a peer that speaks this protocol knows such a message. */
export function isKnownTo(protocol: number, { type }: Message): boolean {
  return protocol >= (SINCE[type] ?? 1);
}

/** Null for a kind of message that a later version brought. Throws Failure `bad-message`. */
export function readMessage(value: unknown): Message | null {
  const { type } = Object(value) as { type?: unknown };
  if (typeof type === "string" && !KINDS.has(type)) return null;
  const result = message.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new Failure("bad-message", `${issue?.path.join(".") || "the message"}: ${issue?.message ?? "not valid"}`);
}
