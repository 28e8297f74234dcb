/** Which cards a cluster may reserve, and which rights a node needs. */
import { describe, expect, test } from "bun:test";
import type { Link } from "../kernel/links.ts";
import { cardRefusal } from "./cluster-card.ts";
import { missingRights } from "./rights.ts";

const CARD: Link = {
  index: 2,
  name: "eth2",
  mac: "02:00:00:00:00:02",
  permanent_mac: "02:00:00:00:00:02",
  up: true,
  carrier: true,
  mtu: 1500,
  kind: "",
  master: 0,
  ethernet: true,
};
const FREE = { used: ["eth0", "eth1"], wireless: false };

describe("the cluster's card", () => {
  test("a free one will do, switched off and without a cable too", () => {
    expect(cardRefusal("eth2", CARD, FREE)).toBeNull();
    expect(cardRefusal("eth2", { ...CARD, up: false, carrier: false }, FREE)).toBeNull();
  });

  const refused: [string, Link | undefined, { used: string[]; wireless: boolean }, string][] = [
    ["one that is not there", undefined, FREE, "There is no interface eth2"],
    ["one with data on it", CARD, { ...FREE, used: ["eth2"] }, "configured as a data interface"],
    ["a wireless one", CARD, { ...FREE, wireless: true }, "eth2 is wireless; the cluster network needs a cable."],
    ["a bridge", { ...CARD, kind: "bridge" }, FREE, "not a physical network card"],
    ["a tunnel", { ...CARD, ethernet: false, kind: "tun" }, FREE, "not a physical network card"],
    ["a port of a bridge", { ...CARD, master: 7 }, FREE, "part of a bridge or bond"],
  ];
  for (const [what, link, facts, sentence] of refused)
    test(`refused: ${what}`, () => expect(cardRefusal("eth2", link, facts)?.message).toContain(sentence));
});

describe("rights", () => {
  const rows: [string, string, string[]][] = [
    ["root", "000001ffffffffff", []],
    ["nobody", "0000000000000000", ["CAP_NET_ADMIN", "CAP_NET_RAW"]],
    ["a service with both", "0000000000003000", []],
    ["a service with one", "0000000000002000", ["CAP_NET_ADMIN"]],
  ];
  for (const [who, effective, missing] of rows)
    test(who, () => expect(missingRights(`CapPrm:\tffff\nCapEff:\t${effective}\nCapBnd:\t0\n`)).toEqual(missing));
});
