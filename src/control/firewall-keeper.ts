/**
 * Keeps the firewall as the settings say (kernel/firewall.ts): put there before any interface carries an address, changed
 * with the settings, and put back where somebody changed it by hand. Here and not in the heart, as nothing of it is urgent:
 * whether anything passes is the gate's.
 */
import { Failure, sentence } from "../errors.ts";
import {
  changesOf,
  type Firewall,
  type FirewallConfiguration,
  firewallGeneration,
  installFirewall,
} from "../kernel/firewall.ts";
import type { Settings } from "../settings/model.ts";
import { openShim } from "../shim.ts";

export const FIREWALL_LOOK_MS = 100;
const RETRY_MS = 1000;
const RESTORED_MAX = 5;
const WINDOW_MS = 60_000;
const NAMED_MAX = 5;
/** Of the web interface; beside the first one it listens on the second, and says where to go. */
const HTTPS_PORT = 443;
const HTTP_PORT = 80;

/** What the keeper sees and does. */
export interface FirewallKernel {
  now(): number;
  /** `anew`: whatever is there goes. Throws as the kernel refuses. */
  install(configuration: FirewallConfiguration, anew: boolean, before: Firewall | null): Firewall;
  changes(firewall: Firewall): string[];
  /** Another number after any change of anybody's firewall. */
  generation(): number | undefined;
}

export const FIREWALL_KERNEL: FirewallKernel = {
  now: () => performance.now(),
  install: (configuration, anew, before) => installFirewall(openShim(), configuration, { owned: true, anew, before }),
  changes: (firewall) => changesOf(openShim(), firewall),
  generation: () => firewallGeneration(openShim()),
};

export type Report = (code: string, severity: "warning" | "error", message: string) => void;

/** `web_port`: of the web interface; null where there is none. */
export function firewallOf(
  { interfaces, nat, web }: Settings,
  cluster_nic: string | undefined,
  web_port: number | null,
): FirewallConfiguration {
  const ports = web_port === HTTPS_PORT ? [HTTPS_PORT, HTTP_PORT] : web_port === null ? [] : [web_port];
  return {
    interfaces: interfaces.map(({ nic, role, addresses }) => ({ nic, role, addresses })),
    ...(cluster_nic === undefined ? {} : { cluster_nic }),
    masquerade: nat.masquerade,
    port_forwards: nat.port_forwards,
    open_ports: web.outside ? ports : [],
  };
}

export class FirewallKeeper {
  readonly #kernel: FirewallKernel;
  readonly #report: Report;
  #configuration: FirewallConfiguration | null = null;
  #firewall: Firewall | null = null;
  #generation: number | undefined;
  #tried_ms = Number.NEGATIVE_INFINITY;
  #restored_ms: number[] = [];
  #contested_ms = Number.NEGATIVE_INFINITY;
  /** Why it is not in force as the settings say: a sentence. */
  trouble: string | null = null;

  constructor(kernel: FirewallKernel, report: Report) {
    this.#kernel = kernel;
    this.#report = report;
  }

  /** Does nothing where it is so already. What the kernel refuses is an event and `trouble`, and tried again by `check`. */
  apply(configuration: FirewallConfiguration): void {
    if (this.trouble === null && Bun.deepEquals(configuration, this.#configuration)) return;
    // What somebody did to it meanwhile is found before the change is built on it.
    this.check();
    this.#configuration = configuration;
    this.#install(configuration, false);
  }

  /** To be called often: what somebody changed is put back. */
  check(): void {
    if (this.#configuration === null) return;
    if (this.#firewall === null || this.trouble !== null) {
      if (this.#kernel.now() - this.#tried_ms >= RETRY_MS) this.#install(this.#configuration, false);
      if (this.#firewall === null) return;
    }
    try {
      const generation = this.#kernel.generation();
      if (generation !== undefined && generation === this.#generation) return;
      this.#generation = generation;
      const changes = this.#kernel.changes(this.#firewall);
      if (changes.length > 0) this.#restore(this.#configuration, changes);
    } catch (error) {
      this.#troubleIs(`The firewall cannot be looked at: ${sentence(error)}.`);
    }
  }

  /** Always, and at once; but who is told of it every time does not read it any more. */
  #restore(configuration: FirewallConfiguration, changes: string[]): void {
    this.#install(configuration, true);
    if (this.trouble !== null) return;
    const now_ms = this.#kernel.now();
    this.#restored_ms = this.#restored_ms.filter((at_ms) => now_ms - at_ms < WINDOW_MS);
    this.#restored_ms.push(now_ms);
    const named = changes.slice(0, NAMED_MAX);
    if (changes.length > NAMED_MAX) named.push(`${changes.length - NAMED_MAX} more`);
    if (this.#restored_ms.length <= RESTORED_MAX)
      return this.#report(
        "firewall-restored",
        "warning",
        `Somebody changed the firewall (${named.join(", ")}); it is back as the settings say. Leave the table \`understudy_firewall\` alone.`,
      );
    if (now_ms - this.#contested_ms < WINDOW_MS) return;
    this.#contested_ms = now_ms;
    this.#report(
      "firewall-contested",
      "error",
      `Somebody changes the firewall again and again (${named.join(", ")}); each time it is put back. Find out which program does that.`,
    );
  }

  #install(configuration: FirewallConfiguration, anew: boolean): void {
    this.#tried_ms = this.#kernel.now();
    try {
      this.#firewall = this.#kernel.install(configuration, anew, this.#firewall);
      // Somebody's change in between is found by the next look.
      this.#generation = undefined;
      const { trouble } = this.#firewall;
      this.#troubleIs(
        trouble === null
          ? null
          : `The kernel cannot do all that the firewall needs (${trouble}), so nothing comes in from outside and nothing is translated; use one with nft_ct, nft_fib_inet, nft_limit, nft_nat and nft_masq.`,
      );
    } catch (error) {
      const advice = error instanceof Failure ? "" : "; use a kernel with nf_tables and its family inet";
      this.#troubleIs(`The firewall is not in force: ${sentence(error).replace(/\.$/, "")}${advice}.`);
    }
  }

  #troubleIs(trouble: string | null): void {
    if (trouble !== null && trouble !== this.trouble) this.#report("firewall-failed", "error", trouble);
    this.trouble = trouble;
  }
}
