/**
 * Runs inside a namespace for the tests of src/kernel: does what one JSON object a line on its standard input
 * says, and answers each by one line. Its counterpart is namespaces.ts.
 */

import { nameAll } from "../../src/control/card-naming.ts";
import * as addresses from "../../src/kernel/addresses.ts";
import * as firewall from "../../src/kernel/firewall.ts";
import * as gate from "../../src/kernel/gate.ts";
import * as gateway from "../../src/kernel/gateway.ts";
import * as links from "../../src/kernel/links.ts";
import { NETLINK_NETFILTER } from "../../src/kernel/netlink.ts";
import { openShim, RECORD, RECORD_HEADER_BYTES, SEND_HEADER_BYTES } from "../../src/shim.ts";
import { ETHER_TYPE } from "../../src/wire/ethernet.ts";
import { IPV4_SOURCE_PORT_AT } from "./packets.ts";
import { serve } from "./serve.ts";

const shim = openShim();
const received = new Uint8Array(1 << 20);
const captures = new Map<string, number>();
let installed: gate.Gate | undefined;
let holding: addresses.Holding | undefined;
let beating: ReturnType<typeof setInterval> | undefined;
let sent = 0;
let notified: number | undefined;
let protection: firewall.Firewall | undefined;

/** A frame or notification that came in: when, on which capture or subscription, and its bytes. */
interface Arrival {
  at_ms: number;
  source: number;
  bytes: Uint8Array;
}

function capture(nic: string): number {
  const known = captures.get(nic);
  if (known !== undefined) return known;
  const options = { filter: "", snap_bytes: 2048, buffer_bytes: 1 << 21, promiscuous: true };
  const handle = shim.openCapture(nic, options);
  captures.set(nic, handle);
  return handle;
}

function send(nic: string, frame: Uint8Array): number {
  const entry = new Uint8Array(SEND_HEADER_BYTES + ((frame.length + 7) & ~7));
  const view = new DataView(entry.buffer);
  view.setUint32(0, capture(nic), true);
  view.setUint32(4, frame.length, true);
  entry.set(frame, SEND_HEADER_BYTES);
  shim.send(entry, entry.length);
  return view.getInt32(8, true);
}

function wait(timeout_ms: number): Arrival[] {
  const length = shim.wait(received, timeout_ms);
  const at_ms = shim.now();
  const view = new DataView(received.buffer);
  const arrivals: Arrival[] = [];
  for (let at = 0; at < length; ) {
    const bytes = view.getUint32(at + 8, true);
    const start = at + RECORD_HEADER_BYTES;
    const kind = view.getUint16(at, true);
    if (kind === RECORD.frame || kind === RECORD.netlink) {
      arrivals.push({ at_ms, source: view.getUint32(at + 4, true), bytes: received.slice(start, start + bytes) });
    }
    at = start + ((bytes + 7) & ~7);
  }
  return arrivals;
}

function heartbeat(nic: string, claim: number): Uint8Array {
  const frame = new Uint8Array(60).fill(0xff, 0, 6);
  const mac = links.linkNamed(links.listLinks(shim), nic).mac;
  frame.set(
    mac.split(":").map((byte) => Number.parseInt(byte, 16)),
    6,
  );
  frame.set([ETHER_TYPE.understudy >> 8, ETHER_TYPE.understudy & 0xff, claim], 12);
  return frame;
}

const fromHex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"));
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const theGate = (): gate.Gate => {
  if (installed === undefined) throw new Error("no gate was installed");
  return installed;
};
const theHolding = (): addresses.Holding => {
  if (holding === undefined) throw new Error("nothing was declared");
  return holding;
};

export interface Seen {
  at_ms: number;
  nic: string;
  frame: string;
}

/** What a test can ask of an agent. */
const operations = {
  installGate(configuration: gate.GateConfiguration & { revoking?: string }, lease: gate.LeaseState, owned: boolean) {
    const { revoking, ...rest } = configuration;
    const complete = revoking === undefined ? rest : { ...rest, revoking_mac: fromHex(revoking.replaceAll(":", "")) };
    installed = gate.installGate(shim, complete, lease, { owned });
    return { owned: installed.owned };
  },
  openLease: () => gate.openLease(shim, theGate()),
  closeLease: () => gate.closeLease(shim, theGate()),
  readLease: () => gate.readLease(shim),
  verifyGate: () => gate.verifyGate(shim, theGate()),
  removeGate: () => gate.removeGate(shim),

  declare(interfaces: addresses.DeclaredInterface[]) {
    holding = addresses.prepareHolding(shim, interfaces);
  },
  hold: () => addresses.hold(shim, theHolding()),
  release: () => addresses.release(shim, theHolding()),
  observe: () => addresses.observe(shim, theHolding()),
  reconcile: (intent: addresses.Intent, ours: string[]) => addresses.reconcile(shim, theHolding(), intent, ours),
  configureGateway: (configuration: gateway.GatewayConfiguration) => gateway.configureGateway(configuration),
  installFirewall(configuration: firewall.FirewallConfiguration, owned: boolean) {
    const before = protection ?? null;
    protection = firewall.installFirewall(shim, configuration, { owned, anew: false, before });
    return { owned: protection.owned, trouble: protection.trouble };
  },
  firewallChanges: () => (protection === undefined ? [] : firewall.changesOf(shim, protection)),
  removeFirewall: () => firewall.removeFirewall(shim),
  realtime: (priority: number) => shim.realtime(priority),
  /** The cards with these addresses, in the order of their places. */
  nameCards(directory: string, macs: string[]) {
    const all = links.listLinks(shim);
    const cards = macs.flatMap((mac, index) => {
      const link = all.find((entry) => entry.mac === mac);
      return link === undefined ? [] : [{ link, nic: link.name, mac, place: `place ${index}` }];
    });
    return nameAll(shim, directory, cards);
  },
  listLinks: () => links.listLinks(shim),
  listCards: () => links.listCards(shim),
  setLinkUp: (nic: string, up: boolean) => links.setLinkUp(shim, links.linkNamed(links.listLinks(shim), nic), up),

  /** Opens captures now, so that nothing is missed between an order to send and an order to listen. */
  listen(nics: string[]) {
    for (const nic of nics) capture(nic);
    while (wait(0).length > 0) {}
  },
  heartbeat: (nic: string, claim: number) => send(nic, heartbeat(nic, claim)),
  /** Heartbeats by themselves from now on. */
  beat(nic: string, claim: number, interval_ms: number) {
    clearInterval(beating);
    const frame = heartbeat(nic, claim);
    beating = setInterval(() => send(nic, frame), interval_ms);
  },
  stopBeating: () => clearInterval(beating),
  send: (nic: string, frame: string) => send(nic, fromHex(frame)),
  /** These IPv4 packets again and again, each time as a connection of its own: from another port. */
  sendPackets(nic: string, frames: string[], interval_ms: number) {
    const all = frames.map(fromHex);
    sent = 0;
    beating = setInterval(() => {
      sent += 1;
      for (const frame of all) {
        new DataView(frame.buffer).setUint16(IPV4_SOURCE_PORT_AT, 1024 + (sent % 60_000));
        send(nic, frame);
      }
    }, interval_ms);
  },
  /** How often they were sent. */
  stopSending() {
    clearInterval(beating);
    return sent;
  },
  /** Sends a frame every `interval_ms` (once, where 0) and returns all that arrives on the open captures meanwhile. */
  exchange(nic: string, frame: string, interval_ms: number, duration_ms: number): Seen[] {
    const bytes = fromHex(frame);
    const nics = new Map([...captures].map(([name, handle]) => [handle, name]));
    const start_ms = shim.now();
    const seen: Seen[] = [];
    let next_ms = start_ms;
    while (shim.now() < start_ms + duration_ms) {
      if (bytes.length > 0 && shim.now() >= next_ms) {
        send(nic, bytes);
        next_ms = interval_ms === 0 ? Number.POSITIVE_INFINITY : next_ms + interval_ms;
      }
      const until_ms = Math.min(next_ms, start_ms + duration_ms);
      for (const { at_ms, source, bytes: arrived } of wait(Math.max(0, until_ms - shim.now()))) {
        seen.push({ at_ms, nic: nics.get(source) ?? "", frame: toHex(arrived) });
      }
    }
    return seen;
  },

  watchFirewall() {
    notified ??= shim.subscribe(NETLINK_NETFILTER, [gate.NFNLGRP_NFTABLES]);
  },
  /** Notifications of the firewall since the last call: did any tell of a foreign change? */
  firewallChanged(): { notifications: number; foreign: boolean } {
    const notifications = wait(20).filter(({ source }) => source === notified);
    return {
      notifications: notifications.length,
      foreign: notifications.some(({ bytes }) => gate.isForeignGateChange(shim, bytes)),
    };
  },

  /** Renews the lease by one heartbeat and looks at it without pause until it has gone. Milliseconds from the renewal. */
  timeExpiry(nic: string): { last_live_ms: number; first_shut_ms: number } {
    const frame = heartbeat(nic, 1);
    gate.openLease(shim, theGate());
    const start_ms = shim.now();
    send(nic, frame);
    let last_live_ms = 0;
    for (;;) {
      const left_ms = gate.readLease(shim);
      const elapsed_ms = shim.now() - start_ms;
      if (left_ms === 0) return { last_live_ms, first_shut_ms: elapsed_ms };
      last_live_ms = elapsed_ms;
    }
  },

  /** Milliseconds of `count` calls of another operation, sorted. */
  measure(name: string, count: number, ...values: unknown[]): number[] {
    const operation = operationNamed(name);
    const times: number[] = [];
    for (let call = 0; call < count; call += 1) {
      const start_ms = performance.now();
      operation(...values);
      times.push(performance.now() - start_ms);
    }
    return times.sort((a, b) => a - b);
  },
};
export type Operations = typeof operations;

function operationNamed(name: string): (...values: unknown[]) => unknown {
  return (operations as unknown as Record<string, (...values: unknown[]) => unknown>)[name] as never;
}

await serve(operations);
