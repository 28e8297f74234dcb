/**
 * The heart's hands: captures, gate, addresses. It makes the kernel agree with what the core wants,
 * and tells the core what is. It decides nothing.
 */

import { PROMPT_MS } from "../core/tuning.ts";
import type { Input, Output } from "../core/types.ts";
import { Failure, SystemFailure, sentence } from "../errors.ts";
import {
  type Holding,
  isForeignAddressChange,
  Move,
  observe,
  prepareHolding,
  removeStrays,
} from "../kernel/addresses.ts";
import {
  closeLease,
  type Gate,
  type GateConfiguration,
  installGate,
  isForeignGateChange,
  openLease,
  removeGate,
  verifyGate,
} from "../kernel/gate.ts";
import { configureGateway } from "../kernel/gateway.ts";
import { type Link, linkNamed, listLinks, readLinkChanges, setLinkUp } from "../kernel/links.ts";
import { NETLINK_ROUTE } from "../kernel/netlink.ts";
import type { Handle, Shim } from "../shim.ts";
import { macBytes } from "../wire/bytes.ts";
import { DIRECTION } from "./cells.ts";
import type { HeartConfiguration, Report } from "./messages.ts";
import { Outbox } from "./outbox.ts";
import type { Recorder } from "./recorder.ts";

/** Heartbeats, and on data networks what tells who holds an address. */
const CLUSTER_FILTER = "ether proto 0x88b5";
const DATA_FILTER = "ether proto 0x88b5 or arp or (icmp6 and (ip6[40] == 135 or ip6[40] == 136))";
const SNAP_BYTES = 256;
const CAPTURE_BUFFER_BYTES = 512 * 1024;
const GATE_REPAIRS_MAX = 5;
const GATE_REPAIR_WINDOW_MS = 10_000;
/** Where the kernel told of changes of addresses they are looked at as often as this, otherwise seldom. */
const ADDRESS_CHECK_MS_MIN = 50;
const ADDRESS_CHECK_MS_MAX = 5000;
const ADDRESSES_NAMED_MAX = 5;

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
  readonly #report: Report;
  #ports: Port[] = [];
  #gate: Gate | null = null;
  #gate_broken = false;
  #repairs_ms: number[] = [];
  /** The kernel told of changes of addresses, and what they are now has not been looked at. */
  #addresses_doubtful = false;
  #addresses_checked_ms = 0;
  #holding: Holding | null = null;
  /** What is being done to the addresses, and whose datagram the kernel has on the other thread. */
  #move: Move | null = null;
  #asked: Move | null = null;
  #shared: string[] = [];
  /** The gate was made anew: if the core still wants the addresses held, the lease is opened again. */
  #must_open = false;
  /** The last wishes of the core were carried out late, or not all of them. */
  #late = false;
  held = false;
  gate_doubtful = false;

  constructor(shim: Shim, report: Report, recorder: Recorder) {
    this.#shim = shim;
    this.#outbox = new Outbox(shim, (at_ms, capture, errno, bytes, start, length) => {
      const slot = this.slotOf(capture) ?? 0;
      recorder.frame(at_ms, slot, DIRECTION.out, errno === 0 ? "sent" : "not-sent", bytes, start, length);
    });
    this.#report = report;
  }

  /** The MAC of a port's interface, once configured. */
  macOf(slot: number): string {
    return this.#ports.find((port) => port.slot === slot)?.mac ?? "00:00:00:00:00:00";
  }

  slotOf(capture: Handle): number | undefined {
    return this.#ports.find((port) => port.capture === capture)?.slot;
  }

  /** What captures call its interfaces. */
  ports(): { slot: number; nic: string; mac: string }[] {
    return this.#ports.map(({ slot, nic, mac }) => ({ slot, nic, mac }));
  }

  get gateState(): GateState {
    if (this.#gate_broken) return "broken";
    if (this.#gate === null) return "none";
    return this.held ? "open" : "closed";
  }

  /**
   * Makes the node what the configuration says; where `held`, the addresses stay held meanwhile. Throws Failure where an
   * interface is missing. Returns the carriers; behind a new gate the core's next step decides whether its lease is opened.
   */
  configure(configuration: HeartConfiguration, held: boolean): Input[] {
    const { cluster, interfaces } = configuration;
    const enabled = interfaces.filter((entry) => entry.enabled);
    const used = [...(cluster === undefined ? [] : [{ nic: cluster.nic, slot: 0 }]), ...enabled];
    const links = this.#linksUp(used.map(({ nic }) => nic));
    this.#arrangePorts(used.map(({ nic, slot }) => ({ slot, nic, mac: linkNamed(links, nic).mac })));
    const before = this.#shared;
    this.#shared = interfaces.flatMap((entry) => entry.addresses);
    this.#holding = prepareHolding(
      this.#shim,
      enabled.map(({ nic, addresses, gateways }) => ({ nic, addresses, gateways })),
    );
    const is_alone = cluster === undefined || cluster.departed;
    if (is_alone) {
      removeGate(this.#shim);
      this.#gate = null;
    } else {
      this.#installGate({
        cluster_nic: cluster.nic,
        data_nics: enabled.map((entry) => entry.nic),
        shared: enabled.flatMap((entry) => entry.addresses),
        own: [],
        lease_ms: cluster.tuning.lease_ms,
      });
    }
    // Only behind the gate, so that nothing is forwarded in between.
    configureGateway({
      interfaces: enabled.map(({ nic, role }) => ({ nic, role })),
      ...(cluster === undefined ? {} : { cluster_nic: cluster.nic }),
    });
    // Whatever a dead predecessor or an earlier configuration left behind goes away before anything is heard or said.
    this.held = is_alone || held;
    this.#must_open = this.held && this.#must_open;
    const intent = this.held ? "held" : "released";
    this.#shim.awaitBackground();
    const { removed, missing } = removeStrays(this.#shim, this.#holding, intent, [...before, ...this.#shared]);
    this.#move = this.held && removed + missing > 0 ? new Move(this.#shim, this.#holding, intent) : null;
    this.work();
    for (const port of this.#ports) if (port.capture === null) this.#openPort(port);
    return this.#observeCarriers(listLinks(this.#shim));
  }

  /** All links, after those in use have been brought up. */
  #linksUp(nics: string[]): Link[] {
    const links = listLinks(this.#shim);
    for (const nic of nics) {
      const link = linkNamed(links, nic);
      if (!link.up) setLinkUp(this.#shim, link, true);
    }
    return links;
  }

  /** Captures that are still wanted stay open: nothing that is on its way in gets lost. */
  #arrangePorts(wanted: Pick<Port, "slot" | "nic" | "mac">[]): void {
    const before = this.#ports;
    this.#ports = wanted.map((port) => {
      const same = before.find(({ slot, nic, mac }) => slot === port.slot && nic === port.nic && mac === port.mac);
      return same ?? { ...port, capture: null, carrier: false };
    });
    for (const port of before) if (!this.#ports.includes(port)) this.#closePort(port);
  }

  /** A gate that is the same already stays as it is, lease and all. */
  #installGate(configuration: GateConfiguration): void {
    const installed = this.#gate;
    const is_same = JSON.stringify(installed?.configuration) === JSON.stringify(configuration);
    if (installed !== null && is_same && verifyGate(this.#shim, installed)) return;
    // Closed: whether this node may be active at this moment is the core's to say, in the step that follows.
    this.#gate = installGate(this.#shim, configuration, "closed");
    this.#must_open = true;
  }

  /** Carries out what the core wanted at `now_ms`, in the order that keeps the guarantee: shut first, open last. */
  apply(output: Output, now_ms: number): void {
    if (!output.hold && this.held) {
      this.held = false;
      try {
        if (this.#gate !== null) closeLease(this.#shim, this.#gate);
      } finally {
        this.#sendAll(output);
        this.#late = !this.#isPrompt(now_ms);
        this.#begin("released");
        this.work();
      }
      return;
    }
    let opened = false;
    const open = output.hold && (output.open_lease || this.#must_open);
    if (output.hold && !this.held) this.#begin("held");
    this.held = output.hold;
    // One thing that the kernel refuses must not keep back the others, least of all the heartbeat.
    try {
      this.work();
    } finally {
      try {
        this.#must_open = false;
        // A node frozen since the step must not open on thawing: its peer may have claimed.
        if (open && this.#gate !== null && this.#isPrompt(now_ms)) {
          openLease(this.#shim, this.#gate);
          opened = true;
        }
      } finally {
        this.#sendAll(output);
        this.#late = !this.#isPrompt(now_ms) || (open && !opened);
      }
    }
  }

  #isPrompt(now_ms: number): boolean {
    return this.#shim.now() - now_ms < PROMPT_MS;
  }

  /** What the core has to know of how its last wishes were carried out. */
  lateness(): Input[] {
    return this.#late ? [{ type: "late" }] : [];
  }

  /** True while addresses are still to be set or removed. */
  get is_busy(): boolean {
    return this.#move !== null || this.#asked !== null;
  }

  /**
   * The next part of a change of addresses, unless one is under way. The kernel does it on another thread: whoever
   * changes addresses waits for the lock of all network configuration, and heartbeats must not.
   */
  work(): void {
    const move = this.#move;
    if (move === null || this.#asked !== null) return;
    const request = move.next();
    if (request === undefined) {
      this.#move = null;
      move.finish();
      return;
    }
    this.#shim.netlinkInBackground(NETLINK_ROUTE, request);
    this.#asked = move;
  }

  /** The kernel has answered the last part, with the name of an error or nothing. */
  worked(errno: string): void {
    if (errno !== "") this.#asked?.refused(new SystemFailure("netlink request", errno, `netlink request: ${errno}`));
    this.#asked = null;
    this.work();
  }

  #begin(intent: "held" | "released"): void {
    this.#move = this.#holding === null ? null : new Move(this.#shim, this.#holding, intent);
  }

  /** After a notification about links or addresses; an empty one says that some were lost. */
  networkChanged(datagram: Uint8Array): Input[] {
    if (datagram.length === 0 || isForeignAddressChange(this.#shim, datagram)) this.#addresses_doubtful = true;
    return datagram.length === 0 || readLinkChanges(datagram).length > 0 ? this.linksChanged() : [];
  }

  /**
   * Somebody may have set or removed addresses by hand: what is must be what is meant. Whether the node is active is
   * not asked again: the core has not changed its mind. Looking at thousands takes milliseconds, and the kernel tells
   * of each of them, our own IPv6 ones too (without saying whose they are): so one look for all that came meanwhile.
   */
  checkAddresses(now_ms: number): void {
    const since_ms = now_ms - this.#addresses_checked_ms;
    const due = since_ms >= (this.#addresses_doubtful ? ADDRESS_CHECK_MS_MIN : ADDRESS_CHECK_MS_MAX);
    if (!due || this.#holding === null || this.is_busy) return;
    this.#addresses_doubtful = false;
    this.#addresses_checked_ms = now_ms;
    const wrong = observe(this.#shim, this.#holding).filter(({ held }) => held !== this.held);
    if (wrong.length === 0) return;
    const named = wrong.slice(0, ADDRESSES_NAMED_MAX).map(({ address, nic }) => `${address} on ${nic}`);
    if (wrong.length > named.length) named.push(`${wrong.length - named.length} more`);
    const names = named.join(", ");
    const what = this.held ? `removed ${names}; it is back` : `set ${names}, which the active node holds; it is gone`;
    this.#report("addresses-restored", "warning", `Somebody ${what}. Change addresses in the settings only.`);
    this.#begin(this.held ? "held" : "released");
    this.work();
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

  /** After a notification about the firewall: somebody else may have changed the gate, which is then to be checked. */
  firewallChanged(datagram: Uint8Array): void {
    if (this.#gate !== null && isForeignGateChange(this.#shim, datagram)) this.gate_doubtful = true;
  }

  /** The gate stands, is restored, or is reported broken. */
  checkGate(): Input[] {
    this.gate_doubtful = false;
    if (this.#gate === null) return [];
    try {
      if (verifyGate(this.#shim, this.#gate)) return this.#gateIs(false);
      const now_ms = this.#shim.now();
      this.#repairs_ms = this.#repairs_ms.filter((at_ms) => now_ms - at_ms < GATE_REPAIR_WINDOW_MS);
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
