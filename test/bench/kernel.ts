/**
 * How long the calls to the kernel take that a switch makes, and how exactly the lease ends. Makes its own
 * namespaces; needs root (or a user namespace). `bun test/bench/kernel.ts [--json]`.
 */

import { type Agent, cable, Namespace } from "../kernel/namespaces.ts";

const CALLS = 1000;
const LEASE_MS = 100;
const EXPIRIES = 40;

const configuration = {
  cluster_nic: "clu0",
  data_nics: ["lan0", "wan0"],
  shared: ["10.1.0.1", "10.2.0.1", "fd01::1"],
  own: [],
  lease_ms: LEASE_MS,
};

interface Row {
  what: string;
  median_ms: number;
  p99_ms: number;
  worst_ms: number;
}

function row(what: string, sorted_ms: number[]): Row {
  const at = (share: number): number =>
    sorted_ms[Math.min(sorted_ms.length - 1, Math.floor(sorted_ms.length * share))] ?? 0;
  return { what, median_ms: at(0.5), p99_ms: at(0.99), worst_ms: at(1) };
}

async function gateCalls(agent: Agent): Promise<Row[]> {
  const rows: Row[] = [];
  const measure = async (what: string, operation: string, count: number, ...values: unknown[]): Promise<void> => {
    rows.push(row(what, await agent.call("measure", operation, count, ...values)));
  };
  await agent.call("installGate", configuration, "closed", true);
  await measure("open the lease", "openLease", CALLS);
  await measure("close the lease", "closeLease", CALLS);
  await measure("read the lease", "readLease", CALLS);
  await measure("verify the gate", "verifyGate", CALLS / 5);
  await measure("install the gate", "installGate", CALLS / 20, configuration, "open", true);
  return rows;
}

async function addressCalls(agent: Agent): Promise<Row[]> {
  const rows: Row[] = [];
  const families = {
    IPv4: (n: number) => `10.5.${n >> 8}.${n & 255}/16`,
    IPv6: (n: number) => `fd05::${n.toString(16)}/64`,
  };
  for (const [family, address] of Object.entries(families)) {
    for (const count of [1, 10, 100, 1000]) {
      const addresses = Array.from({ length: count }, (_, index) => address(index + 1));
      await agent.call("declare", [{ nic: "lan0", addresses, gateways: [] }]);
      const times: Record<"hold" | "release", number[]> = { hold: [], release: [] };
      for (let time = 0; time < 5; time += 1) {
        for (const operation of ["hold", "release"] as const) {
          times[operation].push(...(await agent.call("measure", operation, 1)));
        }
      }
      for (const operation of ["hold", "release"] as const) {
        rows.push(
          row(
            `${operation} ${count} ${family}`,
            times[operation].sort((a, b) => a - b),
          ),
        );
      }
    }
  }
  return rows;
}

/** From the renewal to the last moment at which the lease was still seen live, and to the first at which it was not. */
async function expiry(agent: Agent): Promise<Row[]> {
  await agent.call("installGate", configuration, "closed", true);
  const live: number[] = [];
  const shut: number[] = [];
  for (let time = 0; time < EXPIRIES; time += 1) {
    await Bun.sleep(time % 8);
    const { last_live_ms, first_shut_ms } = await agent.call("timeExpiry", "clu0");
    live.push(last_live_ms);
    shut.push(first_shut_ms);
  }
  const sort = (times: number[]): number[] => times.sort((a, b) => a - b);
  return [
    row(`lease of ${LEASE_MS} ms, last seen live after`, sort(live)),
    row(`lease of ${LEASE_MS} ms, first seen shut after`, sort(shut)),
  ];
}

const node = new Namespace("bench");
try {
  for (const nic of ["lan", "wan", "clu"]) cable(node, `${nic}0`, node, `${nic}1`);
  const agent = node.startAgent();
  await agent.call("listen", ["clu0"]);
  const rows = [...(await gateCalls(agent)), ...(await expiry(agent)), ...(await addressCalls(agent))];
  if (process.argv.includes("--json")) console.log(JSON.stringify(rows));
  else {
    console.log(`${"".padEnd(46)}${["median", "p99", "worst"].map((head) => head.padStart(10)).join("")}  ms`);
    for (const { what, median_ms, p99_ms, worst_ms } of rows) {
      const numbers = [median_ms, p99_ms, worst_ms].map((value) => value.toFixed(3).padStart(10)).join("");
      console.log(what.padEnd(46) + numbers);
    }
  }
} finally {
  node.remove();
}
