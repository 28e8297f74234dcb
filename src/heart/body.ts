/**
 * The heart's hands: captures, gate, addresses. It makes the kernel agree with what the core wants,
 * and tells the core what is. It decides nothing.
 */

import type { Input, Output } from "../core/types.ts";
import { Failure, sentence } from "../errors.ts";
import { type Holding, hold, isForeignAddressChange, prepareHolding, reconcile, release } from "../kernel/addresses.ts";
import {
  closeLease,
  type Gate,
  installGate,
  isForeignFirewallChange,
  openLease,
  removeGate,
  verifyGate,
} from "../kernel/gate.ts";
import { configureGateway } from "../kernel/gateway.ts";
import { type Link, linkNamed, listLinks, readLinkChanges, setLinkUp } from "../kernel/links.ts";
import type { Handle, Shim } from "../shim.ts";
import { macBytes } from "../wire/bytes.ts";
import type { HeartConfiguration, HeartEvent } from "./messages.ts";
import { Outbox } from "./outbox.ts";

/** Heartbeats, and on data networks what tells who holds an address. */
const CLUSTER_FILTER = "ether proto 0x88b5";
const DATA_FILTER = "ether proto 0x88b5 or arp or (icmp6 and (ip6[40] == 135 or ip6[40] == 136))";
const SNAP_BYTES = 256;
const CAPTURE_BUFFER_BYTES = 512 * 1024;
const GATE_REPAIRS_MAX = 5;
/** Addresses are put back this often in the window, then only with each check of the gate. */
const ADDRESS_REPAIRS_MAX = 20;
const REPAIR_WINDOW_MS = 10_000;

export type GateState = "none" | "closed" | "open" | "broken";

interface Port {
  slot: number;
  nic: string;
  mac: string;
  capture: Handle | null;
  carrier: boolean;
}

export class Body {
  readonly #shim: Shim;
  readonly #outbox: Outbox;
  readonly #report: (code: string, severity: HeartEvent["severity"], message: string) => void;
  #ports: Port[] = [];
  #gate: Gate | null = null;
  #gate_broken = false;
  #repairs_ms: number[] = [];
  #holding: Holding | null = null;
  #address_repairs_ms: number[] = [];
  /** Somebody else changed addresses, and what they are now has not been looked at. */
  #addresses_doubtful = false;
  #shared: string[] = [];
  /** The gate was made anew: if the core still wants the addresses held, the lease is opened again. */
  #must_open = false;
  held = false;

  constructor(shim: Shim, report: (code: string, severity: HeartEvent["severity"], message: string) => void) {
    this.#shim = shim;
    this.#outbox = new Outbox(shim);
    this.#report = report;
  }

  /** The MAC of a port's interface, once configured. */
  macOf(slot: number): string {
    return this.#ports.find((port) => port.slot === slot)?.mac ?? "00:00:00:00:00:00";
  }

  slotOf(capture: Handle): number | undefined {
    return this.#ports.find((port) => port.capture === capture)?.slot;
  }

  get gateState(): GateState {
    if (this.#gate_broken) return "broken";
    if (this.#gate === null) return "none";
    return this.held ? "open" : "closed";
  }

  /** Opens what the configuration names. Throws Failure where an interface is missing. Returns the carriers. */
  configure(configuration: HeartConfiguration, keep_held: boolean): Input[] {
    for (const port of this.#ports) this.#closePort(port);
    const { cluster, interfaces } = configuration;
    const enabled = interfaces.filter((entry) => entry.enabled);
    const links = listLinks(this.#shim);
    const nics =
      cluster === undefined
        ? enabled.map(({ nic, slot }) => ({ nic, slot }))
        : [{ nic: cluster.nic, slot: 0 }, ...enabled];
    this.#ports = nics.map(({ nic, slot }) => ({
      slot,
      nic,
      mac: linkNamed(links, nic).mac,
      capture: null,
      carrier: false,
    }));
    for (const port of this.#ports) {
      const link = linkNamed(links, port.nic);
      if (!link.up) setLinkUp(this.#shim, link, true);
    }
    this.#shared = enabled.flatMap((entry) => entry.addresses);
    this.#holding = prepareHolding(
      this.#shim,
      enabled.map(({ nic, addresses, gateways }) => ({ nic, addresses, gateways })),
    );
    const configureForwarding = (): void => {
      configureGateway(this.#shim, {
        interfaces: enabled.map(({ nic, role, addresses }) => ({ nic, role, addresses })),
        ...(cluster === undefined ? {} : { cluster_nic: cluster.nic }),
      });
    };
    if (cluster === undefined) {
      removeGate(this.#shim);
      this.#gate = null;
      configureForwarding();
      reconcile(this.#shim, this.#holding, "held", this.#shared);
      this.held = true;
      return [];
    }
    this.#gate = installGate(
      this.#shim,
      {
        cluster_nic: cluster.nic,
        data_nics: enabled.map((entry) => entry.nic),
        shared: this.#shared,
        own: [],
        lease_ms: cluster.tuning.lease_ms,
      },
      keep_held ? "open" : "closed",
    );
    // Only behind the gate, so that nothing is forwarded in between.
    configureForwarding();
    // Whatever a dead predecessor left behind goes away before anything is heard or said.
    reconcile(this.#shim, this.#holding, keep_held ? "held" : "released", this.#shared);
    this.held = keep_held;
    for (const port of this.#ports) this.#openPort(port);
    return this.#observeCarriers(listLinks(this.#shim));
  }

  /** Carries out what the core wants, in the order that keeps the guarantee: shut first, open last. */
  apply(output: Output): void {
    if (!output.hold && this.held) {
      this.held = false;
      try {
        if (this.#gate !== null) closeLease(this.#shim, this.#gate);
      } finally {
        this.#sendAll(output);
        if (this.#holding !== null) release(this.#shim, this.#holding);
      }
      return;
    }
    const take = output.hold && !this.held;
    const open = output.hold && (output.open_lease || this.#must_open);
    this.held = output.hold;
    // One thing that the kernel refuses must not keep back the others, least of all the heartbeat.
    try {
      if (take && this.#holding !== null) hold(this.#shim, this.#holding);
    } finally {
      try {
        this.#must_open = false;
        if (open && this.#gate !== null) openLease(this.#shim, this.#gate);
      } finally {
        this.#sendAll(output);
      }
    }
  }

  /** After a notification about links or addresses; an empty one says that some were lost. */
  networkChanged(datagram: Uint8Array): Input[] {
    if (isForeignAddressChange(this.#shim, datagram)) {
      this.#addresses_doubtful = true;
      this.#restoreAddresses(ADDRESS_REPAIRS_MAX);
    }
    return datagram.length === 0 || readLinkChanges(datagram).length > 0 ? this.linksChanged() : [];
  }

  /** What somebody added or removed by hand is put right; never on a word of the core, which has not changed its mind. */
  #restoreAddresses(repairs_max: number): void {
    const now_ms = this.#shim.now();
    this.#address_repairs_ms = this.#address_repairs_ms.filter((at_ms) => now_ms - at_ms < REPAIR_WINDOW_MS);
    if (this.#holding === null || this.#address_repairs_ms.length >= repairs_max) return;
    this.#addresses_doubtful = false;
    try {
      const { added, removed } = reconcile(this.#shim, this.#holding, this.held ? "held" : "released", this.#shared);
      if (added + removed === 0) return;
      this.#report(
        "addresses-restored",
        "warning",
        "Somebody changed the shared addresses or gateways of this node by hand; they have been put right.",
      );
    } catch (error) {
      this.#report("addresses-failed", "error", `The shared addresses cannot be put right: ${sentence(error)}.`);
    }
    this.#address_repairs_ms.push(now_ms);
  }

  /** After a link notification: which carriers changed. An interface that came back is opened again. */
  linksChanged(): Input[] {
    return this.#observeCarriers(listLinks(this.#shim));
  }

  captureFailed(capture: Handle): Input[] {
    const port = this.#ports.find((candidate) => candidate.capture === capture);
    if (port === undefined) return [];
    this.#closePort(port);
    return this.linksChanged();
  }

  /** After somebody else's change of the firewall: the gate stands, is restored, or is reported broken. */
  firewallChanged(datagram: Uint8Array): Input[] {
    if (this.#gate === null || !isForeignFirewallChange(this.#shim, datagram)) return [];
    return this.checkGate();
  }

  /** Every now and then: is everything as it should be? */
  check(): Input[] {
    if (this.#addresses_doubtful) this.#restoreAddresses(Number.POSITIVE_INFINITY);
    return this.checkGate();
  }

  checkGate(): Input[] {
    if (this.#gate === null) return [];
    try {
      if (verifyGate(this.#shim, this.#gate)) return this.#gateIs(false);
      const now_ms = this.#shim.now();
      this.#repairs_ms = this.#repairs_ms.filter((at_ms) => now_ms - at_ms < REPAIR_WINDOW_MS);
      if (this.#repairs_ms.length >= GATE_REPAIRS_MAX) return this.#gateIs(true);
      this.#repairs_ms.push(now_ms);
      // Closed: whether this node may still be active is the core's to say, in the step that follows.
      this.#gate = installGate(this.#shim, this.#gate.configuration, "closed");
      this.#must_open = true;
      this.#report(
        "gate-restored",
        "warning",
        "Somebody changed the firewall and removed the gate; it has been put back. Leave the table `understudy` alone.",
      );
      return this.#gateIs(false);
    } catch (error) {
      this.#report("gate-failed", "error", `The gate cannot be put back: ${sentence(error)}.`);
      return this.#gateIs(true);
    }
  }

  #gateIs(broken: boolean): Input[] {
    if (broken === this.#gate_broken) return [];
    this.#gate_broken = broken;
    return [{ type: "gate", broken }];
  }

  #sendAll(output: Output): void {
    for (const { slot, frame } of output.frames) {
      const capture = this.#ports.find((port) => port.slot === slot)?.capture;
      if (capture !== null && capture !== undefined) this.#outbox.add(capture, frame);
    }
    this.#outbox.flush();
  }

  #openPort(port: Port): void {
    try {
      port.capture = this.#shim.openCapture(port.nic, {
        filter: port.slot === 0 ? CLUSTER_FILTER : DATA_FILTER,
        snap_bytes: SNAP_BYTES,
        buffer_bytes: CAPTURE_BUFFER_BYTES,
        promiscuous: false,
      });
    } catch (error) {
      this.#report("capture-failed", "error", `${port.nic} cannot be watched: ${sentence(error)}.`);
    }
  }

  #closePort(port: Port): void {
    if (port.capture !== null) this.#shim.close(port.capture);
    port.capture = null;
  }

  #observeCarriers(links: Link[]): Input[] {
    return this.#ports.map((port) => {
      const link = links.find(({ name }) => name === port.nic);
      if (link !== undefined && port.capture === null) this.#openPort(port);
      if (link === undefined) this.#closePort(port);
      port.carrier = link?.up === true && link.carrier && port.capture !== null;
      return { type: "carrier", slot: port.slot, up: port.carrier };
    });
  }

  carrier(slot: number): boolean {
    return this.#ports.find((port) => port.slot === slot)?.carrier ?? false;
  }

  /** Addresses with what the kernel holds of them, for the snapshot. */
  addresses(configuration: HeartConfiguration): { address: string; nic: string; held: boolean }[] {
    return configuration.interfaces
      .filter((entry) => entry.enabled)
      .flatMap(({ nic, addresses }) => addresses.map((address) => ({ address, nic, held: this.held })));
  }

  peerMac(text: string | undefined): Uint8Array {
    if (text === undefined)
      throw new Failure("bad-configuration", "A cluster interface has no MAC of the peer; pair the nodes again.");
    return macBytes(text);
  }
}
