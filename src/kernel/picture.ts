/** Everything that the kernel lists of one of our tables, as text, to see whether somebody changed it. */

import type { Shim } from "../shim.ts";
import { list, nextSequence } from "./exchange.ts";
import { Attributes, NETLINK_NETFILTER } from "./netlink.ts";
import { attributeBytes, type Family, listRequest, NFT_MSG, readElements } from "./nftables.ts";

/** By the words that a person would use: `the chain input`, `the rules of input`. */
export type Picture = Map<string, string>;

/** What of each kind of object belongs to its picture; counts come and go by themselves. */
const PICTURED = [
  // Name and flags.
  { list: NFT_MSG.get_table, kind: NFT_MSG.new_table, table_attribute: 1, name: 1, attributes: [1, 2] },
  // Name, hook, policy, type, handle.
  { list: NFT_MSG.get_chain, kind: NFT_MSG.new_chain, table_attribute: 1, name: 3, attributes: [2, 3, 4, 5, 7] },
  // Chain, handle. Expressions apart.
  { list: NFT_MSG.get_rule, kind: NFT_MSG.new_rule, table_attribute: 1, name: 2, attributes: [2, 3] },
  // Name, flags, key type and length, size, timeout, handle.
  { list: NFT_MSG.get_set, kind: NFT_MSG.new_set, table_attribute: 1, name: 2, attributes: [2, 3, 4, 5, 9, 11, 16] },
] as const;

const WORDS = new Map<number, string>([
  [NFT_MSG.new_table, "the table"],
  [NFT_MSG.new_chain, "the chain"],
  [NFT_MSG.new_rule, "the rules of"],
  [NFT_MSG.new_set, "the set"],
]);
const RULE_EXPRESSIONS = 4;

/**
 * `volatile` is a set whose elements come and go by themselves. Empty where the table is not there, or throws SystemFailure
 * ENOENT where a set of it goes meanwhile.
 */
export function pictureOf(shim: Shim, family: Family, table: string, volatile = ""): Picture {
  const picture: Picture = new Map();
  const add = (name: string, text: string): void => void picture.set(name, `${picture.get(name) ?? ""}${text}\n`);
  const set_names: string[] = [];
  for (const { list: request_type, kind, table_attribute, name, attributes } of PICTURED) {
    // Kernels differ in whether they heed the table's name here, so it is compared again below.
    const wanted = request_type === NFT_MSG.get_table ? undefined : table;
    for (const message of list(shim, NETLINK_NETFILTER, listRequest(nextSequence(), request_type, family, wanted))) {
      if (message.type !== kind) continue;
      const read = new Attributes(attributeBytes(message));
      if (read.string(table_attribute) !== table) continue;
      const parts = attributes.map((type) => hex(read.bytes(type)));
      if (kind === NFT_MSG.new_rule) parts.push(expressions(read));
      add(`${WORDS.get(kind)} ${read.string(name)}`, parts.join(","));
      if (kind === NFT_MSG.new_set) set_names.push(read.string(name) ?? "");
    }
  }
  for (const name of set_names) {
    if (name === volatile) continue;
    const request = listRequest(nextSequence(), NFT_MSG.get_element, family, table, name);
    // Their order is the hash table's, which may be rebuilt at any time.
    const elements = readElements(list(shim, NETLINK_NETFILTER, request));
    add(
      `the set ${name}`,
      elements
        .map(({ key, data }) => hex(key) + hex(data))
        .sort()
        .join(),
    );
  }
  return picture;
}

/** The names of what differs: gone, changed, or there where it was not. */
export function differences(before: Picture, now: Picture): string[] {
  const names = [...new Set([...before.keys(), ...now.keys()])];
  return names.filter((name) => before.get(name) !== now.get(name));
}

/** Without what counters have counted. */
function expressions(rule: Attributes): string {
  const steps = rule.nested(RULE_EXPRESSIONS)?.entries ?? [];
  return steps
    .map(({ payload }) => (new Attributes(payload).string(1) === "counter" ? "counter" : hex(payload)))
    .join(" ");
}

function hex(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? "" : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}
