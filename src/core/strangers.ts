/**
 * Third nodes (S1): one that wants to join, and one that runs with a copy of a node's state.
 *
 * A copy has the cluster's key, so its heartbeats are authentic; but they come from other cards than
 * the two nodes were paired with. Nothing of them is believed: it would answer in its twin's stead,
 * or claim its terms. Each function gives the sentence to show, or null where all is well.
 */
import { equalBytes, macText } from "../wire/bytes.ts";
import { sourceMac } from "../wire/ethernet.ts";
import type { Heartbeat } from "../wire/heartbeat.ts";
import { isPairing } from "../wire/pairing.ts";
import type { CoreConfiguration, CorePath } from "./types.ts";

/** A frame on the cluster network in which somebody else than the peer speaks of pairing. */
export function thirdNode(frame: Uint8Array, { nic, peer_mac }: CorePath): string | null {
  const mac = sourceMac(frame);
  if (!isPairing(frame) || equalBytes(mac, peer_mac)) return null;
  return `A third node (${macText(mac)}) on ${nic} wants to join, and a cluster has exactly two nodes; disconnect it.`;
}

/** An authentic heartbeat from a card that is neither ours nor the peer's. */
export function copyOfState(
  { node, slot }: Heartbeat,
  frame: Uint8Array,
  { node: own, paths, peer_name }: CoreConfiguration,
): string | null {
  const path = paths.find((candidate) => candidate.slot === slot);
  const mac = sourceMac(frame);
  if (path === undefined || equalBytes(mac, node === own ? path.mac : path.peer_mac)) return null;
  const whose = node === own ? "this node" : peer_name;
  return `A third node (${macText(mac)}) runs with a copy of the state of ${whose}; disconnect it and erase its state directory.`;
}
