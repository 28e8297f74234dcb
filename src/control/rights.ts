/** What the node needs from the kernel before anything else: the rights over its own network. */
import { readFileSync } from "node:fs";
import { Failure } from "../errors.ts";

/** Bits of capabilities(7). */
const NEEDED = { CAP_NET_ADMIN: 12, CAP_NET_RAW: 13 };

/** The needed rights that are not among the effective ones of a /proc/PID/status. */
export function missingRights(status: string): string[] {
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  return Object.entries(NEEDED)
    .filter(([, bit]) => ((effective >> BigInt(bit)) & 1n) === 0n)
    .map(([name]) => name);
}

/** Throws Failure `not-permitted`. */
export function demandRights(): void {
  const missing = missingRights(readFileSync("/proc/self/status", "utf8"));
  if (missing.length > 0)
    throw new Failure(
      "not-permitted",
      `understudy node needs the rights of root over the network (${missing.join(" and ")} are missing); start it as root.`,
    );
}
