/**
 * Pairing messages as they come from the wire, before anything is proved: whoever is on the cable may
 * have written them. What does not have the exact form of a message is no message, and is ignored.
 */
import { z } from "zod";
import type { Message } from "../core/pairing.ts";

const hex = (digits: number) => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`));
const public_key = hex(64);
const proof = hex(64);
const text = z.string().max(1000);

const card = z.object({
  nic: z.string().regex(/^[^\s/]{1,15}$/),
  mac: z.string().regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/),
});
const introduction = z.object({
  name: z.string().min(1).max(64),
  version: z.string().max(64),
  build: z.number(),
  cards: z.array(card).max(128),
  cluster: card,
});

const message = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("offer"), introduction, public_key }),
  z.object({ kind: z.literal("grant"), to: public_key, introduction, public_key, sealed: z.string() }),
  z.object({ kind: z.literal("refuse"), to: public_key, code: text, message: text }),
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
