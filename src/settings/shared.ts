/**
 * What of the settings the nodes of a cluster share, and what stays with each: its name, and which of its
 * cards is which. In the shared part an interface has no name but its slot, the number that both nodes agreed
 * on when they were paired, so that interfaces are never matched by name or order.
 */
import { Failure } from "../errors.ts";
import type { InterfaceSettings, Settings } from "./schema.ts";

export type SharedInterface = Omit<InterfaceSettings, "nic"> & { slot: number };
export type SharedSettings = Omit<Settings, "server" | "interfaces"> & { interfaces: SharedInterface[] };

export interface Slot {
  nic: string;
  slot: number;
}

/** What is this node's own, and never travels. */
export interface Local {
  name: string;
  slots: Slot[];
}

/** Slots of all interfaces: as given, and the lowest free ones for interfaces that have none yet. */
export function slotsOf(interfaces: { nic: string }[], given: readonly Slot[]): Slot[] {
  const known = new Map(given.map(({ nic, slot }) => [nic, slot]));
  const taken = new Set(interfaces.map(({ nic }) => known.get(nic)));
  let free = 0;
  return interfaces.map(({ nic }) => {
    const slot = known.get(nic);
    if (slot !== undefined) return { nic, slot };
    do free++;
    while (taken.has(free));
    return { nic, slot: free };
  });
}

export function localPart(settings: Settings, given: readonly Slot[]): Local {
  return { name: settings.server.name, slots: slotsOf(settings.interfaces, given) };
}

/** Everything but the server's name, with slots in place of names of interfaces. */
export function sharedPart(settings: Settings, given: readonly Slot[]): SharedSettings {
  const { server: _, interfaces, ...rest } = settings;
  const slots = slotsOf(interfaces, given);
  return {
    ...rest,
    interfaces: interfaces.map(({ nic: _nic, ...entry }, index) => ({ slot: slots[index]?.slot ?? 0, ...entry })),
  };
}

/** The settings of this node. Throws Failure `unmatched` where an interface has no counterpart here. */
export function fromShared(shared: SharedSettings, { name, slots }: Local): Settings {
  const nic_of = new Map(slots.map(({ nic, slot }) => [slot, nic]));
  const { interfaces, ...rest } = shared;
  return {
    server: { name },
    ...rest,
    interfaces: interfaces.map(({ slot, ...entry }) => {
      const nic = nic_of.get(slot);
      if (nic === undefined) throw new Failure("unmatched", `The interface of slot ${slot} has no counterpart here.`);
      return { nic, ...entry };
    }),
  };
}
