/** Where the web interface is reached: HTTPS, by way of HTTP, and from outside only where the settings say so. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { until } from "../lab/shell.ts";
import { Appliance } from "./appliance.ts";

const OUTSIDE = "10.2.0.1";
const SETTINGS = {
  server: { name: "node-a" },
  interfaces: [
    { nic: "lan0", role: "internal", addresses: ["10.1.0.1/24"] },
    { nic: "wan0", role: "external", addresses: [`${OUTSIDE}/24`] },
  ],
};

let appliance: Appliance;

beforeAll(async () => {
  appliance = new Appliance("[::]", 443);
  for (const nic of ["lan", "wan"])
    for (const words of [
      ["ip", "link", "add", `${nic}0`, "type", "veth", "peer", "name", `${nic}1`],
      ["ip", "link", "set", `${nic}1`, "up"],
    ])
      expect(Bun.spawnSync(appliance.inside(...words)).exitCode).toBe(0);
  await appliance.start();
});
afterAll(() => appliance?.remove());

test("HTTP leads to HTTPS, and says nothing else", async () => {
  const unix = await appliance.forward(80);
  const ask = async (path: string, headers: Record<string, string> = {}) =>
    await fetch(`http://10.1.0.1${path}`, { unix, redirect: "manual", headers } as RequestInit);
  const response = await ask("/some/place?a=b");
  expect([response.status, response.headers.get("location"), await response.text()]).toEqual([
    308,
    "https://10.1.0.1/some/place?a=b",
    "",
  ]);
  expect((await ask("/api/v1/public")).status).toBe(308);
});

test("nobody is answered from outside, until the settings open it", async () => {
  const settings = (outside: boolean) => appliance.control("PUT", "/settings", { ...SETTINGS, web: { outside } });
  await settings(false);
  const unix = await appliance.forward(443, OUTSIDE);
  const outside = async () => {
    try {
      const init = { unix, keepalive: false, tls: { rejectUnauthorized: false } } as RequestInit;
      return (await fetch("https://10.2.0.1/api/v1/public", init)).status;
    } catch {
      return 0;
    }
  };
  await until("the address is there", async () =>
    (await appliance.status()).addresses.some(({ address, held }) => address.startsWith(OUTSIDE) && held),
  );
  await until("it is shut", async () => (await outside()) === 0);
  expect((await appliance.ask("GET", "/public"))?.status).toBe(200);
  await settings(true);
  await until("it is open", async () => (await outside()) === 200);
  await settings(false);
  await until("it is shut again", async () => (await outside()) === 0);
});

test("nor at the addresses that the kernel gives an external interface by itself", async () => {
  await appliance.control("PUT", "/settings", { ...SETTINGS, web: { outside: false } });
  const addresses = ["lan0", "wan0"].map((nic) => {
    const said = Bun.spawnSync(appliance.inside("ip", "-6", "addr", "show", "dev", nic, "scope", "link"));
    return /inet6 ([^/]+)/.exec(said.stdout.toString())?.[1] ?? "";
  });
  const [inside, outside] = addresses.map((address, index) =>
    Bun.spawnSync(
      appliance.inside(
        "sh",
        "-c",
        `echo | timeout 20 openssl s_client -connect "[${address}%${["lan0", "wan0"][index]}]:443"`,
      ),
    )
      .stdout.toString()
      .includes("BEGIN CERTIFICATE"),
  );
  expect([inside, outside]).toEqual([true, false]);
});

test("where there is no other user to become, the node goes on and says so", async () => {
  const small = new Appliance();
  try {
    small.spawn(["unshare", "-Urnm", "sh", "-c", 'ip link set lo up; exec "$@"', "sh"]);
    await until("it says so", async () => {
      const events = await small.control("GET", "/events").catch(() => []);
      return (events as { code: string }[]).some(({ code }) => code === "web-privileged");
    });
  } finally {
    await small.stop();
    small.remove();
  }
});
