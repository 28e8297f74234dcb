/**
 * A laboratory: places for nodes, a client, a WAN host and the switches between them, each in a
 * network namespace of its own with a name of its own. Nothing outside is touched.
 *
 *        client ── LAN switch ──┬── lan0 ┌───┐ wan0 ──┬── WAN switch ── host
 *      10.1.0.10                │        │ a │        │              10.2.0.254
 *     fd00:1::10                │        └─┬─┘        │             fd00:2::254
 *                               │        clu0         │
 *                               │        ┌─┴─┐        │
 *                               └── lan0 │ b │ wan0 ──┘
 *                                        └───┘
 *
 * The cluster cable runs through a switch of its own: cutting one side of it leaves the other node
 * its carrier, cutting both is a direct cable pulled out.
 */
import { rmSync } from "node:fs";
import { Instrument } from "./instrument.ts";
import { instrumentsPath } from "./instruments.ts";
import { LabNode } from "./node.ts";
import { sh } from "./shell.ts";
import { removeNamespace, removeWithTheProgram, type Site, takeSite } from "./site.ts";

export type Side = "a" | "b" | "c" | "d" | "e";
export type Cable = "lan0" | "wan0" | "clu0";
export type ClusterSwitch = "clu" | "clu2";
type Switch = "lan" | "wan" | ClusterSwitch;
/** As the switch sees it. */
export type Way = "ingress" | "egress";
export type Place = Side | Switch | "client" | "host";

export const CABLES = ["lan0", "wan0", "clu0"] as const;
export const CLIENT_ADDRESS = "10.1.0.10";
export const HOST_ADDRESS = "10.2.0.254";
export const HOST_ADDRESS6 = "fd00:2::254";
export const LAN_ADDRESS = "10.1.0.1";
export const WAN_ADDRESS = "10.2.0.1";
export const LAN_ADDRESS6 = "fd00:1::1";
export const WAN_ADDRESS6 = "fd00:2::1";
export const ECHO_PORT = 7007;

/** Which nodes there are, and into which cluster network each is plugged. */
export type Population = Partial<Record<Side, ClusterSwitch>>;

export class Lab {
  readonly directory: string;
  readonly #site: Site;
  /** Which cluster network each node is plugged into at present. */
  readonly #population: Population;
  readonly #places: Place[];
  readonly #nodes = new Map<Side, LabNode>();
  readonly #instruments: Instrument[] = [];

  constructor(population: Population = { a: "clu", b: "clu" }) {
    this.#site = takeSite();
    this.directory = this.#site.directory;
    this.#population = { ...population };
    removeWithTheProgram(this);
    const sides = Object.keys(population) as Side[];
    const switches: Switch[] = ["lan", "wan", ...new Set(Object.values(population))];
    this.#places = [...sides, ...switches, "client", "host"];
    for (const place of this.#places) sh(["ip", "netns", "add", this.namespace(place)]);
    for (const place of switches) this.#makeSwitch(place);
    for (const side of sides) {
      for (const cable of CABLES) this.#plug(side, cable, this.#switchOf(side, cable), side);
      this.#nodes.set(side, new LabNode(this, side));
    }
    this.#makeHost("client", "lan", [`${CLIENT_ADDRESS}/24`, "fd00:1::10/64"], [LAN_ADDRESS, LAN_ADDRESS6]);
    this.#makeHost("host", "wan", [`${HOST_ADDRESS}/24`, `${HOST_ADDRESS6}/64`], [WAN_ADDRESS, WAN_ADDRESS6]);
    for (const place of ["lan", "wan"] as const) this.#plug(place, "watch0", place, "watch");
  }

  node(side: Side): LabNode {
    const node = this.#nodes.get(side);
    if (node === undefined) throw new Error(`This lab has no node ${side}.`);
    return node;
  }

  namespace(place: Place): string {
    return this.#site.namespace(place);
  }

  inside(place: Place, command: string[]): string[] {
    return ["ip", "netns", "exec", this.namespace(place), ...command];
  }

  instrument(place: Place, words: string[]): Instrument {
    const instrument = new Instrument(this.inside(place, [instrumentsPath(), ...words]));
    this.#instruments.push(instrument);
    return instrument;
  }

  /** A program of the tests that speaks as an instrument does. */
  script(place: Place, words: string[]): Instrument {
    const instrument = new Instrument(this.inside(place, [process.execPath, ...words]));
    this.#instruments.push(instrument);
    return instrument;
  }

  /** Pulls or mends a cable at the switch: the node sees its carrier go or come. */
  cable(side: Side, cable: Cable, plugged: boolean): void {
    const at = this.namespace(this.#switchOf(side, cable));
    sh(["ip", "-n", at, "link", "set", `p-${side}`, plugged ? "up" : "down"]);
  }

  /**
   * The switch swallows frames between node and switch without a word: no carrier is lost. Those that
   * `match` and go one of the `ways`, `ingress` being from the node into the switch.
   */
  silence(side: Side, cable: Cable, silent: boolean, match = "", ways: Way[] = ["ingress", "egress"]): void {
    const table = `table netdev silence_${side}`;
    const chain = (hook: Way) =>
      `chain ${hook} { type filter hook ${hook} device "p-${side}" priority 0; ${match} drop; }`;
    const chains = silent ? `${table} {\n${ways.map(chain).join("\n")}\n}\n` : "";
    const input = `${table} {}\ndelete ${table}\n${chains}`;
    sh(this.inside(this.#switchOf(side, cable), ["nft", "-f", "-"]), { input });
  }

  /**
   * All at once, as far as the nodes can tell: the cluster network goes last, because where it goes first the nodes
   * still hear each other elsewhere, and the active role is handed over in an orderly way (S5a) before the rest is cut.
   */
  isolate(side: Side, match = ""): void {
    for (const cable of ["lan0", "wan0", "clu0"] as const) this.silence(side, cable, true, match);
  }

  /** The cluster network comes first: the nodes hear each other before any host can reach both. */
  join(side: Side): void {
    for (const cable of ["clu0", "lan0", "wan0"] as const) this.silence(side, cable, false);
  }

  /** Pulls the cluster cable out of its switch and plugs it into another one. */
  replug(side: Side, into: ClusterSwitch): void {
    const [from, to] = [this.#switchOf(side, "clu0"), into].map((place) => this.namespace(place));
    if (from === undefined || to === undefined || from === to) return;
    sh(["ip", "-n", from, "link", "set", `p-${side}`, "netns", to]);
    sh(["ip", "-n", to, "link", "set", `p-${side}`, "master", "br0", "up"]);
    this.#population[side] = into;
  }

  mac(place: Place, nic: string): string {
    return sh(this.inside(place, ["cat", `/sys/class/net/${nic}/address`])).trim();
  }

  remove(): void {
    if (!this.#site.leave()) return;
    for (const instrument of this.#instruments) instrument.end();
    for (const node of this.#nodes.values()) node.kill();
    for (const place of this.#places) removeNamespace(this.namespace(place));
    rmSync(this.directory, { recursive: true, force: true });
  }

  #switchOf(side: Side, cable: Cable): Switch {
    if (cable === "clu0") return this.#population[side] ?? "clu";
    return cable === "lan0" ? "lan" : "wan";
  }

  #makeSwitch(place: Switch): void {
    const ip = (words: string) => sh(["ip", "-n", this.namespace(place), "link", ...words.split(" ")]);
    // A switch has no address of its own, and says nothing by itself.
    sh(this.inside(place, ["sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1"]));
    ip("add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0");
    ip("set br0 up");
  }

  #makeHost(place: "client" | "host", into: Switch, addresses: string[], gateways: string[]): void {
    const ip = (words: string) => sh(["ip", "-n", this.namespace(place), ...words.split(" ")]);
    ip("link set lo up");
    this.#plug(place, "eth0", into, place);
    for (const address of addresses) ip(`addr add ${address} dev eth0${address.includes(":") ? " nodad" : ""}`);
    for (const gateway of gateways) ip(`route add default via ${gateway}`);
  }

  #plug(place: Place, nic: string, into: Switch, port: string): void {
    const [from, to] = [this.namespace(place), this.namespace(into)];
    sh(`ip link add ${nic} netns ${from} type veth peer name p-${port} netns ${to}`.split(" "));
    sh(["ip", "-n", to, "link", "set", `p-${port}`, "master", "br0", "up"]);
    sh(["ip", "-n", from, "link", "set", nic, "up"]);
    if (CABLES.some((cable) => cable === nic)) sh(["ip", "-n", from, "link", "set", "lo", "up"]);
  }
}
