/** The rules of a cluster: each refuses in a cluster and only there, and the README says the same. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../errors.ts";
import {
  demandAllowed,
  demandChangeAllowed,
  demandFitForCluster,
  forbidding,
  type Operation,
  RULES,
  type RuledSettings,
  type Situation,
} from "./rules.ts";

const alone: Situation = { in_cluster: false, active: false, versions_differ: false };
const active: Situation = { in_cluster: true, active: true, versions_differ: false };
const backup: Situation = { ...active, active: false };
const updating: Situation = { ...active, versions_differ: true };

const codeOf = (work: () => void): string => {
  try {
    work();
    return "allowed";
  } catch (error) {
    return error instanceof Failure ? error.code : String(error);
  }
};

describe("each operation", () => {
  const rows: [Operation, string, string, string][] = [
    ["use-cluster-card", "card-reserved", "card-reserved", "card-reserved"],
    ["add-interface", "interfaces-fixed", "interfaces-fixed", "interfaces-fixed"],
    ["delete-interface", "interfaces-fixed", "interfaces-fixed", "interfaces-fixed"],
    ["change-name", "name-fixed", "name-fixed", "name-fixed"],
    ["restore-backup", "restore-forbidden", "restore-forbidden", "restore-forbidden"],
    ["mailbox-mode", "relay-only", "relay-only", "relay-only"],
    ["change-settings", "allowed", "not-active", "versions-differ"],
  ];
  for (const [operation, on_active, on_backup, while_updating] of rows)
    test(operation, () => {
      const codes = [alone, active, backup, updating].map((now) => codeOf(() => demandAllowed(operation, now)));
      expect(codes).toEqual(["allowed", on_active, on_backup, while_updating]);
      expect([alone, active].map((now) => forbidding(operation, now)?.code ?? "allowed")).toEqual([
        "allowed",
        on_active,
      ]);
    });

  test("every rule is among these rows", () =>
    expect([...new Set(RULES.map(({ operation }) => operation))].sort()).toEqual(rows.map(([name]) => name).sort()));

  test("is refused in one sentence that says what to do instead", () => {
    for (const { because, instead } of RULES) {
      expect(because).toMatch(/^[A-Z][^.;]*[^.;]$/);
      expect(instead).toMatch(/^[a-z][^;]*[^.;]$/);
    }
    expect(() => demandAllowed("restore-backup", active)).toThrow(
      /^Backup copies cannot be restored in a cluster; destroy the cluster first, restore, and create it again\.$/,
    );
  });
});

describe("a change of all settings", () => {
  const before: RuledSettings & { dns: string[] } = {
    server: { name: "node-a" },
    interfaces: [{ nic: "lan0" }, { nic: "wan0" }],
    mail: { mode: "relay" },
    dns: [],
  };
  const rows: [string, RuledSettings, string][] = [
    ["another value", { ...before, ...{ dns: ["10.0.0.53"] } }, "allowed"],
    [
      "an interface edited, disabled, and moved in the list",
      { ...before, interfaces: [{ nic: "wan0", ...{ enabled: false } }, { nic: "lan0" }] },
      "allowed",
    ],
    ["an interface more", { ...before, interfaces: [...before.interfaces, { nic: "dmz0" }] }, "interfaces-fixed"],
    ["an interface less", { ...before, interfaces: [{ nic: "lan0" }] }, "interfaces-fixed"],
    [
      "another card for an interface",
      { ...before, interfaces: [{ nic: "lan0" }, { nic: "wan1" }] },
      "interfaces-fixed",
    ],
    [
      "the cluster's card as an interface",
      { ...before, interfaces: [...before.interfaces, { nic: "clu0" }] },
      "card-reserved",
    ],
    ["another name", { ...before, server: { name: "node-x" } }, "name-fixed"],
    ["mailboxes", { ...before, mail: { mode: "mailboxes" } }, "relay-only"],
    ["mail off", { ...before, mail: { mode: "off" } }, "allowed"],
  ];
  for (const [what, after, code] of rows)
    test(`${what}: ${code}`, () => {
      expect(codeOf(() => demandChangeAllowed(before, after, active, "clu0"))).toBe(code);
      expect(codeOf(() => demandChangeAllowed(before, after, alone, null))).toBe("allowed");
      expect(codeOf(() => demandChangeAllowed(before, after, backup, "clu0"))).toBe("not-active");
    });

  test("mailboxes keep a cluster from being created", () => {
    expect(codeOf(() => demandFitForCluster({ ...before, mail: { mode: "mailboxes" } }))).toBe("relay-only");
    expect(codeOf(() => demandFitForCluster(before))).toBe("allowed");
  });
});

test("the README's table is this one", () => {
  const head = ["| row | refused in a cluster | because | instead | code |", "|---|---|---|---|---|"];
  const rows = RULES.map(
    ({ row, what, because, instead, code }) => `| ${row} | ${what} | ${because} | ${instead} | \`${code}\` |`,
  );
  expect(readFileSync(join(import.meta.dir, "../../README.md"), "utf8")).toContain([...head, ...rows].join("\n"));
});
