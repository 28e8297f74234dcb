/**
 * Networks between machines: bridges in a namespace of their own, taps for the machines' cards, and hosts in
 * namespaces beside it. QEMU runs in the namespace of the bridges, so nothing of the machine's own is touched.
 */
import { accessSync, constants } from "node:fs";
import { Instrument } from "../lab/instrument.ts";
import { instrumentsPath } from "../lab/instruments.ts";
import { sh } from "../lab/shell.ts";
import { removeNamespace, type Site } from "../lab/site.ts";

/** Where the observers of a network stand: a port of the bridge, without an address. */
export const WATCH = (network: string): string => `w-${network}`;

export interface Host {
  name: string;
  network: string;
  addresses: string[];
  gateways: string[];
}

/** Ends the program with one sentence where this user may make no taps. */
export function demandTaps(): void {
  try {
    accessSync("/dev/net/tun", constants.R_OK | constants.W_OK);
  } catch {
    console.error(
      "Virtual machines need /dev/net/tun for their network cards: run this as root, or load the module tun and let you open it (sudo chmod 666 /dev/net/tun).",
    );
    process.exit(1);
  }
}

export class Networks {
  readonly #site: Site;
  readonly #instruments: Instrument[] = [];
  readonly #namespaces: string[] = [];
  /** Where the bridges and the machines are. */
  readonly room: string;

  constructor(site: Site) {
    this.#site = site;
    this.room = this.#make("room");
    // A switch has no address of its own, and says nothing by itself.
    sh(this.inside("room", ["sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1"]));
  }

  #make(place: string): string {
    const name = this.#site.namespace(place);
    sh(["ip", "netns", "add", name]);
    this.#namespaces.push(name);
    return name;
  }

  inside(place: string, command: string[]): string[] {
    return ["ip", "netns", "exec", this.#site.namespace(place), ...command];
  }

  /** A switch, with a place for those who watch. */
  addNetwork(name: string): void {
    const ip = (words: string) => sh(["ip", "-n", this.room, "link", ...words.split(" ")]);
    ip(`add ${name} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`);
    ip(`set ${name} up`);
    ip(`add ${WATCH(name)} type veth peer name p-${name}`);
    ip(`set p-${name} master ${name} up`);
    ip(`set ${WATCH(name)} up`);
  }

  addHost({ name, network, addresses, gateways }: Host): void {
    const namespace = this.#make(name);
    const ip = (words: string) => sh(["ip", "-n", namespace, ...words.split(" ")]);
    ip("link set lo up");
    sh(`ip link add eth0 netns ${namespace} type veth peer name h-${name} netns ${this.room}`.split(" "));
    sh(["ip", "-n", this.room, "link", "set", `h-${name}`, "master", network, "up"]);
    ip("link set eth0 up");
    for (const address of addresses) ip(`addr add ${address} dev eth0${address.includes(":") ? " nodad" : ""}`);
    for (const gateway of gateways) ip(`route add default via ${gateway}`);
  }

  /** A port of the switch for a machine's card; it has a carrier while QEMU has it open. */
  addTap(tap: string, network: string): void {
    sh(["ip", "-n", this.room, "tuntap", "add", "dev", tap, "mode", "tap"]);
    sh(["ip", "-n", this.room, "link", "set", tap, "master", network, "up"]);
  }

  instrument(place: string, words: string[]): Instrument {
    const instrument = new Instrument(this.inside(place, [instrumentsPath(), ...words]));
    this.#instruments.push(instrument);
    return instrument;
  }

  remove(): void {
    for (const instrument of this.#instruments) instrument.end();
    for (const namespace of this.#namespaces) removeNamespace(namespace);
  }
}
