/** What an agreement of two nodes becomes on each of them: the cluster that it is part of. */
import type { Agreement, Match } from "../core/pairing/messages.ts";
import { Failure } from "../errors.ts";
import type { NodeNumber } from "../heart/messages.ts";
import type { Settings } from "../settings/model.ts";
import type { Identity } from "./pairing-session.ts";
import type { ClusterState } from "./store.ts";

/** Node 1 is the creator, node 2 the joiner. */
export function clusterOf(agreement: Agreement, { nic, tls }: Identity, node: NodeNumber): ClusterState {
  const { id, key, peer, bequest } = agreement;
  return {
    id,
    key,
    node,
    peer_name: peer.name,
    nic,
    peer_mac: peer.cluster.mac,
    matches: bequest.slots.map(({ slot, creator, joiner }) => {
      const [mine, theirs] = node === 1 ? [creator, joiner] : [joiner, creator];
      return { nic: mine.nic, slot, peer_mac: theirs.mac };
    }),
    tls: { ...tls, peer_certificate: peer.certificate },
  };
}

/** Which slot each card of one side has. */
export function slotsOf({ bequest }: Agreement, side: "creator" | "joiner"): { nic: string; slot: number }[] {
  return bequest.slots.map((of) => ({ nic: of[side].nic, slot: of.slot }));
}

/** Throws Failure where the matches are not those of the interfaces that this node has configured. */
export function demandMatches({ interfaces }: Settings, matches: Match[]): void {
  const used = interfaces.map(({ nic }) => nic);
  if (used.length === 0)
    throw new Failure("no-interfaces", "This node has no interfaces configured; import its settings first.");
  const unmatched = used.find((own) => !matches.some(({ mine }) => mine === own));
  if (unmatched !== undefined)
    throw new Failure("unmatched", `${unmatched} has no counterpart; add --match ${unmatched}=INTERFACE-OF-THE-PEER.`);
  const stray = matches.find(({ mine }) => !used.includes(mine));
  if (stray !== undefined)
    throw new Failure("unknown-interface", `${stray.mine} is not among this node's configured interfaces.`);
  if (new Set(matches.map(({ mine }) => mine)).size < matches.length)
    throw new Failure("matched-twice", "An interface of this node is matched twice.");
}
