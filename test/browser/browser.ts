/** Debian's Chromium (the build of it that has no windows), driven by playwright-core; one at a time, as it is heavy. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

export const SCREENSHOTS = join(import.meta.dir, "../../build/screenshots");
export const CHROMIUM = "chromium-headless-shell";

export type Look = "light" | "dark" | "narrow";

export const LOOKS: Record<Look, { width: number; height: number; scheme: "light" | "dark" }> = {
  light: { width: 1280, height: 900, scheme: "light" },
  dark: { width: 1280, height: 900, scheme: "dark" },
  narrow: { width: 390, height: 844, scheme: "light" },
};

/** `executable`: another one than Debian's, such as a script that starts it in a namespace. */
export async function launch(executable = Bun.which(CHROMIUM) ?? CHROMIUM): Promise<Browser> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  return chromium.launch({
    executablePath: executable,
    headless: true,
    // The tests run as root, where Chromium has no sandbox; it opens nothing but pages of this repository.
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"],
  });
}

/** The same page in another look, without loading it again. */
export async function show(page: Page, look: Look): Promise<void> {
  const { width, height, scheme } = LOOKS[look];
  await page.setViewportSize({ width, height });
  await page.emulateMedia({ colorScheme: scheme });
}

export async function openContext(browser: Browser, look: Look = "light"): Promise<BrowserContext> {
  const { width, height, scheme } = LOOKS[look];
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: scheme,
    reducedMotion: "reduce",
    ignoreHTTPSErrors: true,
    locale: "en-GB",
    timezoneId: "UTC",
  });
  context.setDefaultTimeout(15_000);
  return context;
}

/** Collects what a page must not do: errors in scripts, refusals by its content policy, requests to elsewhere. */
export function watch(page: Page, origin: string): string[] {
  const strays: string[] = [];
  page.on("pageerror", (error) => strays.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (/Content Security Policy|Refused to/.test(message.text())) strays.push(`policy: ${message.text()}`);
  });
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !url.startsWith("data:") && !url.startsWith("blob:"))
      strays.push(`elsewhere: ${url}`);
  });
  return strays;
}
