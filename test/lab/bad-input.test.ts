/**
 * Wrong cards, wrong requests and wrong commands, beside a live pair and at it. Each gets one sentence; the pair keeps
 * working. Nodes c and d are the ones that cannot become a cluster, until they do.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import type { Ended, LabNode } from "./node.ts";
import { CREATE, JOIN, Pair, SETTINGS } from "./pair.ts";
import { sh, until } from "./shell.ts";

const TEST_MS = 60_000;
const SLOW_CLIENTS = 50;

let pair: Pair;
let c: LabNode;
let d: LabNode;

beforeAll(async () => {
  pair = await Pair.make({ population: { a: "clu", b: "clu", c: "clu2", d: "clu2" } });
  c = pair.lab.node("c");
  d = pair.lab.node("d");
  await Promise.all([c.start(), d.start()]);
  const interfaces = SETTINGS.interfaces.map((entry) => ({
    ...entry,
    addresses: entry.addresses.map((address) => address.replace(/1\//, "2/")),
  }));
  c.command(["settings", "import", "-"], JSON.stringify({ server: { name: "node-c" }, interfaces }));
  const ip = (words: string) => sh(["ip", "-n", pair.lab.namespace("c"), ...words.split(" ")]);
  ip("link add bridge0 type bridge");
  ip("link add port0 type veth peer name port1");
  ip("link set port0 master bridge0");
  ip("tuntap add tunnel0 mode tun");
}, TEST_MS);

afterAll(() => pair?.remove());

const create = (...words: string[]) => ["cluster", "create", "--skip-code", "--interface", ...words];
const match = (...pairs: string[]) => pairs.flatMap((text) => ["--match", text]);
const attempt = (node: LabNode, words: string[], input = "") => node.attempt(["--run", node.run, ...words], { input });

function expectSentence({ status, stderr }: Ended, sentence: RegExp, expected_status = 1): void {
  expect({ status, stderr }).toEqual({ status: expected_status, stderr: expect.stringMatching(sentence) });
  expect(stderr.split("\n").length).toBe(1);
}

/** `join` on node d, which ends when it is refused: with its last sentence, or where it succeeds all it said. */
async function joined(): Promise<{ sentence: Promise<string> }> {
  const sentence = d.commandLater([...JOIN, "--name", "node-d"]).then(
    (said) => said,
    (error: Error) => error.message.split("\n").at(-1) ?? "",
  );
  await until("node d joins", async () => (await d.role()) === "joining");
  return { sentence };
}

describe("cards", () => {
  const alone: [string, string[], RegExp][] = [
    ["create: an unknown one", create("nope"), /^There is no interface nope; choose one/],
    ["join: an unknown one", ["cluster", "join", "--skip-code", "--interface", "nope"], /^There is no interface nope/],
    ["create: a data interface", create("lan0", ...match("lan0=lan0")), /^lan0 is configured as a data interface/],
    [
      "join: a data interface",
      ["cluster", "join", "--skip-code", "--interface", "wan0"],
      /^wan0 is configured as a data/,
    ],
    ["the loopback", create("lo"), /^lo is not a physical network card/],
    ["a bridge", create("bridge0"), /^bridge0 is not a physical network card/],
    ["a port of a bridge", create("port0"), /^port0 is part of a bridge or bond/],
    ["a tunnel", create("tunnel0"), /^tunnel0 is not a physical network card/],
    ["one without counterpart", create("clu0", ...match("lan0=lan0")), /^wan0 has no counterpart; add --match wan0=/],
    [
      "one that is matched twice",
      create("clu0", ...match("lan0=lan0", "lan0=wan0", "wan0=wan0")),
      /^An interface of this node is matched twice/,
    ],
    [
      "one that is not configured",
      create("clu0", ...match("lan0=lan0", "wan0=wan0", "port1=lan0")),
      /^port1 is not among this node's configured interfaces/,
    ],
  ];
  for (const [what, words, sentence] of alone)
    test(
      what,
      () =>
        pair.undisturbed(async () => {
          expectSentence(attempt(c, words), sentence);
          expect(await c.role()).toBe("standalone");
        }),
      TEST_MS,
    );

  // The two must have the same number of cards to come this far.
  const together: [string, string[], RegExp][] = [
    ["one that the peer has not", match("lan0=nope", "wan0=wan0"), /node-d has no network card nope\.$/],
    ["the peer's cluster card", match("lan0=clu0", "wan0=wan0"), /^clu0 of node-d is reserved for the cluster network/],
    ["the peer's card matched twice", match("lan0=wan0", "wan0=wan0"), /^wan0 of node-d is matched twice/],
  ];
  test(
    "another number of cards",
    () =>
      pair.undisturbed(async () => {
        const { sentence } = await joined();
        const refusal = /^node-c has 5 network cards and node-d has 3; both need the same number/;
        expectSentence(attempt(c, CREATE), refusal);
        expect(await sentence).toMatch(refusal);
        sh(["ip", "-n", pair.lab.namespace("c"), "link", "del", "port0"]);
      }),
    TEST_MS,
  );
  for (const [what, matches, refusal] of together)
    test(
      `${what}: refused, and the other node goes on waiting`,
      () =>
        pair.undisturbed(async () => {
          const { sentence } = await joined();
          const { status, stderr } = attempt(c, create("clu0", ...matches));
          expect(status).toBe(1);
          // Before that it says what --skip-code gives up.
          expect(stderr.split("\n").at(-1)).toMatch(refusal);
          await until("it waits again", async () => (await d.status())?.pairing?.state === "searching");
          d.command(["cluster", "cancel"]);
          expect(await sentence).toMatch(/^Pairing was cancelled/);
        }),
      TEST_MS,
    );

  test(
    "the future active node's has no link: refused",
    () =>
      pair.undisturbed(() => {
        pair.lab.cable("c", "clu0", false);
        expectSentence(attempt(c, CREATE), /^clu0 has no link; connect its cable to the other node, let that one join/);
        pair.lab.cable("c", "clu0", true);
      }),
    TEST_MS,
  );

  test(
    "the future backup's has no link: it says so and goes on waiting; switched off, both are switched on, and pair",
    () =>
      pair.undisturbed(async () => {
        for (const side of ["c", "d"] as const)
          sh(["ip", "-n", pair.lab.namespace(side), "link", "set", "clu0", "down"]);
        pair.lab.cable("d", "clu0", false);
        const { sentence } = await joined();
        const reason = async () => (await d.status())?.reason;
        await until(
          "it says so",
          async () => (await reason()) === "clu0 has no link; connect its cable to the other node.",
        );
        // The command asks its node once a second.
        await Bun.sleep(2000);
        pair.lab.cable("d", "clu0", true);
        await until("it goes on waiting", async () => (await reason()) === "Waiting for the active node.");
        c.command(CREATE);
        expect((await sentence).split("\n")).toContain("clu0 has no link; connect its cable to the other node.");
        await c.untilRole("active");
        await d.untilRole("backup");
      }),
    TEST_MS,
  );
});

describe("the control socket of the active node", () => {
  const socket = () => join(pair.node(pair.active).run, "control.sock");

  async function request(method: string, path: string, body?: string): Promise<{ status: number; text: string }> {
    const options = { method, unix: socket(), ...(body === undefined ? {} : { body }) };
    const response = await fetch(`http://node${path}`, options as RequestInit);
    return { status: response.status, text: await response.text() };
  }

  const requests: [string, [string, string, string?], number, string][] = [
    ["an unknown route", ["GET", "/nothing"], 404, "There is no GET /nothing."],
    ["a wrong method", ["DELETE", "/status"], 404, "There is no DELETE /status."],
    ["a body that is no JSON", ["PUT", "/settings", "{"], 409, "The request's body is not a JSON object."],
    ["a body that is no object", ["PUT", "/settings", "7"], 409, "The request's body is not a JSON object."],
    ["no body", ["POST", "/cluster/join"], 409, "The request's body is not a JSON object."],
    ["an unknown key", ["PUT", "/settings", '{"colour":1}'], 409, 'Unknown key \\"colour\\"'],
    ["a number for a text", ["POST", "/cluster/join", '{"interface":7}'], 409, "interface must be a text."],
    ["no list", ["POST", "/cluster/apply", '{"interface":"x","matches":7}'], 409, "matches must be a list"],
    ["no number", ["POST", "/cluster/join", '{"interface":"x","timeout_s":"z"}'], 409, "timeout_s must be a number"],
  ];
  for (const [what, asked, status, text] of requests)
    test(`${what}: ${status}`, () =>
      pair.undisturbed(async () => {
        const answer = await request(...asked);
        expect(answer).toEqual({ status, text: expect.stringContaining(text) });
        expect(Object.keys(JSON.parse(answer.text))).toEqual(["code", "message"]);
      }));

  test(
    "a body that is too large",
    () =>
      pair.undisturbed(async () => {
        const huge = JSON.stringify({ server: { name: "x".repeat(5 << 20) } });
        expect((await request("PUT", "/settings", huge)).status).toBe(413);
        expectSentence(
          attempt(pair.node(pair.active), ["settings", "import", "-"], huge),
          /^That is more than a node takes in one request/,
        );
      }),
    TEST_MS,
  );

  test(
    `${SLOW_CLIENTS} requests that begin and never end: others are served, heartbeats go on`,
    () =>
      pair.undisturbed(async () => {
        const slow: Socket[] = [];
        for (let i = 0; i < SLOW_CLIENTS; i++) {
          const client = connect(socket());
          client.on("error", () => {});
          client.write("PUT /settings HTTP/1.1\r\nHost: node\r\nContent-Length: 1000\r\n\r\n{");
          slow.push(client);
        }
        for (let i = 0; i < 20; i++) {
          await Bun.sleep(50);
          expect(await pair.node(pair.active).role()).toBe("active");
        }
        for (const client of slow) client.destroy();
      }),
    TEST_MS,
  );
});

describe("commands", () => {
  const running = [
    ["status"],
    ["events"],
    ["settings", "get"],
    JOIN,
    CREATE,
    ["cluster", "switch"],
    ["cluster", "destroy", "--yes"],
  ];
  test("where no node runs, each says so", () => {
    for (const words of running)
      expectSentence(
        c.attempt(["--run", join(pair.lab.directory, "nowhere"), ...words]),
        /^No node is running at \S+; start one with `understudy node`, or name its directory with --run\.$/,
      );
  });

  test("where a node was killed, each says so", async () => {
    d.kill();
    for (const words of running)
      expectSentence(attempt(d, words), /^The node at \S+ does not answer; is it still running\?$/);
  });

  const usage: [string[], RegExp][] = [
    [["frobnicate"], /^There is no command "frobnicate"/],
    [["settings", "frobnicate"], /^There is no command "settings frobnicate"; these are: get/],
    [["settings", "import"], /^settings import needs a file/],
    [["cluster", "destroy"], /confirm with --yes\.$/],
    [["cluster", "create", "--skip-code"], /^Name the network card for the cluster network with --interface IF\.$/],
    [create("clu0", "--match", "lan0"), /^--match lan0 must look like MINE=THEIRS\.$/],
    [["status", "--colour"], /^Unknown option '--colour'/],
    [["status", "--run"], /'--run <value>' argument missing/],
    [["events", "--last", "many"], /^--last many must be a whole number\.$/],
  ];
  for (const [words, sentence] of usage)
    test(`usage: ${words.join(" ")}`, () => expectSentence(attempt(pair.a, words), sentence, 2));

  test("settings from a file that is not there, or no JSON", () => {
    expectSentence(attempt(pair.a, ["settings", "import", "/nowhere"]), /^\/nowhere is not readable JSON: ENOENT/);
    expectSentence(attempt(pair.a, ["settings", "import", "-"], "{"), /^Standard input is not readable JSON: /);
  });
});
