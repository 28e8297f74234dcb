/** One request to the kernel and its answer, through the shim: the only place here that talks. */

import { Failure, SystemFailure } from "../errors.ts";
import type { Shim } from "../shim.ts";
import { NETLINK_NETFILTER, type NetlinkMessage, NLM_F, readMessages } from "./netlink.ts";

/** Room for the longest answer, a list of some ten thousand addresses. Shared: answers are read before the next request. */
const reply = new Uint8Array(2 << 20);

/** Lists that changed while the kernel wrote them are asked for again, this often at most. */
const INTERRUPTED_DUMPS_MAX = 5;

let last_sequence = 0;

/** A number for the next request; answers repeat it. */
export function nextSequence(): number {
  last_sequence = (last_sequence % 0x7fffffff) + 1;
  return last_sequence;
}

/** Sends a request that is answered by an acknowledgement. Throws SystemFailure as the kernel refuses. */
export function command(shim: Shim, protocol: number, request: Uint8Array): void {
  shim.netlink(protocol, request, reply);
}

/** As `command`, and true; or false where the kernel refuses with one of these errors. */
export function commandUnless(shim: Shim, protocol: number, request: Uint8Array, errnos: string[]): boolean {
  try {
    command(shim, protocol, request);
    return true;
  } catch (error) {
    if (error instanceof SystemFailure && errnos.includes(error.errno)) return false;
    throw error;
  }
}

/** Sends a transaction that makes a table our own; false where the kernel is too old to know that (before 6.9). */
export function ownTable(shim: Shim, request: Uint8Array): boolean {
  return commandUnless(shim, NETLINK_NETFILTER, request, ["EOPNOTSUPP", "EINVAL"]);
}

/** Asks for a list. The messages are views of a shared buffer: valid until the next request. */
export function list(shim: Shim, protocol: number, request: Uint8Array): NetlinkMessage[] {
  for (let attempt = 1; attempt <= INTERRUPTED_DUMPS_MAX; attempt += 1) {
    const length = shim.netlink(protocol, request, reply);
    const messages = readMessages(reply.subarray(0, length));
    if (!messages.some((message) => (message.flags & NLM_F.dump_interrupted) !== 0)) return messages;
  }
  throw new Failure("netlink", "The kernel's list kept changing while it was read; try again.");
}
