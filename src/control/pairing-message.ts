/**
 * Pairing messages as they come from the wire, before anything is proved: whoever is on the cable may
 * have written them. What does not have the exact form of a message is no message, and is ignored.
 */
import { z } from "zod";
import type { Message } from "../core/pairing/messages.ts";

const hex = (digits: number) => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`));
const public_key = hex(64);
const proof = hex(64);
/** Shown on terminals: nothing in it may steer one. */
const shown = (least: number, most: number) =>
  z
    .string()
    .min(least)
    .max(most)
    .regex(/^\P{Cc}*$/u);
const text = shown(0, 1000);
/** Of the sealed ones the bequest is the longest; a message of all pieces has a bound of its own (wire/pairing.ts). */
const sealed = z.string();
const round = z.number().int().nonnegative();

const card = z.object({
  nic: z.string().regex(/^[^\s/\p{Cc}]{1,15}$/u),
  mac: z.string().regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/),
});
const introduction = z.object({
  name: shown(1, 64),
  version: shown(0, 64),
  build: z.number(),
  cards: z.array(card).max(128),
  cluster: card,
  license: hex(64).nullable(),
  certificate: z.string().max(4000),
});

const message = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("offer"), introduction, public_key, commitment: hex(64), code: z.boolean() }),
  z.object({ kind: z.literal("answer"), to: public_key, introduction, public_key, code: z.boolean() }),
  z.object({ kind: z.literal("refuse"), to: public_key, code: text, message: text }),
  z.object({ kind: z.literal("seen"), proof }),
  z.object({ kind: z.literal("guess"), to: public_key, guess: proof }),
  z.object({ kind: z.literal("open"), to: public_key, nonce: hex(64) }),
  z.object({ kind: z.literal("confirm"), to: public_key, nonce: hex(64) }),
  z.object({ kind: z.literal("confirmed"), proof }),
  z.object({ kind: z.literal("test"), to: public_key, round, sealed }),
  z.object({ kind: z.literal("report"), to: public_key, round, sealed }),
  z.object({ kind: z.literal("probe"), token: proof }),
  z.object({ kind: z.literal("grant"), to: public_key, sealed }),
  z.object({ kind: z.literal("ready"), proof }),
  z.object({ kind: z.literal("commit"), proof }),
  z.object({ kind: z.literal("done"), proof }),
]);

/** The message in the bytes of a body; null where there is none. */
export function parseMessage(body: Uint8Array): Message | null {
  try {
    // Checked and then taken as it was: the keys are bound to the offer's text, which keeps its order.
    const value = JSON.parse(new TextDecoder().decode(body)) as Message;
    return message.safeParse(value).success ? value : null;
  } catch {
    return null;
  }
}
