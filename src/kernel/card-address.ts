/**
 * One IPv6 address of our own on a card that nobody else uses, and there again when somebody took it away or the card
 * came back. It is looked up in /proc, which costs less than a list by netlink and, other than setting it again,
 * tells nobody that addresses changed.
 */
import { readFileSync } from "node:fs";
import { Failure, SystemFailure } from "../errors.ts";
import type { Shim } from "../shim.ts";
import { hold, prepareHolding, release } from "./addresses.ts";
import { parseAddress } from "./ip.ts";
import { applySettings } from "./sysctl.ts";

const PREFIX = "/64";

/** True where it had to be set. Throws Failure where it cannot be, for instance without the card. */
export function keepCardAddress(shim: Shim, nic: string, address: string): boolean {
  if (isThere(nic, address)) return false;
  applySettings([{ name: `net/ipv6/conf/${nic}/disable_ipv6`, value: "0" }]);
  hold(shim, holdingOf(shim, nic, address));
  return true;
}

/** Nothing to do where the card or the address has gone. */
export function dropCardAddress(shim: Shim, nic: string, address: string): void {
  if (!isThere(nic, address)) return;
  try {
    release(shim, holdingOf(shim, nic, address));
  } catch (error) {
    if (!(error instanceof SystemFailure || (error instanceof Failure && error.code === "no-interface"))) throw error;
  }
}

function holdingOf(shim: Shim, nic: string, address: string) {
  return prepareHolding(shim, [{ nic, addresses: [address + PREFIX], gateways: [] }]);
}

/** Each line of the file: address, index, prefix length, scope, flags, name. */
function isThere(nic: string, address: string): boolean {
  const hex = Buffer.from(parseAddress(address)).toString("hex");
  try {
    const lines = readFileSync("/proc/net/if_inet6", "utf8").split("\n");
    return lines.some((line) => line.startsWith(hex) && line.trimEnd().split(/\s+/).at(-1) === nic);
  } catch {
    return false;
  }
}
