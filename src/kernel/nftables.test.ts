import { describe, expect, test } from "bun:test";
import { toHex } from "../../test/kernel/frames.ts";
import { SystemFailure } from "../errors.ts";
import type { Shim } from "../shim.ts";
import { installGate, installRequest, openLease } from "./gate.ts";
import { type GateConfiguration, gateDefinition } from "./gate-rules.ts";
import { readMessages } from "./netlink.ts";
import { FAMILY, type Family, isForeignChange, listRequest, NFT_MSG, readElements, Transaction } from "./nftables.ts";

const hex = (text: string): string => text.replaceAll(/\s/g, "");

describe("transactions", () => {
  test("emptying and filling the lease is these bytes", () => {
    const bytes = new Transaction(5)
      .flushSet(FAMILY.netdev, "t", "lease")
      .newElements(FAMILY.netdev, "t", "lease", [Uint8Array.of(1, 0)], 100)
      .finish();
    expect(toHex(bytes)).toBe(
      hex(`
        14000000 1000 0100 05000000 00000000  00 00 000a
        28000000 0e0a 0100 05000000 00000000  05 00 0000
          0600 0100 7400 0000  0a00 0200 6c6561736500 0000
        48000000 0c0a 0504 05000000 00000000  05 00 0000
          0600 0100 7400 0000  0a00 0200 6c6561736500 0000
          2000 0380  1c00 0180
            0c00 0180  0600 0100 0100 0000
            0c00 0400 0000000000000064
        14000000 1100 0100 05000000 00000000  00 00 000a
      `),
    );
  });

  test("only the last step asks for an acknowledgement", () => {
    const bytes = new Transaction(5).newTable(FAMILY.netdev, "t", 0).deleteTable(FAMILY.netdev, "t").finish();
    const acknowledged = readMessages(bytes).map(({ flags }) => (flags & 4) !== 0);
    expect(acknowledged).toEqual([false, false, true, false]);
  });

  test("elements that do not fit one message go into several", () => {
    const keys = Array.from({ length: 2500 }, (_, index) => Uint8Array.of(10, 0, index >> 8, index & 255));
    const messages = readMessages(new Transaction(1).newElements(FAMILY.netdev, "t", "s", keys).finish());
    expect(messages.map(({ type }) => type)).toEqual([16, ...new Array(3).fill(NFT_MSG.new_element), 17]);
    expect(readElements(messages).map(({ key }) => toHex(key))).toEqual(keys.map(toHex));
  });

  test("the time that an element has left is read", () => {
    // As Linux 6.18 lists it: key, timeout, expiration.
    const answer = Uint8Array.from(
      Buffer.from(
        hex(`
          50000000 0c0a 0200 01000000 00000000  05 00 0000
            0600 0100 7400 0000  0600 0200 7300 0000
            2c00 0380  2800 0180
              0c00 0180 0600 0100 0100 0000
              0c00 0400 0000000000000064
              0c00 0500 0000000000000060
        `),
        "hex",
      ),
    );
    expect(readElements(readMessages(answer))).toEqual([{ key: Uint8Array.of(1, 0), remaining_ms: 96 }]);
  });

  test("a list names its table", () => {
    expect(toHex(listRequest(3, NFT_MSG.get_rule, FAMILY.netdev, "t"))).toBe(
      hex("1c000000 070a 0103 03000000 00000000  05 00 0000  0600 0100 7400 0000"),
    );
  });

  test("a change is foreign where its port is not ours, and of our table where it names it", () => {
    const changed = (port: number, family: Family, table: string) =>
      readMessages(new Transaction(1).flushRules(family, table).finish())
        .filter(({ type }) => type === NFT_MSG.delete_rule)
        .map((message) => ({ ...message, port }));
    const of = (...messages: ReturnType<typeof changed>) => isForeignChange(messages, 7, FAMILY.netdev, "t");
    expect(of(...changed(7, FAMILY.netdev, "t"))).toBe(false);
    expect(of(...changed(7, FAMILY.netdev, "t"), ...changed(8, FAMILY.netdev, "t"))).toBe(true);
    expect(of(...changed(8, FAMILY.netdev, "u"), ...changed(8, FAMILY.inet, "t"))).toBe(false);
    expect(of()).toBe(false);
  });
});

describe("the gate's definition", () => {
  const configuration: GateConfiguration = {
    cluster_nic: "clu0",
    data_nics: ["lan0", "wan0"],
    shared: ["10.1.0.1/24", "10.1.0.1", "fd00::1/64"],
    own: [],
    lease_ms: 100,
  };
  const { sets, chains, rules } = gateDefinition(configuration);

  test("every chain drops what no rule accepts", () => {
    expect(chains.map(({ policy }) => policy)).toEqual(["drop", "drop", "drop", "drop"]);
  });

  test("every rule belongs to a chain, and every set that a rule looks into exists", () => {
    const chain_names = chains.map(({ name }) => name);
    const set_names = sets.map(({ definition }) => definition.name);
    for (const { chain, expressions } of rules) {
      expect(chain_names).toContain(chain);
      for (const expression of expressions) if ("set" in expression) expect(set_names).toContain(expression.set);
    }
  });

  test("no rule looks at a packet's fields before it knows the frame's EtherType", () => {
    for (const { expressions } of rules) {
      const type_at = expressions.findIndex(
        (one) => one.kind === "payload" && one.base === "link" && one.offset === 12,
      );
      const fields = expressions.flatMap((one, index) =>
        one.kind === "payload" && one.base !== "link" ? [index] : [],
      );
      if (fields.length > 0) expect(type_at).toBeGreaterThanOrEqual(0);
      for (const index of fields) expect(index).toBeGreaterThan(type_at);
    }
  });

  test("the lease has room for one element only, and an expired one is not collected", () => {
    expect(sets[0]?.definition).toMatchObject({ name: "lease", key: "iface_type", timeout_ms: 100, size: 1 });
    expect(sets[0]?.definition.collect_ms).toBeGreaterThan(24 * 3600 * 1000);
    expect(sets[0]?.keys).toEqual([]);
  });

  test("without data interfaces there are just the cluster network's chains", () => {
    const bare = gateDefinition({ ...configuration, data_nics: [] });
    expect(bare.chains.map(({ name }) => name)).toEqual(["cluster_in", "cluster_out"]);
    expect(bare.rules.every(({ chain }) => chain.startsWith("cluster_"))).toBe(true);
  });

  test("an address that is given twice is listed once", () => {
    expect(sets.find(({ definition }) => definition.name === "shared4")?.keys).toEqual([Uint8Array.of(10, 1, 0, 1)]);
  });

  test("the peer's claim ends the lease only where its MAC is given", () => {
    const deletes = (from: GateConfiguration): number =>
      gateDefinition(from).rules.filter(({ expressions }) =>
        expressions.some((one) => one.kind === "dynset" && one.op === "delete"),
      ).length;
    expect(deletes(configuration)).toBe(0);
    expect(deletes({ ...configuration, revoking_mac: Uint8Array.of(2, 0, 0, 0, 0, 1) })).toBe(1);
  });
});

describe("opening the lease", () => {
  test("makes the gate anew where the kernel finds no room for the element", () => {
    const configuration = { cluster_nic: "clu0", data_nics: ["lan0"], shared: [], own: [], lease_ms: 100 };
    const sent: Uint8Array[] = [];
    let full = false;
    const shim = {
      netlink(_protocol: number, request: Uint8Array): number {
        sent.push(request);
        if (full) {
          full = false;
          throw new SystemFailure("netlink request", "ENFILE", "full");
        }
        return 0;
      },
    } as unknown as Shim;
    const types = (datagram: Uint8Array | undefined): number[] =>
      readMessages(datagram ?? new Uint8Array()).map(({ type }) => type);

    const gate = installGate(shim, configuration, "closed");
    full = true;
    sent.length = 0;
    openLease(shim, gate);
    expect(types(sent[0])).toContain(NFT_MSG.delete_element);
    expect(types(sent[1])).toEqual(types(installRequest(configuration, "open", gate.owned)));

    sent.length = 0;
    openLease(shim, gate);
    expect(sent.length).toBe(1);
  });
});
