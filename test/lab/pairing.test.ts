/** Pairing as administrators meet it (B18, S14), on two real nodes: the code, what goes wrong, and who gives up. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import type { Finding } from "../../src/control/doctor.ts";
import type { LabNode, Talk } from "./node.ts";
import { codeOf, formClusterByCode, MATCHES, SETTINGS } from "./pair.ts";
import { sh, until } from "./shell.ts";
import { LAN_ADDRESS, Lab } from "./topology.ts";

const TEST_MS = 60_000;
const JOIN = ["cluster", "join", "--interface", "clu0", "--name", "node-b"];
const CREATE = ["cluster", "create", "--interface", "clu0"];
const SETTINGS_TEXT = JSON.stringify(SETTINGS);

let lab: Lab;
let a: LabNode;
let b: LabNode;

beforeAll(async () => {
  lab = new Lab();
  [a, b] = [lab.node("a"), lab.node("b")];
  await Promise.all([a.start(), b.start()]);
  a.command(["settings", "import", "-"], SETTINGS_TEXT);
}, TEST_MS);

afterAll(() => lab?.remove());

async function joining(): Promise<Talk> {
  const talk = b.talk(JOIN);
  await until("node b joins", async () => (await b.role()) === "joining");
  return talk;
}

/** Of nodes a and b: paired, a joiner that waits, one that was killed before it had agreed to anything. */
const ENDS = ["active backup", "standalone joining", "standalone standalone"];

const pairingOf = async (node: LabNode) => (await node.status())?.pairing ?? null;
const wrong = (code: string) => (code === "000000" ? "111111" : "000000");

/** Neither has a cluster, a pairing, or anything of one on its disk. */
async function expectUntouched(): Promise<void> {
  for (const node of [a, b]) {
    await until(`node ${node.side} is as it was`, async () => {
      const status = await node.status();
      return status?.role === "standalone" && status.pairing === null;
    });
    expect(readdirSync(node.state).filter((name) => /^(cluster|joining|prepared)/.test(name))).toEqual([]);
  }
}

async function cancelled(talk: Talk): Promise<void> {
  b.command(["cluster", "cancel"]);
  expect(await talk.ended).toMatchObject({ status: 1, said: expect.stringContaining("Pairing was cancelled") });
  await expectUntouched();
}

describe("cancelled", () => {
  for (const how of ["by command", "with Ctrl+C"] as const)
    test(
      `while the joiner waits, ${how}`,
      async () => {
        sh(["ip", "-n", lab.namespace("b"), "link", "set", "clu0", "down"]);
        const talk = await joining();
        expect(await pairingOf(b)).toMatchObject({ side: "joiner", state: "searching", code: null, peer: null });
        expect((await pairingOf(b))?.seconds_left).toBeLessThanOrEqual(3600);
        if (how === "by command") await cancelled(talk);
        else {
          await until("it says how long it waits", () => talk.said().includes("seconds are allowed"));
          talk.signal("SIGINT");
          expect(await talk.ended).toMatchObject({ status: 1, said: expect.stringMatching(/Pairing was cancelled/) });
          await expectUntouched();
        }
        expect(sh(["ip", "-n", lab.namespace("b"), "link", "show", "clu0"])).toContain("state DOWN");
        sh(["ip", "-n", lab.namespace("b"), "link", "set", "clu0", "up"]);
      },
      TEST_MS,
    );

  test(
    "while the creator asks for the code: the joiner goes on waiting",
    async () => {
      const waiting = await joining();
      const creating = a.talk([...CREATE, ...MATCHES]);
      const code = await codeOf(waiting);
      await until("it asks", () => creating.said().includes("Type the code that node-b shows"));
      creating.signal("SIGINT");
      expect(await creating.ended).toMatchObject({ status: 1, said: expect.stringContaining("Pairing was cancelled") });
      await until("the joiner waits for anybody", async () => (await pairingOf(b))?.state === "searching");
      // For the next one there are new keys, and so another code.
      const again = a.talk([...CREATE, ...MATCHES]);
      expect(await codeOf(waiting, code)).not.toBe(code);
      a.command(["cluster", "cancel"]);
      expect((await again.ended).status).toBe(1);
      await cancelled(waiting);
    },
    TEST_MS,
  );
});

describe("the code", () => {
  test(
    "a wrong one is refused on both sides, and five of them end the waiting",
    async () => {
      const waiting = await joining();
      let code = "";
      for (let i = 1; i <= 5; i++) {
        const creating = a.talk([...CREATE, ...MATCHES]);
        code = await codeOf(waiting, code);
        creating.type(wrong(code));
        const { status, said } = await creating.ended;
        expect(status).toBe(1);
        expect(said).toMatch(/That is not the code that node-b shows, or somebody is between the two nodes/);
        if (i < 5) await until("the joiner waits again", async () => (await pairingOf(b))?.state === "searching");
      }
      expect(await waiting.ended).toMatchObject({
        status: 1,
        said: expect.stringMatching(/A wrong code was given 5 times; this node waits no more/),
      });
      await expectUntouched();
    },
    TEST_MS,
  );

  test(
    "waived on one side only: both are told",
    async () => {
      const waiting = await joining();
      const sentence = "node-a was told --skip-code and node-b was not; say it on both nodes or on neither.";
      expect((await a.talk([...CREATE, ...MATCHES, "--skip-code"]).ended).said).toContain(sentence);
      expect((await waiting.ended).said).toContain(sentence);
      await expectUntouched();
    },
    TEST_MS,
  );

  test("what is no code is refused before anything is lost", () => {
    for (const code of ["12345", "abcdef", "1234567"])
      expect(
        a.attempt(["--run", a.run, "cluster", "create", "--interface", "clu0", "--code", code, ...MATCHES]),
      ).toEqual({
        status: 2,
        stdout: "",
        stderr: `--code ${code} must have six digits.`,
      });
  });
});

describe("segments (S14)", () => {
  async function refusal(matches: string[]): Promise<string> {
    const waiting = await joining();
    const creating = a.talk([...CREATE, ...matches]);
    creating.type(await codeOf(waiting));
    const { status, said } = await creating.ended;
    expect(status).toBe(1);
    // The joiner is not to blame, and can be matched anew.
    await until("the joiner waits again", async () => (await pairingOf(b))?.state === "searching");
    await cancelled(waiting);
    return said;
  }

  test(
    "cards of different segments: each is named, and the one that did receive it",
    async () => {
      const said = await refusal(["--match", "lan0=wan0", "--match", "wan0=lan0"]);
      expect(said).toContain("What lan0 of node-a sends does not arrive at wan0 of node-b but at its lan0;");
      expect(said).toContain("What wan0 of node-a sends does not arrive at lan0 of node-b but at its wan0;");
    },
    TEST_MS,
  );

  for (const [side, way, sentence] of [
    ["a", "ingress", "What lan0 of node-a sends does not arrive at lan0 of node-b; put both into one LAN segment."],
    ["b", "ingress", "What lan0 of node-b sends does not arrive at lan0 of node-a; put both into one LAN segment."],
  ] as const)
    test(
      `a switch that swallows what node ${side} sends: the direction is named`,
      async () => {
        lab.silence(side, "lan0", true, "", [way]);
        const said = await refusal(MATCHES);
        lab.silence(side, "lan0", false);
        expect(said).toContain(sentence);
        expect(said).not.toContain("wan0 of");
      },
      TEST_MS,
    );

  test(
    "a card without a link",
    async () => {
      lab.cable("b", "wan0", false);
      const said = await refusal(MATCHES);
      lab.cable("b", "wan0", true);
      expect(said).toContain("wan0 of node-a does not reach wan0 of node-b: wan0 of node-b has no link;");
    },
    TEST_MS,
  );
});

describe("interrupted", () => {
  test(
    "the command is killed while it asks: the node keeps the session, shows it, and lets it be cancelled",
    async () => {
      const waiting = await joining();
      const creating = a.talk([...CREATE, ...MATCHES]);
      const code = await codeOf(waiting);
      await until("it asks", () => creating.said().includes("Type the code"));
      creating.signal("SIGKILL");
      await creating.ended;
      expect(await pairingOf(a)).toMatchObject({ side: "creator", state: "found", peer: { name: "node-b" } });
      expect((await pairingOf(b))?.code).toBe(code);
      a.command(["cluster", "cancel"]);
      await cancelled(waiting);
    },
    TEST_MS,
  );

  test(
    "the creator's node is killed while it asks: the joiner waits again, under new keys",
    async () => {
      const waiting = await joining();
      a.talk([...CREATE, ...MATCHES]);
      const code = await codeOf(waiting);
      a.kill();
      await until("the joiner waits again", async () => (await pairingOf(b))?.state === "searching");
      await a.start();
      const again = a.talk([...CREATE, ...MATCHES]);
      expect(await codeOf(waiting, code)).not.toBe(code);
      again.signal("SIGINT");
      await again.ended;
      await cancelled(waiting);
    },
    TEST_MS,
  );

  test(
    "the joiner's disk refuses the last file: it never uses the addresses as its own, and a restart ends the joining",
    async () => {
      const in_the_way = join(b.state, "cluster.json.new");
      mkdirSync(in_the_way);
      const waiting = await joining();
      const creating = a.talk([...CREATE, ...MATCHES]);
      creating.type(await codeOf(waiting));
      expect(await waiting.ended).toMatchObject({ status: 1, said: expect.stringContaining("cannot be written") });
      await creating.ended;
      const { status, stderr } = b.attempt(["--run", b.run, "settings", "set", "dns.servers=192.0.2.1"]);
      expect({ status, stderr }).toMatchObject({ status: 1, stderr: expect.stringMatching(/^Only the active node/) });
      expect(sh(lab.inside("b", ["ip", "-o", "addr"]))).not.toContain(LAN_ADDRESS);
      b.kill();
      rmdirSync(in_the_way);
      await b.start();
      await b.untilRole("backup");
      a.command(["cluster", "destroy", "--yes"]);
      await b.untilRole("standalone");
      await until("nothing is left", async () => (await a.status())?.reason === "This node is in no cluster.");
      await expectUntouched();
    },
    TEST_MS,
  );

  for (const victim of ["a", "b"] as const)
    for (const delay_ms of [0, 100, 200, 400])
      test(
        `node ${victim} is killed ${delay_ms} ms after the code was typed: both are paired, or as they were`,
        async () => {
          const waiting = await joining();
          const creating = a.talk([...CREATE, ...MATCHES]);
          creating.type(await codeOf(waiting));
          await until(
            "the code is confirmed",
            async () => !["found", "searching"].includes((await pairingOf(a))?.state ?? ""),
          );
          await Bun.sleep(delay_ms);
          lab.node(victim).kill();
          await lab.node(victim).start();
          const roles = async () => [await a.role(), await b.role()].join(" ");
          await until("both agree", async () => ENDS.includes(await roles()), 30_000);
          if ((await roles()) === "active backup") {
            a.command(["cluster", "destroy", "--yes"]);
            await a.untilRole("standalone");
            await b.untilRole("standalone");
          } else if ((await b.role()) === "joining") b.command(["cluster", "cancel"]);
          await Promise.all([waiting.ended, creating.ended]);
          await until("nothing is left", async () => (await a.status())?.reason === "This node is in no cluster.");
          await expectUntouched();
        },
        TEST_MS,
      );
});

describe("doctor (B22)", () => {
  const doctor = (node: LabNode) => {
    const { status, stdout } = node.attempt(["--run", node.run, "doctor", "--json"]);
    return { status, findings: JSON.parse(stdout) as Finding[] };
  };
  const bad = ({ findings }: ReturnType<typeof doctor>) =>
    findings.filter(({ state }) => state === "bad").map(({ what }) => what);

  test("before a cluster: nothing is bad", () => {
    const report = doctor(a);
    expect([bad(report), report.status]).toEqual([[], 0]);
    expect(a.command(["doctor"])).toContain("This node is in no cluster.");
  });

  test(
    "two nodes paired by their code: nothing is bad, and a cut cable is",
    async () => {
      await formClusterByCode(a, b, SETTINGS);
      await a.untilRole("active");
      await b.untilRole("backup");
      for (const node of [a, b]) {
        await until(`nothing is bad on node ${node.side}`, () => doctor(node).status === 0);
        const used = JSON.parse(node.command(["cards", "--json"])) as { nic: string; used_as: string }[];
        expect(Object.fromEntries(used.map(({ nic, used_as }) => [nic, used_as]))).toEqual({
          lan0: "internal",
          wan0: "external",
          clu0: "cluster",
        });
      }
      for (const cable of ["clu0", "wan0"] as const) lab.cable("b", cable, false);
      await until("the doctor of b sees it", () => {
        const report = doctor(b);
        const codes = report.findings.filter(({ state }) => state !== "good").map(({ code }) => code);
        return report.status === 1 && ["cluster-card", "card-link", "one-path"].every((code) => codes.includes(code));
      });
      expect(bad(doctor(b))).toContain("clu0, the card of the cluster network, has no link.");
    },
    TEST_MS,
  );
});
