/**
 * What we need of nf_tables, as bytes (linux/netfilter/nf_tables.h): tables, sets, chains, rules
 * and their expressions (expressions.ts), in one transaction (a batch that the kernel applies as a whole or not at
 * all). No I/O. Numbers in attributes are in network byte order.
 */

import { type Expression, writeExpression } from "./expressions.ts";
import { Attributes, attributesOf, type NetlinkMessage, NetlinkWriter, NLM_F } from "./netlink.ts";

/** NFNLGRP_NFTABLES: changes of tables, sets, chains and rules, and a NEWGEN after each transaction. */
export const NFNLGRP_NFTABLES = 7;

/** Protocol families (linux/netfilter.h, NFPROTO_…). */
export const FAMILY = { inet: 1, ip: 2, netdev: 5 } as const;
export type Family = (typeof FAMILY)[keyof typeof FAMILY];

const NFNL_SUBSYS_NFTABLES = 10;
const NFNL_MSG_BATCH_BEGIN = 16;
const NFNL_MSG_BATCH_END = 17;
/** struct nfgenmsg: u8 family · u8 version · u16 resource, in network byte order. */
const NFGEN_HEADER_BYTES = 4;

const subsystem = (message: number): number => (NFNL_SUBSYS_NFTABLES << 8) | message;

export const NFT_MSG = {
  new_table: subsystem(0),
  get_table: subsystem(1),
  delete_table: subsystem(2),
  new_chain: subsystem(3),
  get_chain: subsystem(4),
  new_rule: subsystem(6),
  get_rule: subsystem(7),
  delete_rule: subsystem(8),
  new_set: subsystem(9),
  get_set: subsystem(10),
  new_element: subsystem(12),
  get_element: subsystem(13),
  delete_element: subsystem(14),
  new_generation: subsystem(15),
  get_generation: subsystem(16),
  /** Like delete_table, and no error where there is none. Since Linux 6.3. */
  destroy_table: subsystem(26),
} as const;

/** Nobody but the socket that made the table may change it. Since Linux 5.12. */
const NFT_TABLE_F_OWNER = 0x2;
/** An owned table stays when its owner goes, and the next owner may adopt it. Since Linux 6.9. */
const NFT_TABLE_F_PERSIST = 0x4;

/**
 * Types of set keys: kernel key length, and nft's own numbers (libnftables, enum datatypes), by
 * which its `list` knows how to print them. `host_order` keys are numbers of the host.
 */
export const KEY_TYPE = {
  ipv4_addr: { number: 7, length: 4, host_order: false },
  ipv6_addr: { number: 8, length: 16, host_order: false },
  ether_addr: { number: 9, length: 6, host_order: false },
  ether_type: { number: 10, length: 2, host_order: false },
  iface_type: { number: 21, length: 2, host_order: true },
  icmp_type: { number: 14, length: 1, host_order: false },
  icmpv6_type: { number: 29, length: 1, host_order: false },
  inet_service: { number: 13, length: 2, host_order: false },
  ifname: { number: 41, length: 16, host_order: true },
  /** Several side by side, each padded to four bytes; six bits of the number for each. */
  "inet_proto . inet_service": { number: (12 << 6) | 13, length: 8, host_order: false },
  "ipv4_addr . inet_service": { number: (7 << 6) | 13, length: 8, host_order: false },
  "ipv6_addr . inet_service": { number: (8 << 6) | 13, length: 20, host_order: false },
} as const;
export type KeyType = keyof typeof KEY_TYPE;

export interface SetDefinition {
  name: string;
  key: KeyType;
  /** Present: a map, which has such a value for each key. */
  data?: KeyType;
  /** Present: elements go by themselves after this many milliseconds, and rules may update them. */
  timeout_ms?: number;
  /** Most elements that the set takes, expired ones that are not yet collected included. */
  size?: number;
  /** How often the kernel collects expired elements; a second, unless said otherwise. */
  collect_ms?: number;
}

/** An element of a map. */
export interface Mapping {
  key: Uint8Array;
  data: Uint8Array;
}

export interface ChainDefinition {
  name: string;
  type: "filter" | "nat";
  hook: keyof typeof HOOK_NUMBER;
  priority: number;
  policy: "accept" | "drop";
  /** For ingress and egress. */
  devices: string[];
}

/** The first two are of the family netdev. */
const HOOK_NUMBER = { ingress: 0, egress: 1, prerouting: 0, input: 1, forward: 2, postrouting: 4 } as const;
const POLICY_NUMBER = { drop: 0, accept: 1 } as const;

export interface RuleDefinition {
  chain: string;
  expressions: Expression[];
  /** Shown by `nft list ruleset`; at most 127 bytes. */
  comment?: string;
}

const NFT_SET_MAP = 0x8;
const NFT_SET_TIMEOUT = 0x10;
const NFT_SET_EVAL = 0x20;

/** A transaction under construction; `finish` gives the datagram. */
export class Transaction {
  private readonly writer: NetlinkWriter;
  private set_id = 0;
  private readonly steps: { type: number; flags: number; family: Family; fill: () => void }[] = [];

  constructor(sequence: number) {
    this.writer = new NetlinkWriter(sequence, 4096);
  }

  /** Makes the table, or (flags equal to those it has) nothing where it is there. */
  newTable(family: Family, table: string, flags: number): this {
    return this.step(NFT_MSG.new_table, NLM_F.create, family, (to) => {
      to.string(1, table);
      to.u32Network(2, flags);
    });
  }

  deleteTable(family: Family, table: string): this {
    return this.step(NFT_MSG.delete_table, 0, family, (to) => to.string(1, table));
  }

  destroyTable(family: Family, table: string): this {
    return this.step(NFT_MSG.destroy_table, 0, family, (to) => to.string(1, table));
  }

  /** Makes the table where it is not there, and otherwise takes it as it is: `owned` as in `replaceTable`. */
  keepTable(family: Family, table: string, owned: boolean): this {
    return this.newTable(family, table, owned ? NFT_TABLE_F_OWNER | NFT_TABLE_F_PERSIST : 0);
  }

  /**
   * Deletes the table, if it is there, and makes it empty: whatever follows is all that is in it. `owned`: by
   * our socket alone, and staying when that is gone; needs Linux 6.9.
   */
  replaceTable(family: Family, table: string, owned: boolean): this {
    if (owned) {
      return this.destroyTable(family, table).newTable(family, table, NFT_TABLE_F_OWNER | NFT_TABLE_F_PERSIST);
    }
    // Made where it is not there, so that there is something to delete: older kernels know no "destroy".
    return this.newTable(family, table, 0).deleteTable(family, table).newTable(family, table, 0);
  }

  newSet(family: Family, table: string, set: SetDefinition): this {
    const key = KEY_TYPE[set.key];
    this.set_id += 1;
    const id = this.set_id;
    return this.step(NFT_MSG.new_set, NLM_F.create, family, (to) => {
      to.string(1, table);
      to.string(2, set.name);
      const flags = set.timeout_ms === undefined ? 0 : NFT_SET_TIMEOUT | NFT_SET_EVAL;
      to.u32Network(3, flags | (set.data === undefined ? 0 : NFT_SET_MAP));
      to.u32Network(4, key.number);
      to.u32Network(5, key.length);
      if (set.data !== undefined) {
        to.u32Network(6, KEY_TYPE[set.data].number);
        to.u32Network(7, KEY_TYPE[set.data].length);
      }
      to.u32Network(10, id);
      if (set.size !== undefined) {
        const size = set.size;
        to.nested(9, () => to.u32Network(1, size));
      }
      if (set.timeout_ms !== undefined) to.u64Network(11, set.timeout_ms);
      if (set.collect_ms !== undefined) to.u32Network(12, set.collect_ms);
      // Userdata is nft's own: u8 type 0 (byte order of the key) · u8 length 4 · u32 1 host, 2 network.
      to.attribute(13, Uint8Array.of(0, 4, key.host_order ? 1 : 2, 0, 0, 0));
    });
  }

  /** Adds keys, in as many messages as their number needs. */
  newElements(family: Family, table: string, set: string, keys: Uint8Array[], timeout_ms?: number): this {
    return this.elements(NFT_MSG.new_element, family, table, set, keys, (to, key) => {
      to.nested(1, () => to.attribute(1, key));
      if (timeout_ms !== undefined) to.u64Network(4, timeout_ms);
    });
  }

  /** Takes keys away, of a map too; ENOENT where one is not there. */
  deleteElements(family: Family, table: string, set: string, keys: Uint8Array[]): this {
    return this.elements(NFT_MSG.delete_element, family, table, set, keys, (to, key) => {
      to.nested(1, () => to.attribute(1, key));
    });
  }

  /** As `newElements`, for a map. */
  newMappings(family: Family, table: string, set: string, mappings: Mapping[]): this {
    return this.elements(NFT_MSG.new_element, family, table, set, mappings, (to, { key, data }) => {
      to.nested(1, () => to.attribute(1, key));
      to.nested(2, () => to.attribute(1, data));
    });
  }

  private elements<T>(
    type: number,
    family: Family,
    table: string,
    set: string,
    all: T[],
    fill: (to: NetlinkWriter, element: T) => void,
  ): this {
    // An attribute holds 64 KiB; the longest element takes 48 bytes of it.
    const PER_MESSAGE = 1000;
    for (let at = 0; at < all.length; at += PER_MESSAGE) {
      const some = all.slice(at, at + PER_MESSAGE);
      this.step(type, type === NFT_MSG.new_element ? NLM_F.create : 0, family, (to) => {
        to.string(1, table);
        to.string(2, set);
        to.nested(3, () => {
          for (const element of some) to.nested(1, () => fill(to, element));
        });
      });
    }
    return this;
  }

  /** Empties a set; no error where it is empty. */
  flushSet(family: Family, table: string, set: string): this {
    return this.step(NFT_MSG.delete_element, 0, family, (to) => {
      to.string(1, table);
      to.string(2, set);
    });
  }

  /** All rules of a table; no error where there are none. */
  flushRules(family: Family, table: string): this {
    return this.step(NFT_MSG.delete_rule, 0, family, (to) => to.string(1, table));
  }

  /** Makes the chain, or sets the policy of one that is there and otherwise the same. */
  newChain(family: Family, table: string, chain: ChainDefinition): this {
    return this.step(NFT_MSG.new_chain, NLM_F.create, family, (to) => {
      to.string(1, table);
      to.string(3, chain.name);
      to.nested(4, () => {
        to.u32Network(1, HOOK_NUMBER[chain.hook]);
        to.i32Network(2, chain.priority);
        if (chain.devices.length === 1) to.string(3, chain.devices[0] ?? "");
        else if (chain.devices.length > 1) {
          to.nested(4, () => {
            for (const device of chain.devices) to.string(1, device);
          });
        }
      });
      to.u32Network(5, POLICY_NUMBER[chain.policy]);
      to.string(7, chain.type);
    });
  }

  newRule(family: Family, table: string, rule: RuleDefinition): this {
    return this.step(NFT_MSG.new_rule, NLM_F.create | NLM_F.append, family, (to) => {
      to.string(1, table);
      to.string(2, rule.chain);
      to.nested(4, () => {
        for (const expression of rule.expressions) {
          to.nested(1, () => writeExpression(to, expression));
        }
      });
      if (rule.comment !== undefined) {
        // nft's own userdata: u8 type 0 (comment) · u8 length · text with a zero.
        const text = new TextEncoder().encode(rule.comment).subarray(0, 127);
        to.attribute(7, Uint8Array.of(0, text.length + 1, ...text, 0));
      }
    });
  }

  /**
   * The datagram: batch begin, the steps, batch end. The last step asks for the acknowledgement,
   * because kernels before 6.10 do not acknowledge the end of a batch.
   */
  finish(): Uint8Array {
    this.batchMark(NFNL_MSG_BATCH_BEGIN);
    this.steps.forEach((step, index) => {
      const acknowledge = index === this.steps.length - 1 ? NLM_F.acknowledge : 0;
      this.writer.message(step.type, NLM_F.request | acknowledge | step.flags, () => {
        this.writer.raw(Uint8Array.of(step.family, 0, 0, 0));
        step.fill();
      });
    });
    this.batchMark(NFNL_MSG_BATCH_END);
    return this.writer.finish();
  }

  private step(type: number, flags: number, family: Family, fill: (to: NetlinkWriter) => void): this {
    this.steps.push({ type, flags, family, fill: () => fill(this.writer) });
    return this;
  }

  private batchMark(type: number): void {
    this.writer.message(type, NLM_F.request, () => {
      this.writer.raw(Uint8Array.of(0, 0, 0, NFNL_SUBSYS_NFTABLES));
    });
  }
}

/** A request to list: everything of the kind in the table (all tables, sets …, where `table` is undefined). */
export function listRequest(sequence: number, type: number, family: Family, table?: string, set?: string): Uint8Array {
  const writer = new NetlinkWriter(sequence, 256);
  writer.message(type, NLM_F.request | NLM_F.dump, () => {
    writer.raw(Uint8Array.of(family, 0, 0, 0));
    if (table !== undefined) writer.string(1, table);
    if (set !== undefined) writer.string(2, set);
  });
  return writer.finish();
}

export interface Element {
  key: Uint8Array;
  /** Of a map. */
  data?: Uint8Array;
  /** Milliseconds until it expires; undefined where it stays. */
  remaining_ms: number | undefined;
}

/** Elements in an answer to a list of `get_element`. */
export function readElements(messages: NetlinkMessage[]): Element[] {
  const elements: Element[] = [];
  for (const message of messages) {
    if (message.type !== NFT_MSG.new_element) continue;
    const list = attributesOf(message, NFGEN_HEADER_BYTES).nested(3);
    for (const { payload } of list?.entries ?? []) {
      const element = new Attributes(payload);
      const key = element.nested(1)?.bytes(1);
      const data = element.nested(2)?.bytes(1);
      if (key === undefined) continue;
      elements.push({ key, ...(data === undefined ? {} : { data }), remaining_ms: element.u64Network(5) });
    }
  }
  return elements;
}

/** The attributes of an nf_tables message: the bytes after its headers. */
export function attributeBytes(message: NetlinkMessage): Uint8Array {
  return message.payload.subarray(NFGEN_HEADER_BYTES);
}

/** The number of the ruleset's generation, which every transaction of whomever raises. */
export function generationRequest(sequence: number): Uint8Array {
  const writer = new NetlinkWriter(sequence, 64);
  writer.message(NFT_MSG.get_generation, NLM_F.request | NLM_F.acknowledge, () => {
    writer.raw(Uint8Array.of(0, 0, 0, 0));
  });
  return writer.finish();
}

export function readGeneration(messages: NetlinkMessage[]): number | undefined {
  const message = messages.find(({ type }) => type === NFT_MSG.new_generation);
  const bytes = message === undefined ? undefined : attributesOf(message, NFGEN_HEADER_BYTES).bytes(1);
  return bytes?.reduce((sum, byte) => sum * 256 + byte, 0);
}

/**
 * True where notifications of NFNLGRP_NFTABLES tell of a change of this table by another socket than ours
 * (`own_port`, as of shim.netlinkPort): they carry the port of who caused them. The end of a transaction names no table.
 */
export function isForeignChange(messages: NetlinkMessage[], own_port: number, family: Family, table: string): boolean {
  return messages.some((message) => {
    if (message.port === own_port || message.type === NFT_MSG.new_generation) return false;
    return message.payload[0] === family && attributesOf(message, NFGEN_HEADER_BYTES).string(1) === table;
  });
}
