/** What an administrator does, click by click, against a node of canned answers. */

import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { launch, openContext, show } from "./browser.ts";
import { CODE, Fixture, PASSWORD } from "./fixture.ts";
import type { Situation } from "./situations.ts";

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

async function open(situation: Situation, route: string, { logged_in = true } = {}): Promise<Page> {
  fixture = new Fixture(situation, { logged_in });
  context = await openContext(browser);
  const page = await context.newPage();
  await page.goto(`${fixture.origin}/#/${route}`);
  await page.locator("h1").first().waitFor();
  return page;
}

const button = (page: Page, name: string | RegExp) => page.getByRole("button", { name });

async function match(page: Page, mine: string, theirs: string): Promise<void> {
  await page.locator("fieldset").first().getByRole("radio", { name: mine }).check();
  await page.locator("fieldset").last().getByRole("radio", { name: theirs }).check();
  await page.getByRole("button", { name: "Match", exact: true }).click();
}

test("a wrong password is refused in the node's words, the right one lets in", async () => {
  const page = await open("active", "events", { logged_in: false });
  await page.getByLabel("Password").fill("wrong");
  await button(page, "Log in").click();
  await page.getByText("The name or the password is wrong.").waitFor();
  await page.getByLabel("Password").fill(PASSWORD);
  await button(page, "Log in").click();
  // The place that was asked for is kept.
  await page.getByRole("heading", { name: "Events" }).waitFor();
  await button(page, /^Log out/).click();
  await page.getByLabel("Password").waitFor();
  expect(fixture.logged_in).toBe(false);
});

test("the first password of a new server is set twice the same, and good enough for the node", async () => {
  const page = await open("fresh", "overview", { logged_in: false });
  await page.getByLabel("New password").fill("short");
  await page.getByLabel("The same again").fill("other");
  await button(page, "Set password and log in").click();
  await page.getByText("The two passwords differ").waitFor();
  await page.getByLabel("The same again").fill("short");
  await button(page, "Set password and log in").click();
  await page.getByText("That password has fewer than 12 characters").waitFor();
  await page.getByLabel("New password").fill(PASSWORD);
  await page.getByLabel("The same again").fill(PASSWORD);
  await button(page, "Set password and log in").click();
  await page.getByRole("heading", { name: "Overview" }).waitFor();
});

test("a cluster is created, with a wrong code and a wrong match on the way", async () => {
  const page = await open("standalone", "cluster");
  await button(page, "Configure active-passive cluster").click();
  await page.getByText("A provider that binds to a MAC address").waitFor();
  await button(page, "It is, continue").click();
  await expect(page.getByRole("radio", { name: /lan0/ }).isDisabled()).resolves.toBe(true);
  await page.getByRole("radio", { name: /clu0/ }).check();
  await button(page, "Search for the second server").click();
  await page.getByRole("heading", { name: "Type the code that node-b shows" }).waitFor();
  await page.getByLabel(/^Code/).fill("111111");
  await button(page, "Confirm the code").click();
  await page.getByText("That is not the code that node-b shows").waitFor();
  await page.getByRole("heading", { name: "Type the code that node-b shows" }).waitFor();
  await page.getByLabel(/^Code/).fill(CODE);
  await button(page, "Confirm the code").click();
  await page.getByRole("heading", { name: "Which cards belong together?" }).waitFor();
  await match(page, "lan0", "opt0");
  await page.getByText("are not in one segment").waitFor();
  await button(page, "Undo lan0 = opt0").click();
  await match(page, "lan0", "lan0");
  await match(page, "wan0", "wan0");
  await page.getByText("back: arrives").nth(1).waitFor();
  await button(page, "Continue").click();
  await page.getByText("all its settings are deleted").waitFor();
  await button(page, "Apply").click();
  await page.getByText("waiting for communication with it").waitFor();
  await page.getByText("Communication with the server node-b has been established.").waitFor();
  await button(page, "Show the cluster").click();
  await page.getByRole("heading", { name: "Shared addresses" }).waitFor();
});

test("a wizard that was left goes on where the node's pairing is, with the matches made before", async () => {
  const page = await open("wizard-match", "cluster");
  await match(page, "lan0", "lan0");
  await page.getByText("back: arrives").waitFor();
  await page.reload();
  await page.getByText("lan0 = lan0").waitFor();
  await page.getByText("back: arrives").waitFor();
  await page.goto(`${fixture.origin}/#/events`);
  await page.getByRole("heading", { name: "Events" }).waitFor();
  await page.goto(`${fixture.origin}/#/cluster`);
  await page.getByText("lan0 = lan0").waitFor();
  await button(page, "Cancel pairing").click();
  await page.getByRole("heading", { name: "What a cluster is" }).waitFor();
  expect(fixture.asked).toContain("DELETE /cluster/pairing");
});

test("a pairing that ends by itself says why, and can be begun again", async () => {
  const page = await open("wizard-match", "cluster");
  await page.getByRole("heading", { name: "Which cards belong together?" }).waitFor();
  fixture.become({ pairing: null });
  await page.getByText("node-b is not heard any more").waitFor();
  await button(page, "Choose another card").click();
  await page.getByRole("radio", { name: /clu0/ }).check();
  await button(page, "Search for the second server").click();
  await page.getByRole("heading", { name: "Type the code that node-b shows" }).waitFor();
});

test("a switch says what will happen, and the page goes on with the other node", async () => {
  const page = await open("active", "cluster");
  await button(page, "Switch over").click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("becomes active and handles all traffic").waitFor();
  await dialog.getByRole("button", { name: "Switch over" }).click();
  await page.getByText("Switching over to node-b").waitFor();
  await page.getByText("node-b answers at this address now").waitFor();
  await page.locator(".top-name", { hasText: "node-b" }).waitFor();
  await page.getByText("Switching over to node-b").waitFor({ state: "detached" });
});

test("maintenance begins and ends, and says what it means for which node", async () => {
  const page = await open("active", "cluster");
  await button(page, "Maintenance").click();
  await page.getByRole("dialog").getByText("should it fail, traffic stands still").waitFor();
  await button(page, "Begin maintenance").click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await button(page, "End maintenance").click();
  await page.getByRole("dialog").getByRole("button", { name: "End maintenance" }).click();
  await page.getByText("node-b takes over again.").waitFor();
  await button(page, "Maintenance").waitFor();
});

test("destroying asks first, and No leaves everything as it is", async () => {
  const page = await open("active", "cluster");
  await button(page, "Destroy cluster").click();
  await page.getByRole("dialog").getByText("is reset to a fresh install").waitFor();
  await button(page, "No").click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  expect(fixture.asked).not.toContain("POST /cluster/destroy");
  await button(page, "Destroy cluster").click();
  await button(page, "Yes, destroy it").click();
  await page.getByRole("heading", { name: "What a cluster is" }).waitFor();
});

test("a lost connection is shown, and found again", async () => {
  const page = await open("active", "overview");
  await page.getByText("All is well").waitFor();
  fixture.silent = true;
  fixture.dropStreams();
  await page.getByText("No connection to the server.").waitFor();
  fixture.silent = false;
  await page.getByText("Connected again.").waitFor();
  await page.getByText("No connection to the server.").waitFor({ state: "detached" });
});

test("a session that has ended asks for the password, and says why", async () => {
  const page = await open("active", "overview");
  await page.getByText("All is well").waitFor();
  fixture.logged_in = false;
  fixture.dropStreams();
  await page.getByText("Your session has ended; log in again.").waitFor();
});

test("in a cluster interfaces are edited and disabled, but neither added nor deleted", async () => {
  const page = await open("active", "interfaces");
  await page.getByText("Interfaces cannot be added or deleted in a cluster").waitFor();
  expect(await button(page, "Add an interface").isDisabled()).toBe(true);
  expect(await button(page, "Delete lan0").isDisabled()).toBe(true);
  await button(page, "Disable lan0").click();
  await page.getByRole("dialog").getByRole("button", { name: "Disable" }).click();
  await button(page, "Enable lan0").waitFor();
  expect(fixture.answers.settings.interfaces[0]?.enabled).toBe(false);
});

test("what the node refuses is said in the form, and what was typed stays", async () => {
  const page = await open("active", "nat");
  await button(page, "Add a port forward").click();
  const message = "nat.port_forwards: tcp port 443 is forwarded twice; keep one entry.";
  fixture.refusals.set("PATCH /settings", { code: "bad-settings", message });
  await page.getByLabel("External port").fill("443");
  await page.getByLabel("To this address").fill("10.1.0.9");
  await button(page, "Save").click();
  await page.getByText(message).waitFor();
  expect(await page.getByLabel("To this address").inputValue()).toBe("10.1.0.9");
  await page.getByLabel("External port").fill("8443");
  await button(page, "Save").click();
  await page.getByText("10.1.0.9:8443").waitFor();
});

/** Types in the very moment in which the field appears, as a quick hand would; what the field has a little later. */
const TYPED_AT_ONCE = `(async () => {
  const field = () => document.querySelector('input[placeholder="Europe/Rome"]');
  location.hash = "#/mail";
  while (field() !== null) await new Promise((resolve) => setTimeout(resolve));
  location.hash = "#/server";
  const input = await new Promise((resolve) => {
    const look = () => field() !== null && resolve(field());
    new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
    look();
  });
  input.value = "Europe/Berlin";
  input.dispatchEvent(new Event("input", { bubbles: true }));
  await new Promise((resolve) => setTimeout(resolve, 300));
  return field()?.value;
})()`;

test("what somebody types stays, from the first moment on, while the settings are read anew", async () => {
  const page = await open("active", "server");
  expect(await page.evaluate(TYPED_AT_ONCE)).toBe("Europe/Berlin");
});

test("a change that the other node did not take can be stored on this one alone", async () => {
  const page = await open("active", "server");
  fixture.refusals.set("PATCH /settings", {
    code: "not-replicated",
    message: "node-b is there and did not take the change.",
  });
  await page.getByLabel("Time zone").fill("Europe/Berlin");
  await button(page, "Save").click();
  await page.getByText("node-b is there and did not take the change.").waitFor();
  await button(page, "Store it on this node alone").click();
  await page.getByText("The settings are stored.").waitFor();
  expect(fixture.answers.settings.time.zone).toBe("Europe/Berlin");
});

test("a backup copy is restored with the present password; a wrong one is refused there, and ends no session", async () => {
  const page = await open("standalone", "backups");
  await button(page, /^Restore 2026-11-20/).click();
  const dialog = page.getByRole("dialog");
  for (const [password, outcome] of [
    ["wrong", "The name or the password is wrong."],
    [PASSWORD, "The settings of the copy are in force."],
  ] as const) {
    await dialog.getByLabel("Your password").fill(password);
    await dialog.getByRole("button", { name: "Restore" }).click();
    await page.getByText(outcome).waitFor();
  }
});

test("the capture of a switch is downloaded byte for byte, beside the switch that it is of", async () => {
  const page = await open("backup", "cluster");
  const timeline = page.locator(".timeline li");
  await button(page, /^Download capture/).waitFor();
  expect(await timeline.filter({ has: button(page, /^Download capture/) }).allTextContents()).toEqual([
    expect.stringContaining("This node is active (term 7)"),
  ]);
  const coming = page.waitForEvent("download");
  await button(page, /^Download capture/).click();
  const download = await coming;
  expect(download.suggestedFilename()).toBe("2026-11-24T10-12-03.411Z-became-active.pcapng");
  expect([...readFileSync(await download.path())]).toEqual([0, 255]);
});

test("a wrong present password is refused where the password is changed", async () => {
  const page = await open("standalone", "administrators");
  await button(page, /^Change password/)
    .first()
    .click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Present password").fill("wrong");
  await dialog.getByLabel("New password").fill("five boats in the fog");
  await dialog.getByLabel("The same again").fill("five boats in the fog");
  await dialog.getByRole("button", { name: "Change password" }).click();
  await dialog.getByText("The name or the password is wrong.").waitFor();
});

test("on the backup nothing can be changed, and the active node is a link away", async () => {
  const page = await open("backup", "cluster");
  await page.getByText("This is the backup node").waitFor();
  const link = page.getByRole("link", { name: "Open the active node at 10.1.0.1" });
  expect(await link.getAttribute("href")).toBe("https://10.1.0.1/");
  expect(await button(page, "Switch over").count()).toBe(0);
  for (const [route, name] of [
    ["interfaces", "Edit lan0"],
    ["nat", "Add a port forward"],
    ["server", "Save"],
    ["backups", "Make a copy"],
    ["administrators", "Make a token"],
  ] as const) {
    await page.goto(`${fixture.origin}/#/${route}`);
    await button(page, name).first().waitFor();
    expect(await button(page, name).first().isDisabled()).toBe(true);
  }
});

test("text of the node is shown as text", async () => {
  const page = await open("active", "events");
  const message = `<img src=x onerror="document.title='run'"><script>document.title='run'</script>`;
  fixture.answers.events.push({ at: "2026-11-24T11:00:00.000Z", code: "started", severity: "info", message });
  fixture.dropStreams();
  await page.getByText("<script>document.title").waitFor();
  expect(await page.title()).not.toBe("run");
});

test("all of it by keyboard: past the menu, into a dialog, out again, and the focus comes back", async () => {
  const page = await open("active", "cluster");
  await button(page, "Switch over").waitFor();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  expect(await page.evaluate("document.activeElement.tagName")).toBe("H1");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.locator(":focus", { hasText: "Switch over" }).waitFor();
  expect(fixture.asked).not.toContain("POST /cluster/switch");
});

test("on a phone the menu opens, leads on, and closes", async () => {
  const page = await open("active", "overview");
  await show(page, "narrow");
  const link = page.getByRole("link", { name: "Events", exact: true });
  await link.waitFor({ state: "hidden" });
  await button(page, "Menu").click();
  await link.click();
  await page.getByRole("heading", { name: "Events" }).waitFor();
  await link.waitFor({ state: "hidden" });
});

test("the colours follow the system until somebody chooses", async () => {
  const page = await open("active", "overview");
  const theme = (name: string) => page.locator(`html[data-theme="${name}"]`).waitFor();
  await theme("light");
  await show(page, "dark");
  await theme("dark");
  await button(page, /^Colours/).click();
  await theme("light");
  await page.reload();
  await button(page, "Colours: light; change").waitFor();
  await theme("light");
});
