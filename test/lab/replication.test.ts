/** B8 and S8: settings replicate while they are made, by role and never by name; what is confirmed is not lost. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import type { LabNode } from "./node.ts";
import { SETTINGS } from "./pair.ts";
import { sh, until } from "./shell.ts";
import { Lab } from "./topology.ts";

const TEST_MS = 120_000;
const CHANGES = 1000;
const SWITCHES = 6;
/** Of the 1,000 revisions that are listed: some room for those before. */
const LISTED_AFTER = 500;

let lab: Lab;
let a: LabNode;
let b: LabNode;

interface Answer {
  ok: boolean;
  body: { revision?: number; code?: string; message?: string };
}

interface RevisionLine {
  number: number;
  id: string;
  author: string;
}

async function ask<T>(node: LabNode, path: string, init: RequestInit = {}): Promise<{ ok: boolean; body: T }> {
  const response = await fetch(`http://node${path}`, { unix: join(node.run, "control.sock"), ...init } as RequestInit);
  return { ok: response.ok, body: (await response.json()) as T };
}

function change(node: LabNode, server: string, author: string, alone = false): Promise<Answer> {
  const body = JSON.stringify({ set: { "dns.servers": [server] } });
  return ask(node, `/settings?author=${author}${alone ? "&alone=1" : ""}`, { method: "PATCH", body });
}

const revisionsOf = async (node: LabNode) =>
  (
    await ask<{ revisions: RevisionLine[]; kept: { name: string; revisions: RevisionLine[] }[] }>(
      node,
      "/settings/revisions",
    )
  ).body;
const settingsOf = async (node: LabNode) =>
  (await ask<{ interfaces: { nic: string; enabled?: boolean }[]; dns: { servers: string[] } }>(node, "/settings")).body;

async function active(): Promise<LabNode> {
  let found: LabNode | undefined;
  await until("one node is active, the other backup", async () => {
    const roles = await Promise.all([a.role(), b.role()]);
    found = roles.join() === "active,backup" ? a : roles.join() === "backup,active" ? b : undefined;
    return found !== undefined;
  });
  return found as LabNode;
}

const other = (node: LabNode): LabNode => (node === a ? b : a);

async function untilInSync(): Promise<void> {
  try {
    await until("both in sync", async () => {
      const both = await Promise.all([a.status(), b.status()]);
      const [one, two] = both.map((status) => status?.sync);
      return one?.state === "in-sync" && two?.state === "in-sync" && one.revision === two.revision;
    });
  } catch (error) {
    throw new Error(`${error}\n${a.log().slice(-3000)}\n${b.log().slice(-3000)}`);
  }
}

beforeAll(async () => {
  lab = new Lab();
  [a, b] = [lab.node("a"), lab.node("b")];
  for (const words of ["lan0 down", "lan0 name east0", "east0 up"])
    sh(lab.inside("b", ["ip", "link", "set", ...words.split(" ")]));
  await Promise.all([a.start(), b.start()]);
  a.command(["settings", "import", "-"], JSON.stringify({ ...SETTINGS, cluster: { on_link_loss: "stay" } }));
  const joining = b.commandLater(["cluster", "join", "--interface", "clu0", "--name", "node-b", "--skip-code"]);
  await until("node b joins", async () => (await b.role()) === "joining");
  const matches = ["--match", "lan0=east0", "--match", "wan0=wan0"];
  await a.commandLater(["cluster", "create", "--interface", "clu0", ...matches, "--skip-code"]);
  await joining;
  await active();
  await untilInSync();
}, TEST_MS);

afterAll(() => lab?.remove());

test(
  "a change on the active node is on the backup when it is confirmed, with the backup's own names of interfaces",
  async () => {
    const one = await active();
    expect(await change(one, "192.0.2.1", "first")).toMatchObject({ ok: true });
    const theirs = await settingsOf(other(one));
    expect(theirs.dns.servers).toEqual(["192.0.2.1"]);
    expect((await settingsOf(b)).interfaces.map(({ nic }) => nic)).toEqual(["east0", "wan0"]);
    expect((await settingsOf(a)).interfaces.map(({ nic }) => nic)).toEqual(["lan0", "wan0"]);
    expect(await change(other(one), "192.0.2.2", "backup")).toMatchObject({ ok: false, body: { code: "not-active" } });
  },
  TEST_MS,
);

test(
  "the backup is away: changes are confirmed alone, and it catches up",
  async () => {
    const one = await active();
    const two = other(one);
    two.kill();
    await until("the active node misses it", async () => (await one.status())?.peer?.heard === false);
    for (let i = 1; i <= 20; i++) expect(await change(one, `192.0.2.${i}`, `away-${i}`)).toMatchObject({ ok: true });
    expect((await one.status())?.sync.state).toBe("away");
    await two.start();
    await untilInSync();
    expect((await settingsOf(two)).dns.servers).toEqual(["192.0.2.20"]);
    expect((await one.events()).map(({ code }) => code)).toContain("settings-alone");
  },
  TEST_MS,
);

test(
  `${CHANGES} changes while the nodes switch ${SWITCHES} times: nothing confirmed is lost, and both end equal`,
  async () => {
    await active();
    let confirmed: string[] = [];
    let refused = 0;
    let node = a;
    const check = async (): Promise<void> => {
      await active();
      await untilInSync();
      const [one, two] = await Promise.all([revisionsOf(a), revisionsOf(b)]);
      expect(one.revisions[0]?.id).toBe(two.revisions[0]?.id as string);
      for (const { revisions } of [one, two]) {
        const authors = new Set(revisions.map(({ author }) => author));
        expect(confirmed.filter((author) => !authors.has(author))).toEqual([]);
      }
      confirmed = [];
    };
    for (let i = 1, total = 0; total < CHANGES; i++) {
      if (i % Math.ceil(CHANGES / SWITCHES) === 0)
        void ask(node, "/cluster/switch", { method: "POST" }).catch(() => undefined);
      const author = `change-${i}`;
      const { ok } = await change(node, `192.0.2.${i % 250}`, author);
      if (ok) {
        confirmed.push(author);
        if (++total % LISTED_AFTER === 0) await check();
      } else {
        refused++;
        node = other(node);
        if (refused > 2000) throw new Error("no node takes changes");
      }
    }
    await check();
    expect(refused).toBeGreaterThan(0);
    expect([await revisionsOf(a), await revisionsOf(b)].flatMap(({ kept }) => kept)).toEqual([]);
  },
  TEST_MS,
);

test(
  "the cluster cable is cut, and the peer still heard: a change is refused, unless it is wanted alone",
  async () => {
    const one = await active();
    lab.silence("a", "clu0", true);
    await until("the connection is gone", async () => (await one.status())?.sync.state === "away");
    expect((await one.status())?.peer?.heard).toBe(true);
    const refused = await change(one, "192.0.2.77", "refused");
    expect(refused).toMatchObject({ ok: false, body: { code: "not-replicated" } });
    expect(refused.body.message).toContain("--alone");
    expect(await change(one, "192.0.2.78", "alone", true)).toMatchObject({ ok: true });
    lab.silence("a", "clu0", false);
    await untilInSync();
    expect((await settingsOf(other(one))).dns.servers).toEqual(["192.0.2.78"]);
  },
  TEST_MS,
);

test(
  "both were active apart: the active node's settings apply, the other one's are kept under a name",
  async () => {
    await active();
    for (const nic of ["clu0", "lan0", "wan0"] as const) lab.silence("a", nic, true);
    await until("both are active", async () => (await Promise.all([a.role(), b.role()])).join() === "active,active");
    expect(await change(a, "192.0.2.101", "island-a")).toMatchObject({ ok: true });
    expect(await change(b, "192.0.2.102", "island-b")).toMatchObject({ ok: true });
    for (const nic of ["clu0", "lan0", "wan0"] as const) lab.silence("a", nic, false);
    const one = await active();
    await untilInSync();
    const two = other(one);
    const [server, lost] = one === a ? ["192.0.2.101", "island-b"] : ["192.0.2.102", "island-a"];
    for (const node of [a, b]) expect((await settingsOf(node)).dns.servers).toEqual([server]);
    const { kept } = await revisionsOf(two);
    expect(kept.map(({ revisions }) => revisions.map(({ author }) => author))).toEqual([[lost]]);
    expect(kept[0]?.name).toMatch(/^unshared-2\d{3}-/);
    expect((await two.events()).map(({ code }) => code)).toContain("settings-kept");
    expect((await ask(two, `/settings/revisions/${kept[0]?.name}`)).ok).toBe(true);
  },
  TEST_MS,
);

test(
  "somebody takes away the address that the settings travel over: it is put back",
  async () => {
    await active();
    const addresses = () => sh(lab.inside("b", ["ip", "-6", "-o", "addr", "show", "dev", "clu0"]));
    expect(addresses()).toContain(":2/64");
    sh(lab.inside("b", ["ip", "-6", "addr", "flush", "dev", "clu0"]));
    expect(addresses()).not.toContain(":2/64");
    await until("it is back", () => addresses().includes(":2/64"));
    await untilInSync();
    expect(await change(await active(), "192.0.2.200", "after")).toMatchObject({ ok: true });
  },
  TEST_MS,
);
