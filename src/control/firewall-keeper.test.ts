/** The firewall is put there, changed with the settings, and put back. */
import { expect, test } from "bun:test";
import { Failure } from "../errors.ts";
import type { Firewall, FirewallConfiguration } from "../kernel/firewall.ts";
import { parseSettings } from "../settings/model.ts";
import { FirewallKeeper, firewallOf } from "./firewall-keeper.ts";

const settings = (outside: boolean) =>
  parseSettings({
    server: { name: "node-a" },
    interfaces: [{ nic: "lan0", role: "internal", addresses: ["10.1.0.1/24"], enabled: false }],
    nat: { port_forwards: [{ protocol: "tcp", port: 443, to: "fd00::5" }] },
    web: { outside },
  });
const first = firewallOf(settings(false), "clu0", 443);
const second = firewallOf(settings(true), "clu0", 443);

function world() {
  const it = {
    now_ms: 0,
    installed: [] as { configuration: FirewallConfiguration; anew: boolean }[],
    generation: 1,
    changes: [] as string[],
    refusal: null as Error | null,
    trouble: null as string | null,
    looked: 0,
    events: [] as string[],
  };
  const keeper = new FirewallKeeper(
    {
      now: () => it.now_ms,
      install: (configuration, anew) => {
        if (it.refusal !== null) throw it.refusal;
        it.installed.push({ configuration, anew });
        it.generation++;
        it.changes = [];
        return {
          trouble: it.trouble,
          owned: true,
          picture: new Map(),
          definition: { sets: [], chains: [], rules: [] },
        } satisfies Firewall;
      },
      changes: () => {
        it.looked++;
        return it.changes;
      },
      generation: () => it.generation,
    },
    (code, severity, message) => it.events.push(`${severity} ${code}: ${message}`),
  );
  /** Somebody edits it, and the keeper looks. */
  const edit = (...changes: string[]) => {
    it.changes = changes;
    it.generation++;
    it.now_ms += 100;
    keeper.check();
  };
  return Object.assign(it, { keeper, edit });
}

test("disabled interfaces are protected too, and the web is open to the outside with its redirection where the settings say so", () => {
  expect(first).toEqual({
    interfaces: [{ nic: "lan0", role: "internal", addresses: ["10.1.0.1/24"] }],
    cluster_nic: "clu0",
    masquerade: true,
    port_forwards: [{ protocol: "tcp", port: 443, to: "fd00::5" }],
    open_ports: [],
  });
  expect(second.open_ports).toEqual([443, 80]);
  expect(firewallOf(settings(true), undefined, 8443).open_ports).toEqual([8443]);
  expect(firewallOf(settings(true), undefined, null).open_ports).toEqual([]);
});

test("settings that change nothing of it are no work, and neither are changes of other tables", () => {
  const it = world();
  for (const configuration of [first, structuredClone(first), second]) it.keeper.apply(configuration);
  expect(it.installed).toEqual([
    { configuration: first, anew: false },
    { configuration: second, anew: false },
  ]);
  for (let i = 0; i < 10; i++) it.keeper.check();
  expect(it.looked).toBe(2);
  it.edit();
  expect([it.looked, it.installed.length, it.events]).toEqual([3, 2, []]);
});

test("what somebody changed is named and back", () => {
  const it = world();
  it.keeper.apply(first);
  it.edit("the rules of input", "the set forwards4");
  expect(it.installed.at(-1)).toEqual({ configuration: first, anew: true });
  expect(it.events).toEqual([
    "warning firewall-restored: Somebody changed the firewall (the rules of input, the set forwards4); it is back as the settings say. Leave the table `understudy_firewall` alone.",
  ]);
});

test("who does it again and again is told of once a minute, and it is put back all the same", () => {
  const it = world();
  it.keeper.apply(first);
  for (let i = 0; i < 100; i++) it.edit("the whole table");
  expect(it.installed).toHaveLength(101);
  expect(it.events.map((event) => event.split(":")[0])).toEqual([
    ...Array.from({ length: 5 }, () => "warning firewall-restored"),
    "error firewall-contested",
  ]);
});

test("what the kernel refuses is said once, and tried again every second", () => {
  const it = world();
  it.refusal = new Failure("firewall-held", "Another process owns it.");
  it.keeper.apply(first);
  for (let i = 0; i < 25; i++) {
    it.now_ms += 100;
    it.keeper.check();
  }
  expect(it.events).toEqual(["error firewall-failed: The firewall is not in force: Another process owns it."]);
  expect(it.keeper.trouble).toBe("The firewall is not in force: Another process owns it.");
  it.refusal = null;
  it.now_ms += 1000;
  it.keeper.check();
  expect([it.keeper.trouble, it.installed.length]).toEqual([null, 1]);
});

test("a kernel that cannot do all of it keeps it closed, in one sentence", () => {
  const it = world();
  it.trouble = "netlink request: ENOENT";
  it.keeper.apply(first);
  expect(it.keeper.trouble).toMatch(
    /^The kernel cannot do all .*\(netlink request: ENOENT\), so nothing comes in from outside.*\.$/,
  );
  it.edit("the chain input");
  expect(it.installed.at(-1)).toMatchObject({ anew: true });
});
