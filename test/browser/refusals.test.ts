/**
 * Every refusal that the wizard can meet, shown in the node's words where it belongs. What two real nodes say when they do
 * not fit together is in real.test.ts too; here each code is met once, and none is forgotten.
 */
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { launch, openContext, SCREENSHOTS } from "./browser.ts";
import { CODE, Fixture } from "./fixture.ts";
import { pairing, type Situation } from "./situations.ts";

/** Where the nodes' sentences come from. */
const SOURCES = [
  "core/pairing/requirements.ts",
  "core/pairing/creator.ts",
  "control/cluster-card.ts",
  "control/pairing.ts",
  "control/pairing-creator.ts",
  "control/pairing-outcome.ts",
  "control/pairing-session.ts",
];

/** By the step at which it is shown. */
const MET: Record<"search" | "code" | "match" | "summary" | "ended", string[]> = {
  search: [
    "version-differs",
    "cards-differ",
    "same-name",
    "license-differs",
    "code-differs",
    "third-node",
    "joiner-restarted",
    "cluster-present",
    "no-link",
    "pairing-timeout",
    "unknown-interface",
    "interface-in-use",
    "wireless",
    "not-physical",
    "no-card-free",
    "in-cluster",
    "internal",
  ],
  code: ["bad-code", "not-found", "no-answer", "wrong-code"],
  match: ["no-card-free", "unknown-interface", "interface-in-use", "matched-twice", "not-confirmed", "no-answer"],
  summary: [
    "segments-differ",
    "unmatched",
    "no-interfaces",
    "matched-twice",
    "settings-too-large",
    "relay-only",
    "no-answer",
  ],
  // What ends a pairing by itself leads back to the search.
  ended: [
    "peer-gone",
    "third-node",
    "joiner-restarted",
    "cluster-present",
    "no-link",
    "pairing-timeout",
    "cancelled",
    "no-pairing",
  ],
};
/** Not shown: the page waits for the end of what is under way, and shows that. */
const WAITED_FOR = ["pairing", "pairing-busy"];

const messageOf = (code: string) => `The node's own sentence for ${code}; and what to do.`;

let browser: Browser;
let context: BrowserContext;
let fixture: Fixture;

beforeAll(async () => {
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
});
afterEach(async () => {
  await context?.close();
  await fixture?.stop();
});

async function open(situation: Situation): Promise<Page> {
  fixture = new Fixture(situation);
  context = await openContext(browser);
  const page = await context.newPage();
  await page.goto(`${fixture.origin}/#/cluster`);
  await page.locator("h1").first().waitFor();
  return page;
}

const button = (page: Page, name: string | RegExp) => page.getByRole("button", { name });
const refuseNext = (route: string, code: string) => fixture.refusals.set(route, { code, message: messageOf(code) });
const shown = (page: Page, code: string) => page.getByRole("alert").getByText(messageOf(code)).first().waitFor();
const picture = (page: Page, name: string) =>
  page.screenshot({ path: join(SCREENSHOTS, `refused-${name}.png`), fullPage: true });

async function match(page: Page, mine: string, theirs: string): Promise<void> {
  await page.locator("fieldset").first().getByRole("radio", { name: mine }).check();
  await page.locator("fieldset").last().getByRole("radio", { name: theirs }).check();
  await page.getByRole("button", { name: "Match", exact: true }).click();
}

test("no refusal of a pairing is missing here", () => {
  const said = SOURCES.flatMap((file) => {
    const text = readFileSync(join(import.meta.dir, "../../src", file), "utf8");
    return [...text.matchAll(/new Failure\(\s*"([a-z-]+)"/g)].map((found) => found[1] ?? "");
  });
  // Of the rules of a cluster the one that settings must keep before there is one.
  const expected = new Set([...said, "relay-only"]);
  expect([...new Set([...Object.values(MET).flat(), ...WAITED_FOR])].sort()).toEqual([...expected].sort());
});

test("while it searches: where the search is, and another card or another search is offered", async () => {
  const page = await open("standalone");
  await button(page, "Configure active-passive cluster").click();
  await button(page, "It is, continue").click();
  await page.getByRole("radio", { name: /clu0/ }).check();
  for (const code of MET.search) {
    refuseNext("POST /cluster/search", code);
    await button(page, /^Search (again|for the second server)/).click();
    await shown(page, code);
    await page.getByRole("heading", { name: "The search has ended" }).waitFor();
  }
  await button(page, "Choose another card").click();
  await page.getByRole("heading", { name: "Which card is for the cluster network?" }).waitFor();
});

test("where the code is typed: there", async () => {
  const page = await open("wizard-code");
  for (const code of MET.code) {
    refuseNext("POST /cluster/code", code);
    await page.getByLabel(/^Code/).fill(CODE);
    await button(page, "Confirm the code").click();
    await shown(page, code);
    await page.getByRole("heading", { name: "Type the code that node-b shows" }).waitFor();
  }
});

test("where cards are matched: at the pair, which can be tested again or undone", async () => {
  const page = await open("wizard-match");
  const pair = page.locator(".pairs li");
  for (const code of MET.match) {
    refuseNext("POST /cluster/test", code);
    await match(page, "lan0", "lan0");
    await pair.getByText(messageOf(code)).waitFor();
    expect(await button(page, "Continue").isDisabled()).toBe(true);
    await button(page, "Undo lan0 = lan0").click();
  }
  refuseNext("POST /cluster/test", "no-answer");
  await match(page, "lan0", "lan0");
  await button(page, "Test again").click();
  await pair.getByText("back: arrives").waitFor();
});

test("where it is applied: in the summary, and it can be applied again", async () => {
  const page = await open("wizard-match");
  for (const nic of ["lan0", "wan0"]) {
    await match(page, nic, nic);
    await page.getByText(`${nic} = ${nic}`).waitFor();
  }
  await button(page, "Continue").click();
  for (const code of MET.summary) {
    refuseNext("POST /cluster/apply", code);
    await button(page, "Apply").click();
    await shown(page, code);
    await page.getByRole("heading", { name: "What will happen" }).waitFor();
  }
  await picture(page, "apply");
  await button(page, "Apply").click();
  await page.getByText("Communication with the server node-b has been established.").waitFor();
});

test("where a pairing ends by itself: back at the search, from where it begins anew", async () => {
  const page = await open("wizard-match");
  for (const code of MET.ended) {
    await page.getByRole("heading", { name: "Which cards belong together?" }).waitFor();
    refuseNext("POST /cluster/test", code);
    fixture.become({ pairing: null });
    await shown(page, code);
    await page.getByRole("heading", { name: "The search has ended" }).waitFor();
    fixture.become({ pairing: pairing("confirmed") });
  }
});

test("where no card is free for the cluster network: before there is anything to choose", async () => {
  const page = await open("standalone");
  const cards = fixture.answers.cards.map((card) => ({ ...card, used_as: "internal" as const }));
  fixture.answers = { ...fixture.answers, cards };
  await button(page, "Configure active-passive cluster").click();
  await button(page, "It is, continue").click();
  await page.getByText("No network card of this server is free").waitFor();
  expect(await button(page, "Search for the second server").isDisabled()).toBe(true);
  await picture(page, "no-free-card");
});
