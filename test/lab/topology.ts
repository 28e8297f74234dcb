/**
 * A laboratory: two places for nodes, a client, a WAN host and the switches between them, each in a
 * network namespace of its own with a name of its own. Nothing outside is touched.
 *
 *        client ── LAN switch ──┬── lan0 ┌───┐ wan0 ──┬── WAN switch ── host
 *      10.1.0.10                │        │ a │        │              10.2.0.254
 *                               │        └─┬─┘        │
 *                               │        clu0         │
 *                               │        ┌─┴─┐        │
 *                               └── lan0 │ b │ wan0 ──┘
 *                                        └───┘
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Instrument } from "./instrument.ts";
import { LabNode } from "./node.ts";
import { sh } from "./shell.ts";

export type Side = "a" | "b";
export type Cable = "lan0" | "wan0" | "clu0";

const PLACES = ["a", "b", "lan", "wan", "clu", "client", "host"] as const;
type Place = (typeof PLACES)[number];

export const CLIENT_ADDRESS = "10.1.0.10";
export const HOST_ADDRESS = "10.2.0.254";
export const LAN_ADDRESS = "10.1.0.1";
export const WAN_ADDRESS = "10.2.0.1";
export const ECHO_PORT = 7007;

let labs_made = 0;

export class Lab {
  readonly directory: string;
  readonly #prefix: string;
  readonly nodes: Record<Side, LabNode>;
  readonly #instruments: Instrument[] = [];

  constructor() {
    sweep();
    this.#prefix = `us${process.pid}x${labs_made++}-`;
    this.directory = mkdtempSync(join(tmpdir(), "understudy-lab-"));
    process.once("exit", () => this.remove());
    for (const place of PLACES) {
      sh(["ip", "netns", "add", this.namespace(place)]);
      sh(["ip", "-n", this.namespace(place), "link", "set", "lo", "up"]);
    }
    for (const place of ["lan", "wan", "clu"] as const) {
      sh(["ip", "-n", this.namespace(place), "link", "add", "br0", "type", "bridge", "mcast_snooping", "0"]);
      sh(["ip", "-n", this.namespace(place), "link", "set", "br0", "up"]);
    }
    for (const side of ["a", "b"] as const) {
      this.#plug(side, "lan0", "lan", side);
      this.#plug(side, "wan0", "wan", side);
      this.#plug(side, "clu0", "clu", side);
    }
    this.#plug("client", "eth0", "lan", "client");
    this.#plug("host", "eth0", "wan", "host");
    this.#address("client", `${CLIENT_ADDRESS}/24`, LAN_ADDRESS);
    this.#address("host", `${HOST_ADDRESS}/24`, WAN_ADDRESS);
    this.nodes = { a: new LabNode(this, "a"), b: new LabNode(this, "b") };
  }

  namespace(place: Place): string {
    return this.#prefix + place;
  }

  inside(place: Place, command: string[]): string[] {
    return ["ip", "netns", "exec", this.namespace(place), ...command];
  }

  instrument(place: Place, words: string[]): Instrument {
    const instrument = new Instrument(this.inside(place, [instrumentsPath(), ...words]));
    this.#instruments.push(instrument);
    return instrument;
  }

  /** Pulls or mends a cable at the switch: the node sees its carrier go or come. */
  cable(side: Side, cable: Cable, plugged: boolean): void {
    sh(["ip", "-n", this.namespace(switchOf(cable)), "link", "set", `p-${side}`, plugged ? "up" : "down"]);
  }

  /** The switch swallows frames between node and switch without a word: no carrier is lost. */
  silence(side: Side, cable: Cable, silent: boolean, match = ""): void {
    const space = this.namespace(switchOf(cable));
    const table = `silence_${side}`;
    sh(["ip", "netns", "exec", space, "nft", "delete", "table", "netdev", table], { allow_failure: true });
    if (!silent) return;
    const chain = (hook: string) =>
      `chain ${hook} { type filter hook ${hook} device "p-${side}" priority 0; ${match} drop; }`;
    sh(["ip", "netns", "exec", space, "nft", "-f", "-"], {
      input: `table netdev ${table} {\n${chain("ingress")}\n${chain("egress")}\n}`,
    });
  }

  mac(place: Place, nic: string): string {
    return sh(this.inside(place, ["cat", `/sys/class/net/${nic}/address`])).trim();
  }

  remove(): void {
    for (const instrument of this.#instruments) instrument.end();
    this.nodes?.a.kill();
    this.nodes?.b.kill();
    for (const place of PLACES) sh(["ip", "netns", "del", this.namespace(place)], { allow_failure: true });
    rmSync(this.directory, { recursive: true, force: true });
  }

  #plug(place: Place, nic: string, into: Place, port: string): void {
    sh([
      "ip",
      "link",
      "add",
      nic,
      "netns",
      this.namespace(place),
      "type",
      "veth",
      "peer",
      "name",
      `p-${port}`,
      "netns",
      this.namespace(into),
    ]);
    sh(["ip", "-n", this.namespace(into), "link", "set", `p-${port}`, "master", "br0", "up"]);
    sh(["ip", "-n", this.namespace(place), "link", "set", nic, "up"]);
  }

  #address(place: Place, address: string, gateway: string): void {
    sh(["ip", "-n", this.namespace(place), "addr", "add", address, "dev", "eth0"]);
    sh(["ip", "-n", this.namespace(place), "route", "add", "default", "via", gateway]);
  }
}

function switchOf(cable: Cable): "lan" | "wan" | "clu" {
  return cable === "lan0" ? "lan" : cable === "wan0" ? "wan" : "clu";
}

/** Compiled once a run, kept with the other build output. */
function instrumentsPath(): string {
  const source = join(import.meta.dir, "instruments.c");
  const output = join(import.meta.dir, "../../build/instruments");
  const stale = !existsSync(output) || Bun.file(output).lastModified < Bun.file(source).lastModified;
  if (stale) sh(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", output, source]);
  return output;
}

/** Removes what runs that died left behind: their namespaces carry the number of a process that is gone. */
function sweep(): void {
  for (const line of sh(["ip", "netns", "list"]).split("\n")) {
    const match = /^(us(\d+)x\d+-\w+)/.exec(line);
    if (match?.[1] !== undefined && !existsSync(`/proc/${match[2]}`))
      sh(["ip", "netns", "del", match[1]], { allow_failure: true });
  }
}
