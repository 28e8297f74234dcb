/**
 * Puts the firewall (firewall-rules.ts) into the kernel, and sees whether somebody changed it.
 *
 *     const firewall = installFirewall(shim, configuration);
 *     changesOf(shim, firewall);    // what somebody else did to it since
 *
 * One transaction, and in place where that is possible: each packet meets all old rules or all new ones. The table belongs
 * to our socket where the kernel can (Linux 6.9), stays in force when we are gone, and is adopted by the next start.
 */

import { Failure, SystemFailure, sentence } from "../errors.ts";
import type { Shim } from "../shim.ts";
import { command, commandUnless, list, nextSequence } from "./exchange.ts";
import {
  closedDefinition,
  FIREWALL_TABLE,
  type FirewallConfiguration,
  type FirewallDefinition,
  type FirewallSet,
  firewallDefinition,
} from "./firewall-rules.ts";
import { NETLINK_NETFILTER } from "./netlink.ts";
import { FAMILY, generationRequest, readGeneration, Transaction } from "./nftables.ts";
import { differences, type Picture, pictureOf } from "./picture.ts";

export { FIREWALL_TABLE, type FirewallConfiguration } from "./firewall-rules.ts";

/** An installed firewall. */
export interface Firewall {
  /** Null, or why it lets nothing in and translates nothing: the end of a sentence. */
  trouble: string | null;
  /** True where the kernel lets nobody else change it. */
  owned: boolean;
  /** What the kernel listed right after the installation, to compare with. */
  picture: Picture;
  definition: FirewallDefinition;
}

export interface InstallOptions {
  /** By this process alone, where the kernel can. */
  owned: boolean;
  /** Whatever somebody put into the table goes as well; for a moment more than the rules say is dropped. */
  anew: boolean;
  /** What is there, unchanged since: only elements that differ are sent, as the lock is not for us alone. */
  before?: Firewall | null;
}

interface Way {
  owned: boolean;
  anew: boolean;
  before?: FirewallDefinition;
}

/** How a table is put there, from the best way to the one that works everywhere. */
const WAYS = [
  { owned: true, anew: false },
  { owned: true, anew: true },
  { owned: false, anew: false },
  { owned: false, anew: true },
] as const;

/**
 * Where the kernel cannot do all of it, what it can do is installed, closed, and `trouble` says so. Throws Failure
 * `firewall-held` (another process of ours lives and owns it), or SystemFailure where not even that is taken.
 */
export function installFirewall(
  shim: Shim,
  configuration: FirewallConfiguration,
  options: InstallOptions = { owned: true, anew: false },
): Firewall {
  try {
    return install(shim, firewallDefinition(configuration), options, null);
  } catch (error) {
    if (!(error instanceof SystemFailure)) throw error;
    return install(shim, closedDefinition(configuration), options, sentence(error));
  }
}

function install(
  shim: Shim,
  definition: FirewallDefinition,
  options: InstallOptions,
  trouble: string | null,
): Firewall {
  let refusal: SystemFailure | null = null;
  const { before } = options;
  const ways: Way[] = WAYS.filter((way) => way.owned <= options.owned && way.anew >= options.anew);
  if (before != null && !options.anew) ways.unshift({ owned: before.owned, anew: false, before: before.definition });
  for (const way of ways) {
    try {
      command(shim, NETLINK_NETFILTER, firewallRequest(definition, way));
      const { owned } = way;
      return { trouble, owned, picture: pictureOf(shim, FAMILY.inet, FIREWALL_TABLE), definition };
    } catch (error) {
      if (!(error instanceof SystemFailure)) throw error;
      if (error.errno === "EPERM") throw held(error);
      refusal = error;
    }
  }
  throw refusal;
}

function held(cause: SystemFailure): Failure {
  const message = "The firewall cannot be installed: no permission, or another node process still owns it.";
  return new Failure("firewall-held", message, { cause });
}

/** Removes it; no error where there is none. From then on everything passes. */
export function removeFirewall(shim: Shim): void {
  const remove = new Transaction(nextSequence()).deleteTable(FAMILY.inet, FIREWALL_TABLE).finish();
  commandUnless(shim, NETLINK_NETFILTER, remove, ["ENOENT"]);
}

/** What differs from what was installed, in words: `the table`, `the rules of input`. Empty where nothing does. */
export function changesOf(shim: Shim, firewall: Firewall): string[] {
  let now: Picture;
  try {
    now = pictureOf(shim, FAMILY.inet, FIREWALL_TABLE);
  } catch (error) {
    if (!(error instanceof SystemFailure && error.errno === "ENOENT")) throw error;
    now = new Map();
  }
  // Without the table nothing of it is there, which needs not be said of each.
  return now.size === 0 ? ["the whole table"] : differences(firewall.picture, now);
}

/** A number that every change of anybody's firewall raises: cheap to look at. */
export function firewallGeneration(shim: Shim): number | undefined {
  return readGeneration(list(shim, NETLINK_NETFILTER, generationRequest(nextSequence())));
}

/**
 * The transaction. `anew`: the table is made anew, otherwise changed in place or made where it is not there. `before` is what
 * is there.
 */
export function firewallRequest(definition: FirewallDefinition, { owned, anew, before }: Way): Uint8Array {
  const { sets, chains, rules } = definition;
  const to = new Transaction(nextSequence());
  if (anew) to.replaceTable(FAMILY.inet, FIREWALL_TABLE, owned);
  else to.keepTable(FAMILY.inet, FIREWALL_TABLE, owned);
  for (const chain of chains) to.newChain(FAMILY.inet, FIREWALL_TABLE, chain);
  to.flushRules(FAMILY.inet, FIREWALL_TABLE);
  for (const set of sets) {
    const { name } = set.definition;
    const old = before?.sets.find(({ definition: { name: old_name } }) => old_name === name);
    if (old === undefined)
      to.newSet(FAMILY.inet, FIREWALL_TABLE, set.definition).flushSet(FAMILY.inet, FIREWALL_TABLE, name);
    else
      to.deleteElements(
        FAMILY.inet,
        FIREWALL_TABLE,
        name,
        without(elementsOf(old), elementsOf(set)).map(({ key }) => key),
      );
    const added = old === undefined ? elementsOf(set) : without(elementsOf(set), elementsOf(old));
    to.newElements(
      FAMILY.inet,
      FIREWALL_TABLE,
      name,
      added.flatMap(({ key, data }) => (data === null ? [key] : [])),
    );
    to.newMappings(
      FAMILY.inet,
      FIREWALL_TABLE,
      name,
      added.flatMap(({ key, data }) => (data === null ? [] : [{ key, data }])),
    );
  }
  for (const rule of rules) to.newRule(FAMILY.inet, FIREWALL_TABLE, rule);
  return to.finish();
}

interface SetElement {
  key: Uint8Array;
  /** Null where the set is no map. */
  data: Uint8Array | null;
}

function elementsOf({ keys, mappings }: FirewallSet): SetElement[] {
  return [...keys.map((key) => ({ key, data: null })), ...mappings];
}

/** Those of `some` that are not, with the same value, in `others`. */
function without(some: SetElement[], others: SetElement[]): SetElement[] {
  const text = ({ key, data }: SetElement): string => `${key.join()}:${data?.join() ?? ""}`;
  const there = new Set(others.map(text));
  return some.filter((element) => !there.has(text(element)));
}
