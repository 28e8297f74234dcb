/**
 * What a heart that died leaves behind: shared addresses, behind a gate that is shut but that nobody
 * owns any more, so that the next `nft flush ruleset` would open it. The control process takes the
 * addresses away at once, without waiting for the next heart.
 */
import type { HeartConfiguration } from "../heart/messages.ts";
import { prepareHolding, reconcile } from "../kernel/addresses.ts";
import { openShim } from "../shim.ts";

/** Nothing where the node is in no cluster, or has left it: its addresses are its own. Throws as the kernel refuses. */
export function letGo({ cluster, interfaces }: HeartConfiguration): void {
  if (cluster === undefined || cluster.departed) return;
  const enabled = interfaces.filter((entry) => entry.enabled);
  const shim = openShim();
  reconcile(shim, prepareHolding(shim, enabled), "released");
}
