import { describe, expect, test } from "bun:test";
import { introduction } from "../../test/pairing.ts";
import { parseMessage } from "./pairing-message.ts";

const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const hex = "ab".repeat(32);
const offer = (change: object) => ({
  kind: "offer",
  introduction: { ...introduction("two", 4), ...change },
  public_key: hex,
  commitment: hex,
  code: true,
});

test("an offer is taken as it came", () => expect(parseMessage(bytes(offer({})))).toEqual(offer({}) as never));

describe("what would steer a terminal that shows it is no message:", () => {
  const card = introduction("two", 4).cluster;
  const rows: [string, object][] = [
    ["a name", offer({ name: "two\x1b[2J" })],
    ["a version", offer({ version: "0.1.0\r" })],
    ["a card", offer({ cluster: { ...card, nic: "eth\x1b[2J" } })],
    ["cards", offer({ cards: [{ ...card, nic: "eth\x9b2J" }] })],
    ["a refusal", { kind: "refuse", to: hex, code: "x", message: "Refused.\x1b]0;\x07" }],
  ];
  for (const [what, message] of rows) test(what, () => expect(parseMessage(bytes(message))).toBeNull());
});
