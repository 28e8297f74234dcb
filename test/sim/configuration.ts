/** The core's configuration of a simulated node, as src/heart/main.ts makes it. */
import type { CoreConfiguration } from "../../src/core/types.ts";
import { HOSTS, nodeMac, SLOTS, sharedAddresses } from "./addresses.ts";
import type { Context } from "./context.ts";
import type { Index } from "./plan.ts";

export function coreConfiguration(
  { plan, random, authenticate }: Context,
  index: Index,
  term_floor: number,
  bootstrap: boolean,
): CoreConfiguration {
  return {
    node: index === 0 ? 1 : 2,
    cluster: 0xc0ffee,
    authenticate,
    session: random.next() * 0x10_0000 + random.below(0x10_0000) + 1,
    peer_name: `node-${"ba"[index]}`,
    paths: SLOTS.map((nic, slot) => ({
      slot,
      nic,
      mac: nodeMac(index, slot),
      peer_mac: nodeMac(1 - index, slot),
      heartbeat: slot === 0 || plan.data_heartbeats[slot - 1] === true,
    })),
    addresses: sharedAddresses(plan.ipv6),
    gateways: HOSTS.filter(({ slot }) => slot === 2).map(({ slot, ip }) => ({ slot, ip, text: ip.join(".") })),
    tuning: plan.tuning,
    term_floor,
    settings_revision: 1,
    version: [0, 1, 0],
    build: 1,
    bootstrap,
    departed: false,
    maintenance: false,
  };
}
