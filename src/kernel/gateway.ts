/**
 * What makes the node a gateway, set up once at configuration and the same on both nodes and in every role:
 * forwarding, how the kernel answers ARP, and the translation of internal addresses. Whether anything passes at
 * the moment is not decided here but by the gate.
 */

import type { Shim } from "../shim.ts";
import { command, commandUnless, nextSequence, ownTable } from "./exchange.ts";
import type { Expression } from "./expressions.ts";
import { parsePrefixed } from "./ip.ts";
import { NETLINK_NETFILTER } from "./netlink.ts";
import { FAMILY, Transaction } from "./nftables.ts";
import { applySettings, PROC_SYS, type Setting, type SysctlStore } from "./sysctl.ts";

export const NAT_TABLE = "understudy_nat";

const INTERNAL_SET = "internal";
const CHAIN = "postrouting";
/** NF_IP_PRI_NAT_SRC. */
const SOURCE_NAT_PRIORITY = 100;
const INTERFACE_NAME_BYTES = 16;

export interface GatewayInterface {
  nic: string;
  role: "internal" | "external";
  /** Shared addresses, CIDR. Internal traffic leaves an external interface under its first IPv4 address. */
  addresses: string[];
}

export interface GatewayConfiguration {
  interfaces: GatewayInterface[];
  /** The reserved card, where there is a cluster. */
  cluster_nic?: string;
}

/** Settings and address translation; idempotent. Returns the settings that it changed. */
export function configureGateway(
  shim: Shim,
  configuration: GatewayConfiguration,
  store: SysctlStore = PROC_SYS,
): Setting[] {
  const changed = applySettings(gatewaySettings(configuration), store);
  installNat(shim, configuration);
  return changed;
}

/** The settings of a gateway, in the order to write them: forwarding first, as it resets some of the others. */
export function gatewaySettings(configuration: GatewayConfiguration): Setting[] {
  const settings: Setting[] = [
    { name: "net/ipv4/ip_forward", value: "1" },
    { name: "net/ipv6/conf/all/forwarding", value: "1" },
  ];
  const set = (version: "ipv4" | "ipv6", nic: string, values: Record<string, number>): void => {
    for (const [key, value] of Object.entries(values)) {
      settings.push({ name: `net/${version}/conf/${nic}/${key}`, value: String(value) });
    }
  };
  const externals = configuration.interfaces.filter(({ role }) => role === "external").length;
  for (const { nic, role } of configuration.interfaces) {
    set("ipv4", nic, {
      // Answer ARP only on the interface that has the address …
      arp_ignore: 1,
      // … and ask with an address of the interface that is asked on, never with another one's.
      arp_announce: 2,
      // Announcements are made by the daemon, once the gate is open; the kernel's would come too early.
      arp_notify: 0,
      // Removing the first address of a network must not remove its others, which may be the node's own.
      promote_secondaries: 1,
      // Strict (RFC 3704) as long as there is one way out; with several, answers may come in by another.
      rp_filter: role === "external" && externals > 1 ? 2 : 1,
    });
    set("ipv6", nic, { accept_ra: 0, ndisc_notify: 0 });
  }
  if (configuration.cluster_nic !== undefined) {
    // Link-local addresses from the MAC, usable at once: on a cable with two ends nobody else can have them.
    set("ipv6", configuration.cluster_nic, { accept_ra: 0, addr_gen_mode: 0, accept_dad: 0 });
  }
  return settings;
}

/**
 * Replaces the table of address translation in one transaction. Connections leave under a shared address, which
 * moves with them, and not by "masquerade", which would take whatever address comes first, even the node's own.
 */
export function installNat(shim: Shim, configuration: GatewayConfiguration, options = { owned: true }): void {
  const owned = options.owned && ownTable(shim, natRequest(configuration, true));
  if (!owned) command(shim, NETLINK_NETFILTER, natRequest(configuration, false));
}

/** Removes the table; no error where there is none. */
export function removeNat(shim: Shim): void {
  commandUnless(shim, NETLINK_NETFILTER, new Transaction(nextSequence()).deleteTable(FAMILY.ip, NAT_TABLE).finish(), [
    "ENOENT",
  ]);
}

/** The transaction that replaces the table. Exported for tests. */
export function natRequest(configuration: GatewayConfiguration, owned: boolean): Uint8Array {
  const internal = configuration.interfaces.filter(({ role }) => role === "internal");
  const external = configuration.interfaces.filter(({ role }) => role === "external");
  const to = new Transaction(nextSequence()).replaceTable(FAMILY.ip, NAT_TABLE, owned);
  to.newSet(FAMILY.ip, NAT_TABLE, { name: INTERNAL_SET, key: "ifname" });
  to.newElements(
    FAMILY.ip,
    NAT_TABLE,
    INTERNAL_SET,
    internal.map(({ nic }) => interfaceName(nic)),
  );
  to.newChain(FAMILY.ip, NAT_TABLE, {
    name: CHAIN,
    type: "nat",
    hook: "postrouting",
    priority: SOURCE_NAT_PRIORITY,
    policy: "accept",
    devices: [],
  });
  for (const { nic, addresses } of external) {
    to.newRule(FAMILY.ip, NAT_TABLE, {
      chain: CHAIN,
      expressions: [
        { kind: "meta", key: "iifname" },
        { kind: "lookup", set: INTERNAL_SET, inverted: false },
        { kind: "meta", key: "oifname" },
        { kind: "cmp", op: "eq", value: interfaceName(nic) },
        ...translation(addresses),
      ],
    });
  }
  return to.finish();
}

function translation(addresses: string[]): Expression[] {
  const source = addresses.map(parsePrefixed).find(({ family }) => family === 4);
  if (source === undefined) return [{ kind: "masquerade" }];
  return [
    { kind: "immediate", value: source.bytes },
    { kind: "nat", of: "source", family: 4 },
  ];
}

function interfaceName(nic: string): Uint8Array {
  const bytes = new Uint8Array(INTERFACE_NAME_BYTES);
  bytes.set(new TextEncoder().encode(nic).subarray(0, INTERFACE_NAME_BYTES - 1));
  return bytes;
}
