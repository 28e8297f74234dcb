/** The end of the hardware watchdog (heart/watchdog.ts arms and feeds it), and what its driver calls it. */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { SystemFailure } from "../errors.ts";
import type { WatchdogStatus } from "../heart/messages.ts";
import { WATCHDOG_TIMEOUT_S } from "../heart/watchdog.ts";
import type { Shim } from "../shim.ts";

/**
 * After the end of a node that was told to end, whatever became of its heart: the device is armed, and would reset the
 * machine that reboots or the administrator who does without the node.
 */
export function disarmWatchdog(shim: Pick<Shim, "openWatchdog" | "disarmWatchdog">, path: string | null): void {
  if (path === null) return;
  try {
    shim.disarmWatchdog(shim.openWatchdog(path, WATCHDOG_TIMEOUT_S));
  } catch (error) {
    // There is none, or somebody else has it: then it was not the heart's.
    if (!(error instanceof SystemFailure)) throw error;
  }
}

/** Empty where there is none, or its driver does not say. */
export function identityOf(watchdog: WatchdogStatus | null): string {
  if (watchdog === null) return "";
  // /dev/watchdog is another name of the first one.
  const name = basename(watchdog.device).replace(/^watchdog$/, "watchdog0");
  try {
    return readFileSync(`/sys/class/watchdog/${name}/identity`, "utf8").trim();
  } catch {
    return "";
  }
}
