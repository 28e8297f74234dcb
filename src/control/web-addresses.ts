/** Addresses of this node, as the web interface looks at them: what its certificate names, and where nobody is answered. */
import { isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import type { Settings } from "../settings/model.ts";
import { plain } from "../settings/values.ts";

/** What the kernel has, by interface. */
type Kernel = Readonly<Record<string, readonly { address: string }[] | undefined>>;

/** Names and addresses that a browser may reach this node by. */
export function hostsOf({ server, interfaces }: Settings): { name: string; hosts: string[] } {
  const addresses = interfaces.flatMap((entry) => entry.addresses.map(plain));
  return { name: server.name, hosts: [server.name, "localhost", "127.0.0.1", "::1", ...addresses] };
}

/**
 * Unless the settings open it, nobody is answered at the addresses of external interfaces: those of the settings, and those
 * that the kernel gave them by itself (link-local, by router advertisement).
 */
export function refusedAddresses({ web, interfaces }: Settings, kernel: Kernel = networkInterfaces()): string[] {
  if (web.outside) return [];
  const external = interfaces.filter(({ role }) => role === "external");
  const addresses = external.flatMap(({ nic, addresses: set }) => [
    ...set.map(plain),
    ...(kernel[nic] ?? []).map(({ address }) => address.replace(/%.*$/, "")),
  ]);
  return [...new Set(addresses.map(asTheKernelWritesIt))];
}

function asTheKernelWritesIt(address: string): string {
  return isIPv6(address) ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
}
