/** The gateway on a live pair: a port forward through either node, and the same firewall on both. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Instrument, ProbeReport } from "./instrument.ts";
import { Pair, SETTINGS } from "./pair.ts";
import { sh, until } from "./shell.ts";
import { CLIENT_ADDRESS, type Side, WAN_ADDRESS } from "./topology.ts";

const TEST_MS = 60_000;
const OUTER_PORT = 7070;
const INNER_PORT = 7008;
const FLOWING_MS = 50;

let pair: Pair;
/** From the WAN, through the forwarded port. */
let visitor: Instrument;

beforeAll(async () => {
  const port_forwards = [{ protocol: "udp", port: OUTER_PORT, to: CLIENT_ADDRESS, to_port: INNER_PORT }];
  pair = await Pair.make({ settings: { ...SETTINGS, nat: { port_forwards } } });
  pair.lab.instrument("client", ["echo", String(INNER_PORT)]);
  visitor = pair.lab.instrument("host", ["probe", WAN_ADDRESS, String(OUTER_PORT)]);
}, TEST_MS);

afterAll(() => pair?.remove());

const answered = () =>
  until("the forwarded port answers", async () => {
    const { answered, since_answer_ms } = await visitor.report<ProbeReport>();
    return answered > 0 && since_answer_ms < FLOWING_MS;
  });

/** Without what it counted. */
const firewallOf = (side: Side) =>
  sh(pair.lab.inside(side, ["nft", "-s", "list", "table", "inet", "understudy_firewall"]));

test(
  "a port forward works through both nodes, before a switch and after it, and back",
  async () => {
    for (const after of ["b", "a"] as const) {
      await answered();
      await pair.scenario(after, 1, () => void pair.node(pair.active).command(["cluster", "switch"]));
    }
    await answered();
  },
  TEST_MS,
);

test("both nodes have the same firewall", () => {
  expect(firewallOf("a")).toContain(`udp . ${OUTER_PORT} : ${CLIENT_ADDRESS} . ${INNER_PORT}`);
  expect(firewallOf("b")).toBe(firewallOf("a"));
});

test(
  "a change reaches both nodes while traffic flows",
  () =>
    pair.undisturbed(async () => {
      pair
        .node(pair.active)
        .command(["settings", "set", "nat.port_forwards.0.comment=echo", "web.outside=true", "nat.masquerade=true"]);
      pair.node(pair.active).command(["settings", "set", `nat.port_forwards.0.port=${OUTER_PORT + 1}`]);
      for (const side of ["a", "b"] as const)
        await until(`node ${side} follows`, () => firewallOf(side).includes(`udp . ${OUTER_PORT + 1} :`));
    }),
  TEST_MS,
);

test(
  "whatever somebody does to it by hand, it is there, and doctor says so",
  async () => {
    const before = firewallOf("b");
    // Refused where the kernel lets nobody else change it.
    for (const words of [
      ["flush", "ruleset"],
      ["flush", "chain", "inet", "understudy_firewall", "forward"],
      ["delete", "table", "inet", "understudy_firewall"],
    ])
      sh(pair.lab.inside("b", ["nft", ...words]), { allow_failure: true });
    await until("it is as it was", () => firewallOf("b") === before);
    expect(pair.b.attempt(["--run", pair.b.run, "doctor"]).stdout).toContain("The firewall is in force.");
  },
  TEST_MS,
);
