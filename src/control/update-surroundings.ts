/** The node and its cluster at this moment, as updates look at them. */
import type { Snapshot } from "../heart/messages.ts";
import type { ClusterState } from "./store.ts";
import type { Surroundings } from "./updater.ts";

export function surroundingsOf(
  snapshot: Snapshot | null,
  { cluster, heart, in_sync }: { cluster: ClusterState | null; heart: boolean; in_sync: boolean },
): Surroundings {
  const peer = snapshot?.peer ?? null;
  const is_heard = heart && peer?.heard === true;
  return {
    node: cluster?.node ?? 1,
    cluster: cluster?.id ?? null,
    role: heart ? roleOf(snapshot?.role) : "other",
    in_sync,
    maintenance: cluster?.maintenance ?? false,
    heart,
    peer:
      cluster === null
        ? null
        : {
            name: cluster.peer_name,
            heard: is_heard,
            active: is_heard && peer.role === "active",
            unwilling: is_heard && peer.unwilling,
            build: peer?.build ?? 0,
          },
  };
}

function roleOf(role: Snapshot["role"] | undefined): Surroundings["role"] {
  if (role === "departed") return "standalone";
  return role === "standalone" || role === "active" || role === "backup" ? role : "other";
}
