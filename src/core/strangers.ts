/**
 * Third nodes (S1): one that wants to join, and one that runs with a copy of a node's state.
 *
 * A copy has the cluster's key, so its heartbeats are authentic; but they come from other cards than
 * the two nodes were paired with. Nothing of them is believed: it would answer in its twin's stead,
 * or claim its terms.
 */
import { equalBytes } from "../wire/bytes.ts";
import { sourceMac } from "../wire/ethernet.ts";
import type { Heartbeat } from "../wire/heartbeat.ts";
import { isPairing } from "../wire/pairing.ts";
import type { CoreConfiguration, CorePath } from "./types.ts";

/** A frame on the cluster network in which somebody else than the peer speaks of pairing. */
export function isThirdNode(frame: Uint8Array, { peer_mac }: CorePath): boolean {
  return isPairing(frame) && !equalBytes(sourceMac(frame), peer_mac);
}

/** An authentic heartbeat from a card that is neither ours nor the peer's. */
export function isCopyOfState(heartbeat: Heartbeat, frame: Uint8Array, { node, paths }: CoreConfiguration): boolean {
  const path = paths.find(({ slot }) => slot === heartbeat.slot);
  return path !== undefined && !equalBytes(sourceMac(frame), heartbeat.node === node ? path.mac : path.peer_mac);
}
