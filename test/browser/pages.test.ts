/** Every page in every state that it knows: looked at by axe, and photographed in light, dark and on a phone. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { LOOKS, type Look, launch, openContext, SCREENSHOTS, show, watch } from "./browser.ts";
import { Fixture } from "./fixture.ts";
import type { Situation } from "./situations.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface Shot {
  name: string;
  situation: Situation;
  route: string;
  /** Before the picture: opens a dialog, goes on a step. */
  before?: (page: Page) => Promise<void>;
  logged_in?: boolean;
}

const click = (name: string | RegExp) => (page: Page) => page.getByRole("button", { name }).first().click();

const SHOTS: Shot[] = [
  { name: "login", situation: "active", route: "overview", logged_in: false },
  { name: "login-first", situation: "fresh", route: "overview", logged_in: false },
  { name: "overview-fresh", situation: "fresh", route: "overview" },
  { name: "overview-standalone", situation: "standalone", route: "overview" },
  { name: "overview-active", situation: "active", route: "overview" },
  { name: "overview-alarms", situation: "alarms", route: "overview" },
  { name: "cluster-fresh", situation: "fresh", route: "cluster" },
  { name: "cluster-standalone", situation: "standalone", route: "cluster" },
  {
    name: "wizard-1-topology",
    situation: "standalone",
    route: "cluster",
    before: click("Configure active-passive cluster"),
  },
  {
    name: "wizard-2-card",
    situation: "standalone",
    route: "cluster",
    before: async (page) => {
      await click("Configure active-passive cluster")(page);
      await click("It is, continue")(page);
      await page.getByRole("radio", { name: /clu0/ }).check();
    },
  },
  { name: "wizard-3-search", situation: "wizard-searching", route: "cluster" },
  { name: "wizard-4-code", situation: "wizard-code", route: "cluster" },
  {
    name: "wizard-5-match",
    situation: "wizard-match",
    route: "cluster",
    before: async (page) => {
      await matchCards(page, "wan0", "opt0");
      await page.getByText("are not in one segment").waitFor();
      await page.getByRole("radio", { name: /lan0/ }).first().check();
    },
  },
  {
    name: "wizard-6-summary",
    situation: "wizard-match",
    route: "cluster",
    before: async (page) => {
      await matchCards(page, "lan0", "lan0");
      await matchCards(page, "wan0", "wan0");
      await click("Continue")(page);
    },
  },
  { name: "wizard-7-apply", situation: "wizard-applying", route: "cluster" },
  { name: "cluster-joining", situation: "joining", route: "cluster" },
  { name: "cluster-active", situation: "active", route: "cluster", before: (page) => page.waitForTimeout(4000) },
  { name: "cluster-switch", situation: "active", route: "cluster", before: click("Switch over") },
  { name: "cluster-destroy", situation: "peer-away", route: "cluster", before: click("Destroy cluster") },
  { name: "cluster-backup", situation: "backup", route: "cluster" },
  { name: "cluster-peer-away", situation: "peer-away", route: "cluster" },
  { name: "cluster-alarms", situation: "alarms", route: "cluster", before: (page) => page.waitForTimeout(3000) },
  { name: "cluster-maintenance", situation: "maintenance", route: "cluster" },
  { name: "cluster-versions-differ", situation: "versions-differ", route: "cluster" },
  { name: "interfaces-standalone", situation: "standalone", route: "interfaces" },
  { name: "interfaces-active", situation: "active", route: "interfaces" },
  { name: "interfaces-edit", situation: "active", route: "interfaces", before: click("Edit wan0") },
  { name: "nat", situation: "active", route: "nat" },
  { name: "nat-edit", situation: "active", route: "nat", before: click("Add a port forward") },
  { name: "mail", situation: "active", route: "mail" },
  { name: "server-active", situation: "active", route: "server" },
  { name: "server-standalone", situation: "standalone", route: "server", before: click("Turn off") },
  { name: "update", situation: "active", route: "update" },
  { name: "license", situation: "active", route: "license" },
  { name: "backups-active", situation: "active", route: "backups" },
  { name: "backups-standalone", situation: "standalone", route: "backups", before: click(/^Restore 2026-11-24/) },
  { name: "administrators", situation: "active", route: "administrators" },
  { name: "administrators-backup", situation: "backup", route: "administrators" },
  { name: "events", situation: "active", route: "events" },
  { name: "checks", situation: "active", route: "checks" },
];

async function matchCards(page: Page, mine: string, theirs: string): Promise<void> {
  await page.locator("fieldset").first().getByRole("radio", { name: mine }).check();
  await page.locator("fieldset").last().getByRole("radio", { name: theirs }).check();
  await page.getByRole("button", { name: "Match", exact: true }).click();
  await page.getByText(`${mine} = ${theirs}`).waitFor();
}

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
});

interface AxeResult {
  violations: { id: string; impact: string | null; nodes: { target: unknown; failureSummary?: string }[] }[];
}

async function seriousViolations(page: Page): Promise<string[]> {
  const { violations } = (await page.evaluate("axe.run(document)")) as AxeResult;
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.target} (${node.failureSummary})`).join("; ")}`);
}

for (const { name, situation, route, before, logged_in = true } of SHOTS) {
  test(`${name}: nothing serious for axe, nothing against the policy, nothing wider than the screen`, async () => {
    const fixture = new Fixture(situation, { logged_in });
    const context = await openContext(browser);
    try {
      const page = await context.newPage();
      const strays = watch(page, fixture.origin);
      await page.goto(`${fixture.origin}/#/${route}`);
      await page.locator("h1").first().waitFor();
      await settled(page);
      await before?.(page);
      // Scripts of the test itself are no part of the page, and its policy does not hold for them.
      await page.evaluate(AXE);
      for (const look of Object.keys(LOOKS) as Look[]) {
        await show(page, look);
        await page.screenshot({ path: join(SCREENSHOTS, `${name}.${look}.png`), fullPage: true });
        expect(await seriousViolations(page)).toEqual([]);
        expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBe(0);
      }
      expect(strays).toEqual([]);
    } finally {
      await context.close();
      await fixture.stop();
    }
  });
}

/** What is asked for at the beginning has come. */
async function settled(page: Page): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const loading = await page.getByText("Loading …").count();
    if (loading === 0) return;
    await page.waitForTimeout(50);
  }
}
