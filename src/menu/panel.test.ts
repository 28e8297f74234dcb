/** The panel's line about the web interface: where it is, and what its certificate is known by. */
import { expect, test } from "bun:test";
import type { NodeStatus } from "./node.ts";
import { panelOf } from "./panel.ts";

const fingerprint = Array.from({ length: 32 }, (_, index) => (index + 16).toString(16).toUpperCase()).join(":");
const shown = (web: NodeStatus["web"], addresses: { address: string; held: boolean }[] = []) =>
  panelOf(
    {
      name: "node-a",
      version: "1",
      build: 1,
      role: "standalone",
      alarms: [],
      addresses,
      peer: null,
      web,
    } as unknown as NodeStatus,
    80,
  )
    .lines.find((line) => line.startsWith(" Web"))
    ?.slice(12);

test("is off, or at an address, with half of the fingerprint, in one line of a small screen", () => {
  expect(shown(null)).toBe("off");
  const half = "SHA-256 1011 1213 1415 1617 1819 1A1B 1C1D 1E1F...";
  expect(shown({ address: "0.0.0.0", port: 443, fingerprint }, [{ address: "10.1.0.1/24", held: true }])).toBe(
    `https://10.1.0.1, ${half}`,
  );
  expect(shown({ address: "::", port: 8443, fingerprint }, [{ address: "fd00::1/64", held: true }])).toBe(
    `https://[fd00::1]:8443, ${half}`,
  );
  expect(shown({ address: "0.0.0.0", port: 443, fingerprint })).toBe(`https://this server, ${half}`);
  expect((shown({ address: "255.255.255.255", port: 443, fingerprint }) ?? "").length).toBeLessThan(80);
});
