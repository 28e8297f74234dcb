/** Real links get their names, by way of others where they exchange them. Needs root (or a user namespace). */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Agent, cable, Namespace } from "../../test/kernel/namespaces.ts";
import { readCardNames } from "./card-names-file.ts";

let space: Namespace;
let agent: Agent;
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "understudy-cards-"));
  space = new Namespace("cards");
  cable(space, "eth0", space, "far0");
  cable(space, "eth1", space, "far1");
  cable(space, "eth2", space, "far2");
  agent = space.startAgent();
});
afterEach(() => {
  space.remove();
  rmSync(directory, { recursive: true, force: true });
});

interface Listed {
  ifname: string;
  address: string;
  flags: string[];
}
const listed = (): Listed[] => JSON.parse(space.run("ip", "-j", "link")) as Listed[];
const macOf = (nic: string): string => listed().find(({ ifname }) => ifname === nic)?.address ?? "";
const nameOf = (mac: string): string => listed().find(({ address }) => address === mac)?.ifname ?? "";
/** Cards by their addresses, as if their places were in this order. */
const name = (macs: string[]) => agent.call("nameCards", join(directory, "state"), macs);
const file = (): string => join(directory, "state/cards.json");

test("links that exchange their names, all of them up, have the right ones and are up again", async () => {
  const [a, b, c] = [macOf("eth0"), macOf("eth1"), macOf("eth2")];
  const { names, troubles } = await name([b, c, a]);
  expect(troubles).toEqual([]);
  expect(names.map(({ mac }) => mac)).toEqual([b, c, a]);
  expect([b, c, a].map(nameOf)).toEqual(["eth0", "eth1", "eth2"]);
  expect(listed().every(({ flags }) => flags.includes("UP"))).toBe(true);
  // And stay so, in whatever order the kernel finds them.
  expect((await name([a, b, c])).troubles).toEqual([]);
  expect([b, c, a].map(nameOf)).toEqual(["eth0", "eth1", "eth2"]);
});

test("a name that something virtual has is said, that card keeps its own, and the others get theirs", async () => {
  const [a, b, c] = [macOf("eth0"), macOf("eth1"), macOf("eth2")];
  space.run("ip", "link", "del", "eth2");
  space.run("ip", "link", "add", "eth2", "type", "bridge");
  cable(space, "late", space, "far2");
  const late = macOf("late");
  const { troubles, missing } = await name([b, a, late]);
  expect(troubles).toEqual([expect.stringMatching(/^late cannot be renamed to eth2: .*exist/i)]);
  expect([b, a, late].map(nameOf)).toEqual(["eth0", "eth1", "late"]);
  expect(missing).toEqual([]);
  expect(c).not.toBe("");
});

test("one that is missing is told", async () => {
  const [a, b, c] = [macOf("eth0"), macOf("eth1"), macOf("eth2")];
  await name([a, b, c]);
  const { missing, names } = await name([a, c]);
  expect(missing).toMatchObject([{ name: "eth1", mac: b }]);
  expect(names.length).toBe(3);
});

test("a damaged file is said and kept; the names before it are used, and without them the order of places", async () => {
  const [a, b] = [macOf("eth0"), macOf("eth1")];
  await name([b]);
  await name([a, b]);
  expect(nameOf(a)).toBe("eth1");
  writeFileSync(file(), "nonsense");
  const { troubles, names } = await name([a, b]);
  expect(troubles).toEqual([expect.stringContaining("is damaged and kept as cards.json.damaged; the one before it")]);
  expect(names.map(({ mac }) => mac)).toEqual([b, a]);
  expect(readFileSync(`${file()}.damaged`, "utf8")).toBe("nonsense");
  writeFileSync(file(), "nonsense");
  writeFileSync(`${file()}.previous`, "nonsense");
  const anew = await name([a, b]);
  expect(anew.troubles).toEqual([expect.stringContaining("named anew, by their place")]);
  expect([a, b].map(nameOf)).toEqual(["eth0", "eth1"]);
  expect((await name([a, b])).troubles).toEqual([]);
});

test("names that cannot be written are said, and given", async () => {
  const [a, b] = [macOf("eth0"), macOf("eth1")];
  writeFileSync(join(directory, "state"), "a file in its place");
  const { troubles } = await name([b, a]);
  expect(troubles).toEqual([expect.stringContaining("cannot be written")]);
  expect([b, a].map(nameOf)).toEqual(["eth0", "eth1"]);
  expect(existsSync(file())).toBe(false);
});

test("where there is no file, nothing is known", () => {
  expect(readCardNames(directory)).toEqual({ names: null, warning: null });
});
