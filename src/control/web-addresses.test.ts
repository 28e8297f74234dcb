/** At which addresses the web interface answers nobody. */
import { expect, test } from "bun:test";
import { parseSettings } from "../settings/model.ts";
import { refusedAddresses } from "./web-addresses.ts";

const settingsOf = (address: string, outside = false) =>
  parseSettings({
    server: { name: "node-a" },
    interfaces: [
      { nic: "lan0", role: "internal", addresses: ["10.1.0.1/24", "fd00::1/64"] },
      { nic: "wan0", role: "external", addresses: [address] },
    ],
    web: { outside },
  });
const KERNEL = {
  lan0: [{ address: "10.1.0.1" }, { address: "fe80::a" }],
  wan0: [{ address: "10.2.0.1" }, { address: "fe80::b" }, { address: "2001:db8:1::5" }, { address: "fe80::c%wan0" }],
};

test("those of external interfaces, also before they are there", () => {
  expect(refusedAddresses(settingsOf("10.2.0.1/24"), {})).toEqual(["10.2.0.1"]);
});

test("however they are written", () => {
  expect(refusedAddresses(settingsOf("2001:DB8:0:0::0001/64"), {})).toEqual(["2001:db8::1"]);
});

test("and those that the kernel gave them: link-local ones, and what a router told them", () => {
  expect(refusedAddresses(settingsOf("10.2.0.1/24"), KERNEL)).toEqual([
    "10.2.0.1",
    "fe80::b",
    "2001:db8:1::5",
    "fe80::c",
  ]);
});

test("none, where the settings open it", () => {
  expect(refusedAddresses(settingsOf("10.2.0.1/24", true), KERNEL)).toEqual([]);
});
