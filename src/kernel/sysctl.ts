/** Kernel settings under /proc/sys, read and written only when the node is configured. */

import { readFileSync, writeFileSync } from "node:fs";
import { Failure } from "../errors.ts";

/** Where settings live; tests may pass their own. A missing setting reads as undefined. */
export interface SysctlStore {
  read(name: string): string | undefined;
  write(name: string, value: string): void;
}

/** Names are paths below /proc/sys, `net/ipv4/ip_forward`: with slashes, as names of interfaces may contain dots. */
export const PROC_SYS: SysctlStore = {
  read(name) {
    try {
      return readFileSync(`/proc/sys/${name}`, "utf8").trim();
    } catch {
      return undefined;
    }
  },
  write(name, value) {
    writeFileSync(`/proc/sys/${name}`, value);
  },
};

export interface Setting {
  name: string;
  value: string;
}

/**
 * Writes the settings that differ, in order; returns those. A setting that this kernel does not have is skipped
 * where it is one of IPv6 (the kernel may run without); any other throws Failure `sysctl`.
 */
export function applySettings(settings: Setting[], store: SysctlStore = PROC_SYS): Setting[] {
  const changed: Setting[] = [];
  for (const { name, value } of settings) {
    const present = store.read(name);
    if (present === value || (present === undefined && name.startsWith("net/ipv6/"))) continue;
    try {
      store.write(name, value);
    } catch (error) {
      throw new Failure("sysctl", `The kernel setting ${name} could not be set to ${value}.`, { cause: error });
    }
    changed.push({ name, value });
  }
  return changed;
}
