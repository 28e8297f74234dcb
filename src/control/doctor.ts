/**
 * `understudy doctor` (B22): everything that a cluster needs, before and after its creation, each in
 * one sentence with what to do. The findings are made of facts that doctor-facts.ts has looked up.
 */
import { diagnoseCards } from "./doctor-cards.ts";
import { diagnoseCluster } from "./doctor-cluster.ts";
import type { Facts } from "./doctor-facts.ts";
import { bad, type Finding, good, warning } from "./finding.ts";

export type { Finding } from "./finding.ts";

/** Egress hooks of netdev tables came with 5.16, and tables that survive their owner with 6.9. */
const EGRESS_SINCE = [5, 16] as const;
const OWNER_SINCE = [6, 9] as const;
const FREE_BYTES_BAD = 16 << 20;
const FREE_BYTES_WARNING = 128 << 20;
/** Nothing of this program is older: a clock before it has lost its time. */
const CLOCK_MS_LEAST = Date.UTC(2025, 0, 1);

export function diagnose(facts: Facts): Finding[] {
  return [
    rights(facts),
    ...kernel(facts),
    realtime(facts),
    memory(facts),
    watchdog(facts),
    ...services(facts),
    clock(facts),
    disk(facts),
    ...diagnoseCards(facts),
    license(facts),
    ...diagnoseCluster(facts),
  ];
}

function rights({ missing_rights }: Facts): Finding {
  if (missing_rights.length === 0) return good("rights", "The node has the rights over the network that it needs.");
  return bad("rights", `The node lacks ${missing_rights.join(" and ")}.`, "Start it as root.");
}

function kernel({ kernel_release, nftables_trouble, firewall_trouble }: Facts): Finding[] {
  const egress = isSince(kernel_release, EGRESS_SINCE)
    ? good("kernel-egress", `Linux ${kernel_release} can renew the lease as heartbeats leave.`)
    : bad("kernel-egress", `Linux ${kernel_release} has no netdev egress hook.`, "Install Linux 5.16 or later.");
  const owner = isSince(kernel_release, OWNER_SINCE)
    ? good("kernel-owner", "The kernel keeps others from flushing the gate.")
    : warning(
        "kernel-owner",
        `Linux ${kernel_release} lets any program flush the gate; the node notices that and restores it.`,
        "Install Linux 6.9 or later, and let no other program flush the whole firewall.",
      );
  const nftables =
    nftables_trouble === null
      ? good("kernel-nftables", "nftables answers.")
      : bad(
          "kernel-nftables",
          `nftables cannot be used: ${nftables_trouble}.`,
          "Use a kernel with nf_tables and its netdev family.",
        );
  const firewall =
    firewall_trouble === null
      ? good("firewall", "The firewall is in force.")
      : bad("firewall", firewall_trouble, "Until then it is closed, or not there: see to it before anything else.");
  return [nftables, egress, owner, firewall];
}

function isSince(release: string, [major, minor]: readonly [number, number]): boolean {
  const [is_major = 0, is_minor = 0] = release.split(".").map(Number.parseFloat);
  return is_major > major || (is_major === major && is_minor >= minor);
}

function realtime({ status }: Facts): Finding {
  if (status.realtime) return good("realtime", "The heartbeat has real-time priority.");
  return warning(
    "realtime",
    "The heartbeat has no real-time priority; a busy machine may delay it and cause a switch.",
    "Start the node as root, outside of containers that forbid SCHED_FIFO.",
  );
}

function memory({ status }: Facts): Finding {
  if (status.memory_locked) return good("memory-locked", "The heartbeat's memory is locked.");
  return warning(
    "memory-locked",
    "The heartbeat's memory may be swapped out, which may delay it.",
    "Start the node as root, or raise its limit of locked memory.",
  );
}

function watchdog({ status, watchdog_identity }: Facts): Finding {
  if (status.watchdog === null)
    return good("watchdog", "This node was started without --watchdog; a machine that hangs stays as it is.");
  const { device, armed, trouble } = status.watchdog;
  const name = watchdog_identity === "" ? device : `${device} (${watchdog_identity})`;
  if (armed)
    return good("watchdog", `The watchdog ${name} is armed, and resets this machine where the heartbeat stops.`);
  return bad(
    "watchdog",
    `The watchdog ${name} is not armed: ${trouble ?? "it is being opened"}.`,
    "Load its driver, end whatever else uses it, or start the node without --watchdog.",
  );
}

/** Those that this node has something to do for. */
function services({ status }: Facts): Finding[] {
  return status.services
    .filter(({ wanted }) => wanted)
    .map(({ title, state, failing, trouble }) => {
      if (state === "missing") return warning("service", trouble ?? `${title} is missing.`, "Everything else works.");
      if (failing) return bad("service", trouble ?? `${title} will not run.`, "See the events for what it said.");
      if (state === "running") return good("service", `${title} runs.`);
      return warning("service", `${title} does not run yet: it is ${state}.`, "Look again in a moment.");
    });
}

function clock({ clock_ms }: Facts): Finding {
  if (clock_ms >= CLOCK_MS_LEAST) return good("clock", `The clock says ${new Date(clock_ms).toISOString()}.`);
  return warning(
    "clock",
    `The clock says ${new Date(clock_ms).toISOString()}, which is in the past; events and licenses need the right time.`,
    "Set the clock, or name a time server; heartbeats do not depend on it.",
  );
}

function disk({ state_directory, state_trouble, free_bytes }: Facts): Finding {
  if (state_trouble !== null)
    return bad(
      "disk",
      `${state_directory} cannot be written: ${state_trouble}.`,
      "Mend that, or nothing survives a reboot.",
    );
  const free = `${Math.floor(free_bytes / (1 << 20)).toLocaleString("en")} MB are free in ${state_directory}.`;
  if (free_bytes < FREE_BYTES_BAD) return bad("disk", free, "Free some space: changes of the settings may be refused.");
  if (free_bytes < FREE_BYTES_WARNING) return warning("disk", free, "Free some space soon.");
  return good("disk", free);
}

function license({ license }: Facts): Finding {
  if (license.state === "valid") return good("license", license.message);
  return (license.state === "missing" ? warning : bad)(
    "license",
    license.message,
    "Install a license for this product.",
  );
}
