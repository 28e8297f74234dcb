/**
 * Interfaces stay as the settings say, whoever sets them by hand: links up or down, and default gateways where this
 * node holds the addresses. (Addresses are the heart's.) Looked at once a second, put back with an event, and after
 * the fifth time in a minute left alone for a minute, so that two programs do not fight for ever.
 */
import { sentence } from "../errors.ts";
import { listGateways } from "../kernel/addresses.ts";
import { formatAddress, parseAddress } from "../kernel/ip.ts";
import { type Link, listLinks, setLinkUp } from "../kernel/links.ts";
import type { InterfaceSettings } from "../settings/model.ts";
import { openShim } from "../shim.ts";

export const WATCH_INTERVAL_MS = 1000;
const TIMES_MAX = 5;
const WINDOW_MS = 60_000;

export interface WatchedInterface {
  nic: string;
  enabled: boolean;
  /** None where somebody else holds the addresses. */
  gateways: string[];
}

/** What is to be as the settings say. Pairing tries the cards of disabled interfaces too, so these are left alone meanwhile. */
export function watchedInterfaces(
  interfaces: InterfaceSettings[],
  { cluster_nic, holds, is_pairing }: { cluster_nic: string | undefined; holds: boolean; is_pairing: boolean },
): WatchedInterface[] {
  const configured = interfaces.map(({ nic, enabled = true, gateway, gateway6 }) => ({
    nic,
    enabled,
    gateways: holds ? [gateway, gateway6].filter((text) => text !== undefined) : [],
  }));
  return [
    ...(cluster_nic === undefined ? [] : [{ nic: cluster_nic, enabled: true, gateways: [] }]),
    ...configured.filter(({ enabled }) => enabled || !is_pairing),
  ];
}

/** What the watch sees and does. */
export interface WatchedKernel {
  now(): number;
  links(): Link[];
  setUp(link: Link, up: boolean): void;
  /** Default gateways as texts, with the index of their link. */
  gateways(): { link_index: number; gateway: string }[];
  /** The heart sets all that is missing. */
  restoreGateways(): void;
}

export function watchedKernel(restoreGateways: () => void): WatchedKernel {
  return {
    now: () => performance.now(),
    links: () => listLinks(openShim()),
    setUp: (link, up) => setLinkUp(openShim(), link, up),
    gateways: () =>
      listGateways(openShim()).map(({ link_index, gateway }) => ({ link_index, gateway: formatAddress(gateway) })),
    restoreGateways,
  };
}

export type Report = (code: string, severity: "warning" | "error", message: string) => void;

export class InterfaceWatch {
  readonly #kernel: WatchedKernel;
  readonly #report: Report;
  /** When each matter was put back, within the last minute. */
  readonly #times = new Map<string, number[]>();
  readonly #resting_until_ms = new Map<string, number>();
  /** Gateways that were wanted at the last look: one that is wanted anew may still be on its way. */
  #expected = new Set<string>();

  constructor(kernel: WatchedKernel, report: Report) {
    this.#kernel = kernel;
    this.#report = report;
  }

  check(interfaces: WatchedInterface[]): void {
    try {
      const links = this.#kernel.links();
      const changed = this.#checkLinks(interfaces, links);
      this.#checkGateways(interfaces, links, changed);
    } catch (error) {
      this.#report("interface-refused", "error", `The interfaces cannot be looked at: ${sentence(error)}.`);
    }
  }

  #checkLinks(interfaces: WatchedInterface[], links: Link[]): boolean {
    let changed = false;
    for (const { nic, enabled } of interfaces) {
      const link = links.find(({ name }) => name === nic);
      if (link === undefined || link.up === enabled) continue;
      const did = enabled ? "set down" : "set up";
      if (!this.#mayRestore(nic, `${nic} was ${did}`)) continue;
      this.#kernel.setUp(link, enabled);
      changed = true;
      const what = enabled ? "it is up again" : "it is down again, as it is disabled";
      this.#report("interface-restored", "warning", `Somebody ${did} ${nic}; ${what}. Change it in the settings only.`);
    }
    return changed;
  }

  /** A link that went down took its gateways with it; that is no second matter. */
  #checkGateways(interfaces: WatchedInterface[], links: Link[], links_changed: boolean): void {
    const expected = new Set<string>();
    const missing: string[] = [];
    const wanted = interfaces.filter(({ enabled, gateways }) => enabled && gateways.length > 0);
    const present = wanted.length === 0 ? [] : this.#kernel.gateways();
    for (const { nic, gateways } of wanted) {
      const link = links.find(({ name }) => name === nic);
      if (link === undefined) continue;
      for (const gateway of gateways) {
        expected.add(`${gateway} on ${nic}`);
        const text = formatAddress(parseAddress(gateway));
        const is_there = present.some((entry) => entry.link_index === link.index && entry.gateway === text);
        if (!is_there && (links_changed || this.#expected.has(`${gateway} on ${nic}`)))
          missing.push(`${gateway} on ${nic}`);
      }
    }
    this.#expected = expected;
    const due = missing.filter(
      (name) => links_changed || this.#mayRestore(name, `the default gateway ${name} was removed`),
    );
    if (due.length > 0 || links_changed) this.#kernel.restoreGateways();
    if (due.length === 0 || links_changed) return;
    const what = `the default gateway ${due.join(", ")}; it is back`;
    this.#report("gateway-restored", "warning", `Somebody removed ${what}. Change it in the settings only.`);
  }

  #mayRestore(matter: string, what: string): boolean {
    const now_ms = this.#kernel.now();
    if (now_ms < (this.#resting_until_ms.get(matter) ?? 0)) return false;
    const times = (this.#times.get(matter) ?? []).filter((at_ms) => now_ms - at_ms < WINDOW_MS);
    this.#times.set(matter, times);
    if (times.length < TIMES_MAX) {
      times.push(now_ms);
      return true;
    }
    this.#times.delete(matter);
    this.#resting_until_ms.set(matter, now_ms + WINDOW_MS);
    const message = `In the last minute ${what} ${times.length + 1} times; it is left alone for a minute. Find out which program does that.`;
    this.#report("interface-contested", "error", message);
    return false;
  }
}
