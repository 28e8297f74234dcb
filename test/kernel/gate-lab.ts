/**
 * A gateway for the tests of the gate: a node with a LAN, a WAN and a cluster card, somebody at the other end of
 * each, and an agent that plays the daemon. The node holds every address, as one does that froze while active.
 */

import type { GateConfiguration, LeaseState } from "../../src/kernel/gate.ts";
import { parseAddress } from "../../src/kernel/ip.ts";
import { emitArpRequest } from "../../src/wire/arp.ts";
import { macBytes } from "../../src/wire/bytes.ts";
import { described, toHex } from "./frames.ts";
import { type Agent, cable, Namespace } from "./namespaces.ts";

export const LAN = { node: "02:00:00:00:01:01", other: "02:00:00:00:01:02" };
export const WAN = { node: "02:00:00:00:02:01", other: "02:00:00:00:02:02" };
export const CLUSTER = { node: "02:00:00:00:03:01", other: "02:00:00:00:03:02" };

export const LEASE_MS = 200;
/** Long enough for an answer within one machine, short enough to wait for the lack of one many times. */
export const LISTEN_MS = 60;
/** Open for as long as a test takes. */
export const OPEN_FOR_LONG = { lease_ms: 60_000 };

export const configuration: GateConfiguration = {
  cluster_nic: "clu0",
  data_nics: ["lan0", "wan0"],
  shared: ["10.1.0.1/24", "10.2.0.1/24", "fd01::1/64", "fe80::1/64"],
  own: ["10.1.0.11", "fd01::11"],
  lease_ms: LEASE_MS,
};

/** ARP for an address of the node, as the client asks. */
export const arpFor = (address: string): Uint8Array =>
  emitArpRequest(macBytes(LAN.other), parseAddress("10.1.0.2"), parseAddress(address));

export class GateLab {
  readonly node = new Namespace("node");
  readonly client = new Namespace("client");
  readonly server = new Namespace("server");
  daemon: Agent = this.node.startAgent();
  readonly outside: Agent = this.client.startAgent();

  private constructor() {}

  static async start(): Promise<GateLab> {
    const lab = new GateLab();
    try {
      lab.lay();
      lab.witness();
      await lab.daemon.call("listen", ["lan0", "wan0", "clu0"]);
      await lab.outside.call("listen", ["lan1", "clu1"]);
    } catch (error) {
      lab.remove();
      throw error;
    }
    return lab;
  }

  remove(): void {
    for (const namespace of [this.node, this.client, this.server]) namespace.remove();
  }

  async install(lease: LeaseState, changed: object = {}): Promise<void> {
    await this.daemon.call("installGate", { ...configuration, ...changed }, lease, true);
  }

  /** As on kernels that do not know owned tables. */
  async installUnowned(lease: LeaseState, changed: object = {}): Promise<void> {
    await this.daemon.call("removeGate");
    await this.daemon.call("installGate", { ...configuration, ...changed }, lease, false);
  }

  /** Sends a frame to the node and returns what comes back there, in words. */
  async ask(bytes: Uint8Array, nic = "lan1"): Promise<string[]> {
    await this.outside.call("listen", [nic]);
    const seen = await this.outside.call("exchange", nic, toHex(bytes), 0, LISTEN_MS);
    return seen.filter((one) => one.nic === nic).map((one) => described(one.frame));
  }

  /** Has the node's daemon send a frame, and returns what of it arrives at the other end. */
  async emit(bytes: Uint8Array, nic = "lan0", inWords: (hex: string) => string = described): Promise<string[]> {
    const other = nic.replace("0", "1");
    await this.outside.call("listen", [other]);
    await this.daemon.call("send", nic, toHex(bytes));
    const seen = await this.outside.call("exchange", other, "", 0, LISTEN_MS);
    return seen.filter((one) => one.nic === other).map((one) => inWords(one.frame));
  }

  /** True where a frame gets past the way in: the node's stack counts it, whether or not it answers. */
  async reaches(bytes: Uint8Array, nic = "lan1"): Promise<boolean> {
    const count = (): number => {
      const listed = ["arp", "inet"].map((family) => this.node.run("nft", "list", "table", family, "witness")).join();
      const name = nic.replace("1", "0");
      return [...listed.matchAll(new RegExp(`"${name}" counter packets (\\d+)`, "g"))].reduce(
        (sum, [, packets]) => sum + Number(packets),
        0,
      );
    };
    // Three times, as the client's own kernel may have something to say meanwhile.
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      const before = count();
      await this.outside.call("send", nic, toHex(bytes));
      if (count() === before) return false;
    }
    return true;
  }

  /** Counters behind the gate, one for each card and family. */
  private witness(): void {
    const rules = ["lan0", "clu0"].map((nic) => `iifname ${nic} counter`).join("; ");
    this.node.run("nft", `table arp witness { chain in { type filter hook input priority 0; ${rules}; }; }`);
    this.node.run("nft", `table inet witness { chain in { type filter hook prerouting priority -300; ${rules}; }; }`);
  }

  private lay(): void {
    const { node, client, server } = this;
    cable(node, "lan0", client, "lan1");
    cable(node, "clu0", client, "clu1");
    cable(node, "wan0", server, "wan1");
    // No addresses by themselves but link-local ones, at once: what is on the wire is what the tests put there.
    for (const [namespace, nic, mac] of [
      [node, "lan0", LAN.node],
      [node, "wan0", WAN.node],
      [node, "clu0", CLUSTER.node],
      [client, "lan1", LAN.other],
      [client, "clu1", CLUSTER.other],
      [server, "wan1", WAN.other],
    ] as const) {
      namespace.run(
        "sysctl",
        "-qw",
        `net.ipv6.conf.${nic}.accept_dad=0`,
        `net.ipv6.conf.${nic}.router_solicitations=0`,
      );
      namespace.run("ip", "link", "set", nic, "down");
      namespace.run("ip", "link", "set", nic, "address", mac);
      namespace.run("ip", "link", "set", nic, "up");
    }
    client.run("ip", "addr", "add", "10.1.0.2/24", "dev", "lan1");
    client.run("ip", "addr", "add", "fd01::2/64", "dev", "lan1", "nodad");
    client.run("ip", "addr", "add", "10.3.0.2/24", "dev", "clu1");
    server.run("ip", "addr", "add", "10.2.0.2/24", "dev", "wan1");
    server.run("ip", "route", "add", "default", "via", "10.2.0.1");
    // The node holds everything, as one does that froze while active.
    for (const [nic, address] of [
      ["lan0", "10.1.0.1/24"],
      ["lan0", "10.1.0.11/24"],
      ["lan0", "fd01::1/64"],
      ["lan0", "fd01::11/64"],
      ["lan0", "fe80::1/64"],
      ["wan0", "10.2.0.1/24"],
      ["clu0", "10.3.0.1/24"],
    ] as const) {
      node.run("ip", "addr", "add", address, "dev", nic, ...(address.includes(":") ? ["nodad"] : []));
    }
    node.run("sysctl", "-qw", "net.ipv4.ip_forward=1");
    node.run("ip", "neigh", "replace", "10.2.0.2", "lladdr", WAN.other, "dev", "wan0");
  }
}
