/** What `understudy capture` says of a switch: the frames themselves, in their order, read by tshark on another machine. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { CaptureEntry } from "../../src/control/captures.ts";
import { fieldsOf, tshark } from "../wire/tshark.ts";
import type { LabNode } from "./node.ts";
import { Pair } from "./pair.ts";
import { until } from "./shell.ts";
import { LAN_ADDRESS, LAN_ADDRESS6, WAN_ADDRESS, WAN_ADDRESS6 } from "./topology.ts";

const TEST_MS = 60_000;
const OUT = "2";
/** Of a frame in a capture. */
const FIELDS = [
  "frame.time_epoch",
  "frame.interface_name",
  "frame.packet_flags_direction",
  "understudy.role",
  "understudy.term",
  "understudy.verdict",
  "arp.src.proto_ipv4",
  "arp.dst.proto_ipv4",
  "icmpv6.nd.na.target_address",
];
const ROLE_ACTIVE = "3";

interface Seen {
  at_s: number;
  nic: string;
  is_out: boolean;
  role: string;
  term: string;
  verdict: string;
  arp_from: string;
  arp_to: string;
  advertised: string;
}

function readFrames(bytes: Uint8Array): Seen[] {
  return fieldsOf(bytes, FIELDS).map(
    ([at = "", nic = "", way, role = "", term = "", verdict = "", arp_from = "", arp_to = "", advertised = ""]) => ({
      at_s: Number(at),
      nic,
      is_out: Number(way) === Number(OUT),
      role,
      term,
      verdict,
      arp_from,
      arp_to,
      advertised,
    }),
  );
}

let pair: Pair;

beforeAll(async () => {
  pair = await Pair.make();
}, TEST_MS);

afterAll(() => pair?.remove());

const listOf = (node: LabNode) => JSON.parse(node.command(["capture", "--json"])) as CaptureEntry[];

/** Waits for a capture that is not one of `before`, and takes it out of the node. */
async function newCapture(node: LabNode, code: string, before: CaptureEntry[] = []): Promise<Uint8Array> {
  const isNew = (entry: CaptureEntry) => entry.code === code && !before.some(({ name }) => name === entry.name);
  await until(`node ${node.side} has a capture of ${code}`, () => listOf(node).some(isNew));
  const name = listOf(node).find(isNew)?.name ?? "";
  const file = join(pair.lab.directory, `${node.side}-${name}`);
  node.command(["capture", file, name]);
  return readFileSync(file);
}

test("a node that has recorded nothing says so, and a name that is not there is refused", async () => {
  const { b } = pair;
  expect(b.command(["capture"])).toContain("This node has recorded no switch yet");
  expect(b.attempt(["--run", b.run, "capture", join(pair.lab.directory, "none.pcapng")])).toMatchObject({
    status: 1,
    stderr: "This node has recorded no switch yet; captures are made of the ones to come.",
  });
  expect(b.attempt(["--run", b.run, "capture", "--dissector", "file"])).toMatchObject({ status: 2 });
});

test(
  "freeze of the active node: silence, questions, the claim, announcements, in that order",
  async () => {
    const { a, b } = pair;
    await pair.scenario("b", 1, async () => {
      a.freeze();
      await b.untilRole("active");
      await pair.untilTraffic();
      a.thaw();
    });
    const bytes = await newCapture(b, "became-active");
    const frames = readFrames(bytes);
    const claim = frames.findIndex(({ is_out, role }) => is_out && role === ROLE_ACTIVE);
    const last_heard = frames.findLastIndex(({ is_out, role }, at) => !is_out && role === ROLE_ACTIVE && at < claim);
    const asked = (to: string) =>
      frames.findIndex(
        (frame, at) => at > last_heard && frame.is_out && frame.arp_from === "0.0.0.0" && frame.arp_to === to,
      );
    const announced = (address: string, nic: string) =>
      frames.findIndex(
        (frame) =>
          frame.is_out &&
          frame.nic === nic &&
          (frame.advertised === address || (frame.arp_from === address && frame.arp_to === address)),
      );
    expect(last_heard).toBeGreaterThan(0);
    expect(frames[last_heard]?.verdict).toStartWith("accepted");
    const questions = [LAN_ADDRESS, WAN_ADDRESS].map(asked);
    for (const question of questions) expect(question).toBeGreaterThan(last_heard);
    for (const question of questions) expect(question).toBeLessThan(claim);
    // Nobody but the frozen node could have said anything in between that counts as it.
    const silence = frames.slice(last_heard + 1, claim).filter(({ is_out, role }) => !is_out && role !== "");
    expect(silence).toEqual([]);
    for (const [address, nic] of [
      [LAN_ADDRESS, "lan0"],
      [LAN_ADDRESS6, "lan0"],
      [WAN_ADDRESS, "wan0"],
      [WAN_ADDRESS6, "wan0"],
    ] as const)
      expect(announced(address, nic)).toBeGreaterThan(claim);
    expect(Number(frames[claim]?.term)).toBeGreaterThan(Number(frames[last_heard]?.term));
    const times = frames.map(({ at_s }) => at_s);
    expect(times).toEqual(times.toSorted((one, other) => one - other));
    // On the wall clock, and told with the events.
    const [entry] = listOf(b).filter(({ code }) => code === "became-active");
    expect(Math.abs((frames[claim]?.at_s ?? 0) * 1000 - Date.parse(entry?.at ?? ""))).toBeLessThan(1000);
    expect(entry?.events.map(({ code }) => code)).toContain("peer-silent");
    // The key of the cluster is nowhere in it.
    const { value } = JSON.parse(readFileSync(join(b.state, "cluster.json"), "utf8")) as { value: { key: string } };
    expect(value.key).toMatch(/^[0-9a-f]{64}$/);
    expect(Buffer.from(bytes).includes(Buffer.from(value.key, "hex"))).toBe(false);
    expect(Buffer.from(bytes).includes(value.key)).toBe(false);
  },
  TEST_MS,
);

test(
  "the node that thawed heard the new claim, and believed it",
  async () => {
    const frames = readFrames(await newCapture(pair.a, "slept"));
    const claims = frames.filter(({ is_out, role }) => !is_out && role === ROLE_ACTIVE);
    expect(claims.length).toBeGreaterThan(0);
    for (const { verdict } of claims) expect(verdict).toStartWith("accepted");
  },
  TEST_MS,
);

test(
  "a planned switch is captured on both nodes, and two captures make one file",
  async () => {
    const before = { a: listOf(pair.a), b: listOf(pair.b) };
    await pair.scenario("a", 1, () => void pair.b.command(["cluster", "switch"]));
    await newCapture(pair.b, "handed-over", before.b);
    await newCapture(pair.a, "became-active", before.a);
    const [one, two] = listOf(pair.b);
    const file = join(pair.lab.directory, "both.pcapng");
    pair.b.command(["capture", file, one?.name ?? "", two?.name ?? ""]);
    const events = tshark(readFileSync(file), ["-T", "fields", "-e", "frame.interface_name"]).trim().split("\n");
    expect(new Set(events)).toEqual(new Set(["clu0", "lan0", "wan0"]));
    expect(pair.b.command(["capture"]).split("\n").length).toBe(listOf(pair.b).length + 1);
  },
  TEST_MS,
);
