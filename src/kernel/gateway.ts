/**
 * What makes the node a gateway, set up once at configuration and the same on both nodes and in every role: forwarding,
 * and how the kernel answers ARP. Whether anything passes at the moment is not decided here but by the gate, and what
 * may pass by the firewall.
 */

import { applySettings, PROC_SYS, type Setting, type SysctlStore } from "./sysctl.ts";

export interface GatewayInterface {
  nic: string;
  role: "internal" | "external";
}

export interface GatewayConfiguration {
  interfaces: GatewayInterface[];
  /** The reserved card, where there is a cluster. */
  cluster_nic?: string;
}

/** Idempotent. Returns the settings that it changed. */
export function configureGateway(configuration: GatewayConfiguration, store: SysctlStore = PROC_SYS): Setting[] {
  return applySettings(gatewaySettings(configuration), store);
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
