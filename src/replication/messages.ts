/**
 * What the two control processes say to each other about settings, over an authenticated connection. Whatever
 * arrives is checked here before anybody looks at it, and has a bound.
 */
import { z } from "zod";
import { Failure } from "../errors.ts";

export const PROTOCOL = 1;
/** The largest settings that travel: what the control socket takes, and room for what the model fills in. */
export const CONTENT_CHARACTERS_MAX = 5 << 20;
/** A batch ends with the revision that takes it beyond this. */
export const BATCH_CHARACTERS = 1 << 20;
export const BATCH_REVISIONS_MAX = 512;
export const LOCATE_IDS_MAX = 256;
/** Sessions of the web interface that were ended early. */
export const ENDED_SESSIONS_MAX = 10_000;
/** A message in bytes: one batch with its largest revision, in UTF-8 and with every quote escaped. */
export const MESSAGE_BYTES_MAX = 24 << 20;

const id = z.string().regex(/^(0|[0-9a-f]{64})$/);
const number = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

const revision = z.strictObject({
  number,
  id,
  parent: id.or(z.literal("")),
  at: z.string().max(40),
  author: z.string().max(200),
  term: number,
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  content: z.string().max(CONTENT_CHARACTERS_MAX),
});

const timing = z.number().min(0).max(1_000_000);
const tuning = z.strictObject({
  interval_ms: timing,
  lease_ms: timing,
  detect_floor_ms: timing,
  detect_ceiling_ms: timing,
  listen_ms: timing,
  on_link_loss: z.enum(["switch", "stay"]),
});

const message = z.discriminatedUnion("type", [
  /** The first one in either direction; nothing else is said where the versions differ (S21). */
  z.strictObject({ type: z.literal("hello"), protocol: z.int(), version: z.string().max(40), build: number }),
  /** The newest revision, and whether the sender is the active node in this term. At every change, and twice a second. */
  z.strictObject({ type: z.literal("head"), id, number, active: z.boolean(), term: number }),
  /** What came after a revision? Answered with `batch`, or with `unknown` where the sender has no such revision. */
  z.strictObject({ type: z.literal("fetch"), after: id }),
  z.strictObject({
    type: z.literal("batch"),
    after: id,
    revisions: z.array(revision).max(BATCH_REVISIONS_MAX),
    more: z.boolean(),
  }),
  z.strictObject({ type: z.literal("unknown"), after: id }),
  /** Ids of the sender's history, newest first. Answered with the first one that the other has too. */
  z.strictObject({ type: z.literal("locate"), ids: z.array(id).min(1).max(LOCATE_IDS_MAX) }),
  z.strictObject({ type: z.literal("common"), id: id.nullable() }),
  /** From the active node: a change to be stored. Answered with `stored` once it is on disk, or with `refused`. */
  z.strictObject({ type: z.literal("append"), term: number, revision }),
  z.strictObject({ type: z.literal("stored"), id }),
  z.strictObject({ type: z.literal("refused"), id, code: z.string().max(60), message: z.string().max(1000) }),
  /** From the active node, on an administrator's word: take over no more, or again. Its heartbeats say that it is so. */
  z.strictObject({ type: z.literal("maintenance"), on: z.boolean() }),
  /** Logouts of the web interface: all that count once the nodes have met, and each new one. */
  z.strictObject({
    type: z.literal("sessions-ended"),
    ended: z.array(z.strictObject({ id: z.string().regex(/^[\w-]{1,64}$/), until_ms: number })).max(ENDED_SESSIONS_MAX),
  }),
  /** For how long the sender has been running: once the nodes have met, and only to a node of the same version. */
  z.strictObject({ type: z.literal("uptime"), uptime_s: number }),
  /** See timings.ts. */
  z.strictObject({
    type: z.literal("timings"),
    generation: number,
    acknowledged: number,
    target: tuning,
  }),
]);

export type Message = z.infer<typeof message>;
export type MessageOf<T extends Message["type"]> = Extract<Message, { type: T }>;

/** Throws Failure `bad-message`. */
export function readMessage(value: unknown): Message {
  const result = message.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new Failure("bad-message", `${issue?.path.join(".") || "the message"}: ${issue?.message ?? "not valid"}`);
}
