/**
 * The steps that a rule of nf_tables is made of, as attributes (linux/netfilter/nf_tables.h). A step leaves its result in
 * a register, where the next one finds it. No I/O.
 */

import type { NetlinkWriter } from "./netlink.ts";

const PAYLOAD_BASE = { link: 0, network: 1, transport: 2 } as const;
const META_KEY = { iifname: 6, oifname: 7, iiftype: 8, oiftype: 9, nfproto: 15, l4proto: 16 } as const;
const CT_KEY = { state: 0, status: 2 } as const;
const COMPARISON = { eq: 0, neq: 1 } as const;
const DYNSET_OPERATION = { update: 1, delete: 2 } as const;
const VERDICT = { drop: 0, accept: 1 } as const;
const NAT_TYPE = { source: 0, destination: 1 } as const;
const FIB_RESULT = { oif: 1, type: 3 } as const;
const FIB_FLAG = { source: 1, destination: 2, arriving: 8 } as const;

/** Numbers of protocol families in rules, NFPROTO_…. */
export const NFPROTO = { 4: 2, 6: 10 } as const;

/**
 * Registers have 16 bytes; each is four of four bytes as well, and values that are looked up together lie side by side,
 * every one at a boundary of four.
 */
const NFT_REG_VERDICT = 0;
const NFT_REG_1 = 1;
const NFT_REG32_00 = 8;
const NFT_LOOKUP_F_INV = 1;
const NFT_RT_TCPMSS = 3;
const NFT_BYTEORDER_HTON = 1;
const NFT_EXTHDR_OP_TCPOPT = 1;
const TCPOPT_MAXSEG = 2;

/** One step of a rule. Values go through the first register unless `at` says how many words of four bytes further on. */
export type Expression =
  | { kind: "payload"; base: keyof typeof PAYLOAD_BASE; offset: number; length: number; at?: number }
  | { kind: "meta"; key: keyof typeof META_KEY; at?: number }
  /** What connection tracking knows of the packet: bits, u32 of the host. */
  | { kind: "ct"; key: keyof typeof CT_KEY }
  /**
   * What the routes say of an address; `arriving`: seen from the interface that the packet came in by. `oif` is 0 where no
   * route leads back there, `type` is an RTN_… number; both u32 of the host.
   */
  | { kind: "fib"; result: keyof typeof FIB_RESULT; of: "source" | "destination"; arriving: boolean }
  | { kind: "mask"; mask: Uint8Array }
  | { kind: "cmp"; op: keyof typeof COMPARISON; value: Uint8Array }
  | { kind: "lookup"; set: string; inverted: boolean }
  /** Replaces the key by what the map has for it. */
  | { kind: "translate"; map: string }
  | { kind: "dynset"; op: keyof typeof DYNSET_OPERATION; set: string; timeout_ms?: number }
  | { kind: "immediate"; value: Uint8Array }
  | { kind: "verdict"; verdict: keyof typeof VERDICT }
  | { kind: "counter" }
  /** Goes on while there are no more packets a second than this, and `burst` more at once. */
  | { kind: "limit"; per_second: number; burst: number }
  /** The largest TCP segment that the packet's route takes, u16 of the host. */
  | { kind: "route-segment" }
  /** From the order of the host to that of the network, 16 bits. */
  | { kind: "to-network" }
  /** Lowers the segment size that a TCP SYN announces to that in the register. */
  | { kind: "lower-segment" }
  | { kind: "masquerade" }
  /** To the address in the register; `port_at`: and the port that many words further on. */
  | { kind: "nat"; of: keyof typeof NAT_TYPE; family: 4 | 6; port_at?: number };

const register = (at: number | undefined): number => (at === undefined ? NFT_REG_1 : NFT_REG32_00 + at);

export function writeExpression(to: NetlinkWriter, expression: Expression): void {
  const named = (name: string, fill: () => void): void => {
    to.string(1, name);
    to.nested(2, fill);
  };
  const value = (type: number, bytes: Uint8Array): void => to.nested(type, () => to.attribute(1, bytes));
  const numbers = (...attributes: number[]): void =>
    attributes.forEach((number, index) => {
      to.u32Network(index + 1, number);
    });
  switch (expression.kind) {
    case "payload": {
      const { base, offset, length, at } = expression;
      return named("payload", () => numbers(register(at), PAYLOAD_BASE[base], offset, length));
    }
    case "meta":
      return named("meta", () => numbers(register(expression.at), META_KEY[expression.key]));
    case "ct":
      return named("ct", () => numbers(NFT_REG_1, CT_KEY[expression.key]));
    case "fib": {
      const flags = FIB_FLAG[expression.of] | (expression.arriving ? FIB_FLAG.arriving : 0);
      return named("fib", () => numbers(NFT_REG_1, FIB_RESULT[expression.result], flags));
    }
    case "mask":
      return named("bitwise", () => {
        numbers(NFT_REG_1, NFT_REG_1, expression.mask.length);
        value(4, expression.mask);
        value(5, new Uint8Array(expression.mask.length));
      });
    case "cmp":
      return named("cmp", () => {
        numbers(NFT_REG_1, COMPARISON[expression.op]);
        value(3, expression.value);
      });
    case "lookup":
      return named("lookup", () => {
        to.string(1, expression.set);
        to.u32Network(2, NFT_REG_1);
        if (expression.inverted) to.u32Network(5, NFT_LOOKUP_F_INV);
      });
    case "translate":
      return named("lookup", () => {
        to.string(1, expression.map);
        to.u32Network(2, NFT_REG_1);
        to.u32Network(3, NFT_REG_1);
      });
    case "dynset":
      return named("dynset", () => {
        to.string(1, expression.set);
        to.u32Network(3, DYNSET_OPERATION[expression.op]);
        to.u32Network(4, NFT_REG_1);
        if (expression.timeout_ms !== undefined) to.u64Network(6, expression.timeout_ms);
      });
    case "immediate":
      return named("immediate", () => {
        to.u32Network(1, NFT_REG_1);
        value(2, expression.value);
      });
    case "verdict":
      return named("immediate", () => {
        to.u32Network(1, NFT_REG_VERDICT);
        to.nested(2, () => to.nested(2, () => to.i32Network(1, VERDICT[expression.verdict])));
      });
    case "counter":
      return named("counter", () => {});
    case "limit":
      return named("limit", () => {
        to.u64Network(1, expression.per_second);
        to.u64Network(2, 1);
        to.u32Network(3, expression.burst);
        to.u32Network(4, 0);
      });
    case "masquerade":
      return named("masq", () => {});
    case "nat":
      return named("nat", () => {
        numbers(NAT_TYPE[expression.of], NFPROTO[expression.family], NFT_REG_1);
        if (expression.port_at !== undefined) to.u32Network(5, register(expression.port_at));
      });
    case "route-segment":
      return named("rt", () => numbers(NFT_REG_1, NFT_RT_TCPMSS));
    case "to-network":
      return named("byteorder", () => numbers(NFT_REG_1, NFT_REG_1, NFT_BYTEORDER_HTON, 2, 2));
    case "lower-segment":
      return named("exthdr", () => {
        // NFTA_EXTHDR: type · offset · length · flags · op · source register.
        to.u8(2, TCPOPT_MAXSEG);
        to.u32Network(3, 2);
        to.u32Network(4, 2);
        to.u32Network(6, NFT_EXTHDR_OP_TCPOPT);
        to.u32Network(7, NFT_REG_1);
      });
  }
}
