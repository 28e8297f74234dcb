/** The list of network cards on a real kernel, with `ip` as an independent witness. Needs root (or a user namespace). */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Agent, cable, mayMakeTunnels, Namespace } from "../../test/kernel/namespaces.ts";
import type { Card, Link } from "./links.ts";

const CABLES = 128;

let space: Namespace;
let agent: Agent;

beforeAll(() => {
  space = new Namespace("links");
  cable(space, "lan0", space, "far0");
  space.run("ip", "link", "add", "bridge0", "type", "bridge");
  space.run("ip", "link", "set", "far0", "master", "bridge0");
  space.run("ip", "link", "add", "shadow0", "link", "lan0", "type", "macvlan");
  if (mayMakeTunnels()) space.run("ip", "tuntap", "add", "tun0", "mode", "tun");
  agent = space.startAgent();
});
afterAll(() => space?.remove());

const link = async (nic: string): Promise<Link> => {
  const found = (await agent.call("listLinks")).find(({ name }) => name === nic);
  if (found === undefined) throw new Error(`${nic} is not listed`);
  return found;
};
const card = async (nic: string): Promise<Card | undefined> =>
  (await agent.call("listCards")).find(({ name }) => name === nic);

describe("links", () => {
  test("all of them, with index, address and kind as `ip` has them", async () => {
    interface Listed {
      ifindex: number;
      ifname: string;
      address?: string;
      mtu: number;
      linkinfo?: { info_kind: string };
    }
    const listed = (JSON.parse(space.run("ip", "-j", "-d", "link")) as Listed[]).map((entry) => ({
      index: entry.ifindex,
      name: entry.ifname,
      mac: entry.address?.length === 17 ? entry.address : "",
      mtu: entry.mtu,
      kind: entry.linkinfo?.info_kind ?? "",
    }));
    const links = (await agent.call("listLinks")).map(({ index, name, mac, mtu, kind }) => ({
      index,
      name,
      mac,
      mtu,
      kind,
    }));
    expect(links).toEqual(listed);
  });

  test("know whether they are up and have a carrier", async () => {
    expect(await link("lan0")).toMatchObject({ up: true, carrier: true });
    await agent.call("setLinkUp", "far0", false);
    expect(await link("lan0")).toMatchObject({ up: true, carrier: false });
    expect(await link("far0")).toMatchObject({ up: false, carrier: false });
    await agent.call("setLinkUp", "far0", true);
    expect(await link("lan0")).toMatchObject({ up: true, carrier: true });
  });

  test("know the bridge that they are a port of", async () => {
    expect((await link("far0")).master).toBe((await link("bridge0")).index);
    expect((await link("lan0")).master).toBe(0);
  });

  test("have the address that is set, and no burnt-in one where the driver knows none", async () => {
    space.run("ip", "link", "set", "lan0", "address", "02:00:00:00:00:77");
    expect(await link("lan0")).toMatchObject({ mac: "02:00:00:00:00:77", permanent_mac: "" });
  });
});

describe("cards", () => {
  test("have their driver, and a cable or none", async () => {
    expect(await card("lan0")).toMatchObject({ driver: "veth", wireless: false, up: true });
  });

  for (const nic of ["lo", "bridge0", "shadow0", ...(mayMakeTunnels() ? ["tun0"] : [])]) {
    test(`are not such as ${nic}`, async () => {
      expect((await link(nic)).name).toBe(nic);
      expect(await card(nic)).toBeUndefined();
    });
  }

  test("are listed where there are hundreds of them", async () => {
    const batch = Array.from({ length: CABLES }, (_, n) => `link add many${n} type veth peer name peer${n}`).join("\n");
    space.run("sh", "-c", `echo '${batch}' | ip -batch -`);
    const names = (await agent.call("listCards")).map(({ name }) => name);
    expect(names.filter((name) => /^(many|peer)\d+$/.test(name)).length).toBe(2 * CABLES);
  });
});
