/** The rules of a cluster (S7, S9 to S11, S3, B8) on a live pair: what is refused by command, and what is not. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import type { Settings } from "../../src/settings/model.ts";
import { developmentKey, signLicense } from "../license/sign.ts";
import { Pair } from "./pair.ts";

const TEST_MS = 60_000;

let pair: Pair;
let backup_name = "";

const attempt = (side: "active" | "backup", words: string[], input = "") => {
  const node = pair.node(pair[side]);
  return node.attempt(["--run", node.run, ...words], { input });
};
const settings = () => JSON.parse(pair.node(pair.active).command(["settings", "export"])) as Settings;
/** Imports changed settings on a side. */
const change = (side: "active" | "backup", work: (settings: Settings) => void) => {
  const changed = settings();
  work(changed);
  return attempt(side, ["settings", "import", "-"], JSON.stringify(changed));
};

beforeAll(async () => {
  pair = await Pair.make();
  await pair.findActive();
  const made = JSON.parse(pair.node(pair.active).command(["backup", "create", "--json"])) as { name: string };
  backup_name = made.name;
}, TEST_MS);

// On a busy machine the role may move by itself.
beforeEach(() => pair.findActive(), TEST_MS);

afterAll(() => pair?.remove());

describe("on the active node", () => {
  const spare = { nic: "lan9", role: "internal" as const, addresses: ["10.9.0.1/24"] };
  const refused: [string, () => ReturnType<typeof attempt>, RegExp][] = [
    ["another name", () => attempt("active", ["settings", "set", "server.name=other"]), /^The server's name cannot/],
    ["one interface more", () => change("active", (now) => now.interfaces.push(spare)), /^Interfaces cannot be added/],
    ["one interface less", () => change("active", (now) => now.interfaces.pop()), /^Interfaces cannot be added/],
    [
      "the cluster's card",
      () => change("active", (now) => now.interfaces.push({ ...spare, nic: "clu0" })),
      /^This network card is reserved/,
    ],
    ["mailboxes", () => attempt("active", ["settings", "set", "mail.mode=mailboxes"]), /^Mail works only as a relay/],
    ["a restore", () => attempt("active", ["backup", "restore", backup_name]), /^Backup copies cannot be restored/],
  ];
  for (const [what, work, sentence] of refused)
    test(
      `${what} is refused`,
      () => {
        const before = settings();
        const { status, stderr } = work();
        expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringMatching(sentence) });
        expect(settings()).toEqual(before);
      },
      TEST_MS,
    );

  test(
    "editing an interface, a license and a password are not",
    () => {
      const payload = { product: "understudy", holder: "Lab", serial: "1", issued: "2020-01-01", nodes: 2 };
      const allowed = [
        change("active", (now) => now.interfaces[0]?.addresses.push("10.1.0.78/24")),
        change("active", (now) => now.interfaces[0]?.addresses.pop()),
        attempt("active", ["license", "install", "-"], signLicense(payload, developmentKey())),
        attempt("active", ["password"], "four boats in the fog\n"),
      ];
      expect(allowed.map(({ status, stderr }) => ({ status, stderr }))).toEqual(
        Array(allowed.length).fill({ status: 0, stderr: "" }),
      );
      expect(settings().administrators.map(({ name }) => name)).toEqual(["admin"]);
    },
    TEST_MS,
  );
});

test(
  "on the backup every change is refused, and the sentence says where to make it",
  () => {
    for (const words of [["settings", "set", "dns.servers=[]"], ["password"]]) {
      const { status, stderr } = attempt("backup", words, "four boats in the fog\n");
      expect({ status, stderr }).toEqual({
        status: 1,
        stderr: expect.stringMatching(/^Only the active node .* make this one there/),
      });
    }
  },
  TEST_MS,
);
