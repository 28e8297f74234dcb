/** The form of the settings: every key there is, and what is taken where one is left out. */
import { z } from "zod";
import { cidr, domain, host, ip, line, nic, password_hash, port, zone } from "./values.ts";

export const interfaceSchema = z.strictObject({
  nic,
  role: z.enum(["internal", "external"]),
  addresses: z.array(cidr).min(1).max(4096),
  gateway: ip.optional(),
  gateway6: ip.optional(),
  heartbeat: z.boolean().optional(),
  enabled: z.boolean().optional(),
});

const forwardSchema = z.strictObject({
  protocol: z.enum(["tcp", "udp"]),
  port,
  to: ip,
  to_port: port.optional(),
  comment: line(0, 200).optional(),
});

/** A token for automation; `hash` is SHA-256 of it. */
const tokenSchema = z.strictObject({
  id: z.string().regex(/^[0-9a-f]{12}$/, "must be 12 hex digits"),
  name: line(1, 64),
  access: z.enum(["read", "full"]),
  hash: z.string().regex(/^[0-9a-f]{64}$/, "must be a SHA-256 hash"),
  made: z.iso.datetime(),
});

/** The product's own services (services/table.ts). */
export const SERVICE_NAMES = ["connections"] as const;

export const schema = z.strictObject({
  server: z.strictObject({ name: line(2, 42) }),
  administrators: z
    .array(z.strictObject({ name: line(1, 64), password_hash }))
    .max(64)
    .default([]),
  interfaces: z.array(interfaceSchema).max(31).default([]),
  dns: z.strictObject({ servers: z.array(ip).max(8).default([]) }).prefault({}),
  nat: z
    .strictObject({
      masquerade: z.boolean().default(true),
      port_forwards: z.array(forwardSchema).max(1024).default([]),
    })
    .prefault({}),
  mail: z
    .strictObject({
      mode: z.enum(["off", "mailboxes", "relay"]).default("off"),
      relay: z.strictObject({ host, port: port.default(25) }).optional(),
      domains: z
        .array(z.strictObject({ name: domain, server: host }))
        .max(1024)
        .default([]),
    })
    .prefault({}),
  license: z.string().min(1).max(16_384).nullable().default(null),
  time: z.strictObject({ zone: zone.default("UTC"), servers: z.array(host).max(8).default([]) }).prefault({}),
  web: z
    .strictObject({
      outside: z.boolean().default(false),
      /** PEM; the same on both nodes. Absent where each has its own. */
      certificate: z.strictObject({ certificate: z.string().max(65_536), key: z.string().max(16_384) }).optional(),
      tokens: z.array(tokenSchema).max(64).optional(),
    })
    .prefault({}),
  services: z
    .strictObject({
      /** Those for whose sake the active node hands over where they will not run on it. */
      hand_over: z.array(z.enum(SERVICE_NAMES)).max(SERVICE_NAMES.length).default([]),
    })
    .prefault({}),
  cluster: z
    .strictObject({
      interval_ms: z.number(),
      lease_ms: z.number(),
      detect_floor_ms: z.number(),
      detect_ceiling_ms: z.number(),
      listen_ms: z.number(),
      on_link_loss: z.enum(["switch", "stay"]),
    })
    .partial()
    .optional(),
});

export type Settings = z.infer<typeof schema>;
export type InterfaceSettings = z.infer<typeof interfaceSchema>;
