/** What is sent and answered over the web interface, as far as it is described here and not by the node itself. */
import { z } from "zod";

export function text(least: number, most: number) {
  return z.string().min(least).max(most);
}

/** The node checks it, and says what is wrong in its own words. */
export const open = z.looseObject({});
export const anything = z.unknown();
export const bytes = z.string().meta({ format: "binary" });

export const failure = z.strictObject({
  code: z.string().meta({ description: "For programs: never changes" }),
  message: z.string().meta({ description: "One plain sentence for people" }),
});

const role = z.string().meta({ description: "standalone, backup, active, …" });

export const publicFacts = z.strictObject({
  name: z.string(),
  version: z.string(),
  build: z.number(),
  role,
  first_password: z.boolean().meta({ description: "Nobody has a password yet" }),
  active: z.strictObject({ name: z.string(), addresses: z.array(z.string()) }).nullable(),
});

export const login = z.strictObject({
  name: text(1, 64),
  password: text(1, 1024),
  first: z.literal(true).optional(),
});

export const session = z.strictObject({ name: z.string(), since: z.iso.datetime(), expires: z.iso.datetime() });

export const event = z.strictObject({
  at: z.iso.datetime(),
  code: z.string(),
  severity: z.enum(["info", "warning", "error"]),
  message: z.string(),
  cause: z.enum(["created", "handed-over", "agreed", "silence"]).optional(),
  outage_ms: z
    .number()
    .optional()
    .meta({ description: "Of became-active: since the peer last said that it was active" }),
});

export const capture = z.strictObject({
  name: z.string(),
  at: z.iso.datetime(),
  code: z.string().meta({ description: "became-active, handed-over, …" }),
  bytes: z.number(),
  events: z.array(z.strictObject({ at: z.iso.datetime(), code: z.string(), message: z.string() })),
});

export const check = z.looseObject({ code: z.string(), state: z.enum(["good", "warning", "bad"]) });

export const status = z.looseObject({
  name: z.string(),
  version: z.string(),
  build: z.number(),
  role,
  term: z.number(),
  operational: z.boolean(),
  reason: z.string().nullable(),
  peer: z
    .looseObject({
      name: z.string(),
      role,
      heard: z.boolean(),
      uptime_s: z
        .number()
        .nullable()
        .meta({ description: "Null where the nodes are not connected, or differ in version" }),
    })
    .nullable(),
  paths: z.array(z.looseObject({ nic: z.string(), heard: z.boolean(), latency_ms: z.number().nullable() })),
  addresses: z.array(z.looseObject({ address: z.string(), nic: z.string(), held: z.boolean() })),
  services: z.array(
    z.looseObject({ name: z.string(), wanted: z.boolean(), state: z.string(), trouble: z.string().nullable() }),
  ),
});

export const match = z.strictObject({ mine: text(1, 15), theirs: text(1, 15) });

export const tokenAccess = z.enum(["read", "full"]);

export const token = z.strictObject({
  id: z.string(),
  name: z.string(),
  access: tokenAccess,
  made: z.iso.datetime(),
});

export const certificate = z.strictObject({
  subject: z.string(),
  issuer: z.string(),
  hosts: z.array(z.string()),
  from: z.iso.datetime(),
  until: z.iso.datetime(),
  fingerprint: z.string(),
  self_made: z.boolean(),
  chain: z.number(),
});
