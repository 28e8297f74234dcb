/** How long a browser that was never here needs until somebody can log in: new context, empty cache, TLS included. */
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CHROMIUM, launch, openContext } from "../browser/browser.ts";
import type { Pair } from "../lab/pair.ts";

/** Milliseconds from the request until the field for the password can be typed in, one for each of `rounds` visits. */
export async function firstPages(pair: Pair, origin: string, rounds: number): Promise<number[]> {
  const script = join(pair.lab.directory, "browser");
  const words = pair.lab.inside("client", ["setpriv", "--pdeathsig", "KILL", Bun.which(CHROMIUM) ?? CHROMIUM]);
  writeFileSync(script, `#!/bin/sh\nexec ${words.map((word) => `'${word}'`).join(" ")} "$@"\n`);
  chmodSync(script, 0o755);
  const browser = await launch(script);
  try {
    const times_ms: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const context = await openContext(browser);
      const page = await context.newPage();
      const began_ms = performance.now();
      await page.goto(origin);
      await page.getByLabel("Password").waitFor();
      times_ms.push(performance.now() - began_ms);
      await context.close();
    }
    return times_ms;
  } finally {
    await browser.close();
  }
}
