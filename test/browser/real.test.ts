/**
 * The web interface of two real nodes, with a browser in the client's place of the lab: from nothing to a cluster, and
 * back. Each test goes on where the one before has ended.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { EXECUTABLE, type LabNode, type Talk } from "../lab/node.ts";
import { otherBuild } from "../lab/other-build.ts";
import { codeOf, SETTINGS } from "../lab/pair.ts";
import { sh, until } from "../lab/shell.ts";
import { LAN_ADDRESS, Lab, type Place } from "../lab/topology.ts";
import { developmentKey, signLicense } from "../license/sign.ts";
import { CHROMIUM, launch, openContext, SCREENSHOTS, watch } from "./browser.ts";

const EVENTS_TOLD = 12;
const PASSWORD = "understudies wait in the wings";
const ORIGIN = `https://${LAN_ADDRESS}`;
/** The web process has the lowest priority of all on a machine that may be busy. */
const PATIENCE_MS = 40_000;

let lab: Lab;
let a: LabNode;
let b: LabNode;
let browser: Browser | null = null;
let page: Page;
let strays: string[] = [];
let joining: Talk;

/** Chromium in a place of the lab: one at a time. */
async function browseFrom(place: Place, origin: string): Promise<void> {
  await browser?.close();
  const script = join(lab.directory, `browser-${place}`);
  const words = lab.inside(place, ["setpriv", "--pdeathsig", "KILL", Bun.which(CHROMIUM) ?? CHROMIUM]);
  writeFileSync(script, `#!/bin/sh\nexec ${words.map((word) => `'${word}'`).join(" ")} "$@"\n`);
  chmodSync(script, 0o755);
  browser = await launch(script);
  const context = await openContext(browser);
  context.setDefaultTimeout(PATIENCE_MS);
  page = await context.newPage();
  strays = watch(page, origin);
  await until("the web interface answers", () =>
    page.goto(origin).then(
      () => true,
      () => false,
    ),
  );
}

const button = (name: string | RegExp) => page.getByRole("button", { name });
const heading = (name: string | RegExp) => page.getByRole("heading", { name });
const picture = (name: string) => page.screenshot({ path: join(SCREENSHOTS, `real-${name}.png`), fullPage: true });
const goTo = async (route: string) => {
  await page.evaluate(`location.hash = "#/${route}"`);
};

async function logIn(): Promise<void> {
  await page.getByLabel("Password").fill(PASSWORD);
  await button("Log in").click();
  await heading("Overview").waitFor();
}

async function match(mine: string, theirs: string): Promise<void> {
  await page.locator("fieldset").first().getByRole("radio", { name: mine }).check();
  await page.locator("fieldset").last().getByRole("radio", { name: theirs }).check();
  await page.getByRole("button", { name: "Match", exact: true }).click();
  await page.getByText(`${mine} = ${theirs}`).waitFor();
}

/** The future backup waits on its console. */
function waitOnConsole(name: string, ...words: string[]): void {
  joining = b.talk(["cluster", "join", "--interface", "clu0", "--name", name, ...words]);
}

/** A test that leaves a picture where it fails, and what the nodes have to say. */
function scene(name: string, act: () => Promise<void>): void {
  test(name, async () => {
    try {
      await act();
    } catch (error) {
      await picture(`failed-${name.replace(/\W+/g, "-").slice(0, 40)}`).catch(() => {});
      for (const node of [a, b]) {
        const events = await node.events().catch(() => []);
        for (const { code, message } of events.slice(-EVENTS_TOLD)) console.error(`  ${node.side} ${code}: ${message}`);
      }
      throw error;
    }
  });
}

beforeAll(async () => {
  lab = new Lab({ a: "clu", b: "clu", c: "clu" });
  a = lab.node("a");
  b = lab.node("b");
  b.executable = otherBuild(lab.directory);
  for (const node of [a, b]) node.options = ["--web", "0.0.0.0:443"];
  await a.start();
  await b.start();
  a.command(["settings", "import", "-"], JSON.stringify(SETTINGS));
  await browseFrom("client", ORIGIN);
});
afterAll(async () => {
  await browser?.close();
  lab?.remove();
});

scene("the first password is set in the browser", async () => {
  await page.getByLabel("New password").fill(PASSWORD);
  await page.getByLabel("The same again").fill(PASSWORD);
  await button("Set password and log in").click();
  await heading("Overview").waitFor();
  await page.getByText("This server works alone.").waitFor();
});

scene("the wizard begins: the picture is confirmed, and a card is chosen", async () => {
  await goTo("cluster");
  await button("Configure active-passive cluster").click();
  await button("It is, continue").click();
  await page.getByRole("radio", { name: /clu0/ }).check();
});

/** A search that must fail: what the wizard says where the search is. */
async function expectRefused(search: RegExp, sentence: RegExp, photograph: string): Promise<void> {
  await button(search).click();
  await page.getByRole("alert").getByText(sentence).waitFor();
  await heading("The search has ended").waitFor();
  await picture(`refused-${photograph}`);
}

/** And its console says the same. */
async function expectToldThere(sentence: RegExp, { ended }: Talk = joining): Promise<void> {
  const { status, said } = await ended;
  expect({ status, said }).toEqual({ status: 1, said: expect.stringMatching(sentence) });
}

scene("a node of another build is refused, in the wizard and on its console (S14)", async () => {
  const sentence = /node-a has version (\S+) build \d+, node-b has \1 build 1; bring both to the same one\./;
  waitOnConsole("node-b");
  await expectRefused(/^Search for the second server/, sentence, "version");
  await expectToldThere(sentence);
  await b.stop();
  b.executable = EXECUTABLE;
  await b.start();
});

scene("a node with another number of network cards is refused (S14)", async () => {
  const sentence = /node-a has 3 network cards and node-b has 4; both need the same number\./;
  const link = (...words: string[]) => sh(["ip", "-n", lab.namespace("b"), "link", ...words]);
  link("add", "opt0", "type", "veth", "peer", "name", "opt0", "netns", lab.namespace("host"));
  waitOnConsole("node-b");
  await expectRefused(/^Search again/, sentence, "cards");
  await expectToldThere(sentence);
  link("del", "opt0");
});

scene("a node of the same name is refused (S14)", async () => {
  const sentence = /Both nodes are called node-a; give one of them another name\./;
  waitOnConsole("node-a");
  await expectRefused(/^Search again/, sentence, "name");
  await expectToldThere(sentence);
});

scene("a license that would be lost is refused (S13)", async () => {
  const sentence =
    /node-b has a license that node-a does not have, .* install it on node-a first, or remove it there\./;
  const payload = { product: "understudy", holder: "Lab", serial: "1", issued: "2020-01-01", nodes: 2 };
  b.command(["license", "install", "-"], signLicense(payload, developmentKey()));
  waitOnConsole("node-b");
  await expectRefused(/^Search again/, sentence, "license");
  await expectToldThere(sentence);
  b.command(["settings", "import", "-"], JSON.stringify({ server: { name: "node-b" } }));
});

scene("a code that one side does without is refused", async () => {
  const sentence = /node-b was told --skip-code and node-a was not; say it on both nodes or on neither\./;
  waitOnConsole("node-b", "--skip-code");
  await expectRefused(/^Search again/, sentence, "skipped-code");
  await expectToldThere(sentence);
});

scene("three nodes on one cluster network are refused (S1, S14)", async () => {
  const sentence =
    /More than two nodes answer on this cluster network \(node-[bc] and node-[bc] both wait to join\); leave only the two/;
  const c = lab.node("c");
  await c.start();
  waitOnConsole("node-b");
  const third = c.talk(["cluster", "join", "--interface", "clu0", "--name", "node-c"]);
  for (const node of [b, c]) await until(`node ${node.side} waits`, async () => (await node.role()) === "joining");
  await expectRefused(/^Search again/, sentence, "third-node");
  await expectToldThere(sentence);
  await expectToldThere(sentence, third);
  await c.stop();
});

scene("a card without a link is refused", async () => {
  lab.cable("a", "clu0", false);
  await expectRefused(/^Search again/, /clu0 has no link; connect its cable to the other node/, "no-link");
  lab.cable("a", "clu0", true);
});

scene("a wrong code is refused on both sides, and the next one is another", async () => {
  waitOnConsole("node-b");
  await button("Search again").click();
  await heading("Type the code that node-b shows").waitFor();
  const code = await codeOf(joining);
  await page.getByLabel(/^Code/).fill(code === "000000" ? "000001" : "000000");
  await button("Confirm the code").click();
  const next = await codeOf(joining, code);
  await heading("Type the code that node-b shows").waitFor();
  await page.getByRole("alert").waitFor();
  await picture("wrong-code");
  await page.getByLabel(/^Code/).fill(next);
  await button("Confirm the code").click();
  await heading("Which cards belong together?").waitFor();
});

scene("a cable that is cut in the middle ends the pairing, and is said", async () => {
  const before = await codeOf(joining);
  lab.silence("b", "clu0", true);
  await page.getByText("is not heard any more").waitFor();
  await picture("cut");
  lab.silence("b", "clu0", false);
  await button("Search again").click();
  await heading("Type the code that node-b shows").waitFor();
  await page.getByLabel(/^Code/).fill(await codeOf(joining, before));
  await button("Confirm the code").click();
  await heading("Which cards belong together?").waitFor();
});

scene("cards of different segments are found out, and the right ones make a cluster", async () => {
  await match("lan0", "wan0");
  await page
    .locator(".pairs")
    .getByText("What lan0 of node-a sends does not arrive at wan0 of node-b but at its lan0; exchange the cables")
    .waitFor();
  await picture("wrong-match");
  await button("Undo lan0 = wan0").click();
  await match("lan0", "lan0");
  await page.reload();
  await page.getByText("lan0 = lan0").waitFor();
  await match("wan0", "wan0");
  await page.getByText("back: arrives").nth(1).waitFor();
  await button("Continue").click();
  await picture("summary");
  await button("Apply").click();
  await page.getByText("Communication with the server node-b has been established.").waitFor();
  expect((await joining.ended).status).toBe(0);
  await button("Show the cluster").click();
  await page.getByText("The cluster is operational").waitFor();
  // Each of the two has just begun; the other one says so itself.
  await page
    .getByText(/^\d+ (minute|second)/)
    .nth(1)
    .waitFor();
  await until("the status knows both too", async () => (await a.status())?.peer?.uptime_s !== null);
  await page.waitForTimeout(3000);
  await picture("cluster");
});

scene("in the cluster what it forbids is refused, and what it allows is replicated", async () => {
  await goTo("interfaces");
  await page.getByText("Interfaces cannot be added or deleted in a cluster").waitFor();
  expect(await button("Add an interface").isDisabled()).toBe(true);
  await goTo("server");
  expect(await page.getByLabel("Server name").isDisabled()).toBe(true);
  await page.getByLabel("Time zone").fill("Europe/Rome");
  await button("Save").click();
  await page.getByText("The settings are stored.").waitFor();
  await until("it is on the other node", () => b.command(["settings", "get", "time.zone"]).includes("Europe/Rome"));
});

scene("a switch with the page open: it goes on with the other node, still logged in, and back", async () => {
  for (const name of ["node-b", "node-a"]) {
    await goTo("cluster");
    await button("Switch over").click();
    await page.getByRole("dialog").getByRole("button", { name: "Switch over" }).click();
    await page.locator(".top-name", { hasText: name }).waitFor();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.getByText("The cluster is operational").waitFor();
    await picture(`switched-to-${name}`);
  }
});

scene("maintenance begins and ends from the page, and the backup knows", async () => {
  await goTo("cluster");
  await page
    .locator(".timeline")
    .getByText(/outage (below )?\d+ ms/)
    .first()
    .waitFor();
  await page.getByRole("button", { name: "Maintenance", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Begin maintenance" }).click();
  await button("End maintenance").waitFor();
  await until("node b is in maintenance", async () => (await b.status())?.maintenance === true);
  await picture("maintenance");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await button("End maintenance").click();
  await page.getByRole("dialog").getByRole("button", { name: "End maintenance" }).click();
  await page.getByRole("button", { name: "Maintenance", exact: true }).waitFor();
  await until("its maintenance has ended", async () => (await b.status())?.maintenance === false);
});

scene("the backup's page shows its state and changes nothing", async () => {
  expect(strays).toEqual([]);
  await browseFrom("b", "https://127.0.0.1");
  await logIn();
  await goTo("cluster");
  await page.getByText("This is the backup node").waitFor();
  const link = page.getByRole("link", { name: /^Open the active node at/ });
  expect(await link.getAttribute("href")).toBe(`${ORIGIN}/`);
  expect(await button("Switch over").count()).toBe(0);
  await picture("backup");
  await goTo("nat");
  await page.getByText("Only the active node of a cluster takes changes").waitFor();
});

scene("the cluster is destroyed from the page: this node goes on, the other one is reset", async () => {
  await browseFrom("client", ORIGIN);
  await logIn();
  await goTo("cluster");
  await button("Destroy cluster").click();
  await button("Yes, destroy it").click();
  await heading("What a cluster is").waitFor();
  await picture("destroyed");
  await b.untilRole("standalone");
  expect(await a.role()).toBe("standalone");
  await until("it is as fresh as from the factory", () => !b.command(["settings", "export"]).includes("lan0"));
  expect(strays).toEqual([]);
});
