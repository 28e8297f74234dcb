/**
 * The lease on a real kernel: what opens it, what keeps it, when it ends; and what others may do to the gate's
 * table. Needs root (or a user namespace) and nft, for the others.
 */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { described, frame, toHex } from "../../test/kernel/frames.ts";
import {
  arpFor,
  CLUSTER,
  configuration,
  GateLab,
  LEASE_MS,
  LISTEN_MS,
  OPEN_FOR_LONG,
} from "../../test/kernel/gate-lab.ts";
import { cable } from "../../test/kernel/namespaces.ts";

const ANSWER = "arp-reply 10.1.0.1 to 10.1.0.2";
const BROADCAST = "ff:ff:ff:ff:ff:ff";
/** Two jiffies at 250 Hz: when the lease was renewed, and when it is looked at. */
const JIFFIES_MS = 8;

let lab: GateLab;
beforeAll(async () => {
  lab = await GateLab.start();
});
afterAll(() => lab?.remove());

describe("the lease", () => {
  beforeEach(() => lab.install("closed"));

  test("opens, is refreshed, closes, and closes again", async () => {
    expect(await lab.daemon.call("readLease")).toBe(0);
    await lab.daemon.call("openLease");
    await Bun.sleep(LEASE_MS / 2);
    await lab.daemon.call("openLease");
    expect(await lab.daemon.call("readLease")).toBeGreaterThan(LEASE_MS / 2);
    await lab.daemon.call("closeLease");
    expect(await lab.daemon.call("readLease")).toBe(0);
    await lab.daemon.call("closeLease");
  });

  test("opens again after it has expired", async () => {
    await lab.daemon.call("openLease");
    await Bun.sleep(LEASE_MS + 3 * JIFFIES_MS);
    expect(await lab.daemon.call("readLease")).toBe(0);
    await lab.daemon.call("openLease");
    expect(await lab.daemon.call("readLease")).toBeGreaterThan(0);
  });

  for (const nic of ["clu0", "lan0", "wan0"]) {
    test(`is renewed by an active heartbeat on ${nic}`, async () => {
      await lab.daemon.call("openLease");
      await Bun.sleep(LEASE_MS / 2);
      await lab.daemon.call("heartbeat", nic, 1);
      expect(await lab.daemon.call("readLease")).toBeGreaterThan(LEASE_MS / 2);
    });
  }

  test("is not renewed by a heartbeat that does not claim", async () => {
    await lab.daemon.call("openLease");
    await Bun.sleep(LEASE_MS / 2);
    for (const claim of [0, 2, 255]) await lab.daemon.call("heartbeat", "clu0", claim);
    expect(await lab.daemon.call("readLease")).toBeLessThan(LEASE_MS * 0.6);
  });

  test("is not renewed by an active heartbeat that comes in", async () => {
    await lab.daemon.call("openLease");
    await Bun.sleep(LEASE_MS / 2);
    await lab.outside.call("heartbeat", "clu1", 1);
    await lab.outside.call("heartbeat", "lan1", 1);
    expect(await lab.daemon.call("readLease")).toBeLessThan(LEASE_MS * 0.6);
  });

  test("once expired is not revived by an active heartbeat, however long ago", async () => {
    await lab.daemon.call("heartbeat", "clu0", 1);
    expect(await lab.daemon.call("readLease")).toBe(0);
    await lab.daemon.call("openLease");
    await Bun.sleep(LEASE_MS + 3 * JIFFIES_MS);
    await lab.daemon.call("heartbeat", "clu0", 1);
    expect(await lab.daemon.call("readLease")).toBe(0);
    // Longer than the kernel's usual interval for collecting expired elements.
    await Bun.sleep(1500);
    await lab.daemon.call("heartbeat", "lan0", 1);
    expect(await lab.daemon.call("readLease")).toBe(0);
  });

  test("ends within the lease time after the last heartbeat of a frozen daemon", async () => {
    await lab.outside.call("listen", ["lan1", "clu1"]);
    await lab.daemon.call("openLease");
    await lab.daemon.call("beat", "clu0", 1, 10);
    setTimeout(() => lab.daemon.child.kill("SIGSTOP"), 300);
    const seen = await lab.outside.call("exchange", "lan1", toHex(arpFor("10.1.0.1")), 2, 1200);
    lab.daemon.child.kill("SIGCONT");
    const last = (what: string): number =>
      Math.max(...seen.filter((one) => described(one.frame) === what).map((one) => one.at_ms));
    const shut_after_ms = last(ANSWER) - last("heartbeat 1");
    await lab.daemon.call("stopBeating");
    expect(shut_after_ms).toBeGreaterThan(LEASE_MS / 2);
    expect(shut_after_ms).toBeLessThanOrEqual(LEASE_MS + JIFFIES_MS);
    // The heartbeats of the thawed daemon left, and the gate stayed shut.
    expect(await lab.daemon.call("readLease")).toBe(0);
    expect(await lab.ask(arpFor("10.1.0.1"))).not.toContain(ANSWER);
  });

  test("is ended by the peer's claim on the cluster network, and by nobody else's", async () => {
    await lab.install("open", { ...OPEN_FOR_LONG, revoking: CLUSTER.other });
    const claim = (mac: string): string => toHex(frame(BROADCAST, mac, 0x88b5, [1, ...new Array(45).fill(0)]));
    await lab.outside.call("send", "lan1", claim(CLUSTER.other));
    await lab.outside.call("send", "clu1", claim("02:00:00:00:03:99"));
    await lab.outside.call("heartbeat", "clu1", 0);
    expect(await lab.daemon.call("readLease")).toBeGreaterThan(0);
    await lab.outside.call("send", "clu1", claim(CLUSTER.other));
    expect(await lab.daemon.call("readLease")).toBe(0);
    await lab.daemon.call("heartbeat", "clu0", 1);
    expect(await lab.daemon.call("readLease")).toBe(0);
  });
});

describe("somebody else's hands", () => {
  const foreign = (...command: string[]): void => {
    lab.node.run(...command);
  };

  test("a foreign change of the gate is told from our own, and from one of another table", async () => {
    await lab.installUnowned("closed");
    await lab.daemon.call("watchFirewall");
    await lab.daemon.call("openLease");
    expect(await lab.daemon.call("firewallChanged")).toMatchObject({ foreign: false });
    foreign("nft", "add", "table", "ip", "somebody");
    expect(await lab.daemon.call("firewallChanged")).toMatchObject({ foreign: false });
    foreign("nft", "delete", "table", "ip", "somebody");
    foreign("nft", "add", "set", "netdev", "understudy", "somebody", "{ type ipv4_addr; }");
    expect(await lab.daemon.call("firewallChanged")).toMatchObject({ foreign: true });
    expect(await lab.daemon.call("verifyGate")).toBe(false);
  });

  test("a table that is not owned is flushed, which is noticed, and comes back with the lease open", async () => {
    await lab.installUnowned("open", OPEN_FOR_LONG);
    await lab.daemon.call("watchFirewall");
    await lab.daemon.call("firewallChanged");
    foreign("nft", "flush", "ruleset");
    expect(await lab.daemon.call("firewallChanged")).toMatchObject({ foreign: true });
    expect(await lab.daemon.call("verifyGate")).toBe(false);
    expect(lab.daemon.call("openLease")).rejects.toMatchObject({ code: "ENOENT" });
    await lab.daemon.call("installGate", { ...configuration, ...OPEN_FOR_LONG }, "open", false);
    expect(await lab.daemon.call("verifyGate")).toBe(true);
    expect(await lab.daemon.call("readLease")).toBeGreaterThan(0);
  });

  for (const damage of [
    "flush chain netdev understudy data_out",
    "delete element netdev understudy shared4 { 10.1.0.1 }",
    "add rule netdev understudy data_in accept",
    "insert rule netdev understudy cluster_in accept",
    "chain netdev understudy data_in { policy accept; }",
    "add table netdev understudy { flags dormant; }",
  ]) {
    test(`${damage} is noticed`, async () => {
      await lab.installUnowned("closed");
      foreign("nft", damage);
      expect(await lab.daemon.call("verifyGate")).toBe(false);
      await lab.daemon.call("installGate", configuration, "closed", false);
      expect(await lab.daemon.call("verifyGate")).toBe(true);
    });
  }

  test("an owned table survives a flush, and its owner, and is adopted by the next", async () => {
    const { owned } = await lab.daemon.call("installGate", configuration, "closed", true);
    if (!owned) return; // Linux before 6.9.
    foreign("nft", "flush", "ruleset");
    expect(() => foreign("nft", "delete", "table", "netdev", "understudy")).toThrow("not permitted");
    expect(await lab.daemon.call("verifyGate")).toBe(true);

    const next = lab.node.startAgent();
    expect(next.call("installGate", configuration, "closed", true)).rejects.toMatchObject({ code: "gate-held" });
    lab.daemon.kill();
    await lab.daemon.child.exited;
    expect(await lab.ask(arpFor("10.1.0.1"))).not.toContain(ANSWER);
    await next.call("listen", ["lan0", "wan0", "clu0"]);
    expect(await next.call("installGate", configuration, "open", true)).toEqual({ owned: true });
    expect(await next.call("readLease")).toBeGreaterThan(0);
    lab.daemon = next;
  });

  test("an interface that is not there is refused by name, or gated as soon as it appears", async () => {
    const early = { ...configuration, data_nics: ["lan0", "wan0", "late0"] };
    const refusal = await lab.daemon.call("installGate", early, "closed", true).then(
      () => undefined,
      (error) => error.code,
    );
    if (refusal !== undefined) return expect(refusal).toBe("no-interface"); // Linux before 6.16.
    cable(lab.node, "late0", lab.client, "late1");
    expect(await lab.ask(arpFor("10.1.0.1"))).not.toContain(ANSWER);
    const late = lab.client.startAgent();
    await late.call("listen", ["late1"]);
    const seen = await late.call("exchange", "late1", toHex(arpFor("10.1.0.1")), 0, LISTEN_MS);
    expect(seen.map((one) => described(one.frame)).filter((what) => what.startsWith("arp-reply"))).toEqual([]);
    await lab.daemon.call("installGate", early, "open", true);
    const open = await late.call("exchange", "late1", toHex(arpFor("10.1.0.1")), 0, LISTEN_MS);
    expect(open.map((one) => described(one.frame))).toContain(ANSWER);
    lab.node.run("ip", "link", "del", "late0");
  });

  test("removal lets everything pass, and may be repeated", async () => {
    await lab.install("closed");
    await lab.daemon.call("removeGate");
    await lab.daemon.call("removeGate");
    expect(lab.node.run("nft", "list", "ruleset")).not.toContain("understudy");
    expect(await lab.ask(arpFor("10.1.0.1"))).toContain(ANSWER);
  });
});
