/**
 * How long a change of 1,000 port forwards takes, one of them or all, and what the heart's most urgent request, the opening of
 * its lease, waits for that: both go through the kernel's one lock for changes of the firewall.
 *
 *   bun test/bench/firewall.ts
 */
import { cable, Namespace } from "../kernel/namespaces.ts";

const FORWARDS = 1000;
const CHANGES = 40;
const OPENINGS_AT_ONCE = 20;
const REALTIME_PRIORITY = 40;

const [node, other] = [new Namespace("node"), new Namespace("other")];
try {
  for (const nic of ["lan0", "wan0", "clu0"]) cable(node, nic, other, nic);
  const [control, heart] = [node.startAgent(), node.startAgent()];
  const gate = { cluster_nic: "clu0", data_nics: ["lan0", "wan0"], shared: ["10.1.0.1"], own: [], lease_ms: 20 };
  await heart.call("installGate", gate, "closed", true);
  await heart.call("realtime", REALTIME_PRIORITY);
  for (const [what, changed] of [
    ["one of them", 1],
    ["all of them", FORWARDS],
  ] as const) {
    const changes: number[] = [];
    const openings: number[] = [];
    const change = async () => {
      for (let turn = 0; turn < CHANGES; turn += 1)
        changes.push(...(await control.call("measure", "installFirewall", 1, configuration(turn, changed), true)));
    };
    await control.call("installFirewall", configuration(-1, FORWARDS), true);
    let done = false;
    const changing = change().finally(() => {
      done = true;
    });
    while (!done) openings.push(...(await heart.call("measure", "openLease", OPENINGS_AT_ONCE)));
    await changing;
    show(`${FORWARDS} port forwards, ${what} changed`, changes);
    show(`  lease opened ${openings.length} times beside it`, openings);
  }
} finally {
  for (const namespace of [node, other]) namespace.remove();
}

/** The first `changed` forwards are others in each turn. */
function configuration(turn: number, changed: number) {
  return {
    interfaces: [
      { nic: "lan0", role: "internal" as const, addresses: ["10.1.0.1/24"] },
      { nic: "wan0", role: "external" as const, addresses: ["10.2.0.1/24"] },
    ],
    masquerade: true,
    port_forwards: Array.from({ length: FORWARDS }, (_, index) => ({
      protocol: "tcp" as const,
      port: 10_000 + index,
      to: `10.1.0.${index < changed ? 10 + turn : 7}`,
    })),
    open_ports: [],
  };
}

function show(what: string, times_ms: number[]): void {
  const sorted_ms = times_ms.sort((a, b) => a - b);
  const at = (share: number) =>
    `${(sorted_ms[Math.floor((sorted_ms.length - 1) * share)] ?? Number.NaN).toFixed(2)} ms`;
  console.log(`${what}: least ${at(0)}, median ${at(0.5)}, 99 % ${at(0.99)}, worst ${at(1)}`);
}
