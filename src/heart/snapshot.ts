/** The state of the node as it is shown: read from the core and the body, never stored. */
import type { Election } from "../core/election.ts";
import { BUILD, VERSION } from "../version.ts";
import type { HeartConfiguration, Snapshot } from "./messages.ts";

type Rest = Pick<Snapshot, "addresses" | "gate" | "realtime" | "memory_locked" | "watchdog">;

export function takeSnapshot(configuration: HeartConfiguration, election: Election | null, rest: Rest): Snapshot {
  if (election === null) {
    const reason = "This node is in no cluster.";
    return {
      role: "standalone",
      term: 0,
      operational: false,
      reason,
      peer: null,
      paths: [],
      alarms: [],
      dropped: {},
      ...rest,
    };
  }
  const { peer, heard } = election;
  const version = peer === null ? "" : peer.version.join(".");
  const data_slots = configuration.interfaces.filter((entry) => entry.enabled);
  const reason = notOperational(election, version);
  return {
    role: election.role,
    term: election.term,
    operational: reason === null,
    reason,
    peer: {
      name: election.configuration.peer_name,
      role: peer === null || !heard ? "unknown" : peer.role,
      heard,
      unwilling: heard && (peer?.unwilling ?? false),
      version,
      build: peer?.build ?? 0,
      settings_revision: peer?.settings_revision ?? 0,
      links: data_slots.map(({ slot }) => ({ slot, up: peer !== null && ((peer.links >>> slot) & 1) === 1 })),
    },
    paths: election.configuration.paths.map(({ slot, nic, heartbeat }) => ({
      nic,
      slot,
      network: slot === 0 ? "cluster" : (data_slots.find((entry) => entry.slot === slot)?.role ?? "internal"),
      carrier: election.links.hasCarrier(slot),
      heartbeat,
      heard: election.pathHeard(slot),
      ...election.conversation.pathFigures(slot),
    })),
    alarms: election.alarms(),
    dropped: { ...election.dropped },
    ...rest,
  };
}

/** One sentence, or null where the cluster is operational. */
function notOperational(election: Election, version: string): string | null {
  const { peer, heard } = election;
  const { peer_name } = election.configuration;
  if (election.role === "departed")
    return `The cluster was destroyed; ${peer_name} does not know it yet and is reset when it is heard again.`;
  if (election.role === "erased") return `The cluster was destroyed on ${peer_name}; this node is being reset.`;
  if (peer === null || !heard) return `${peer_name} is not heard on any path.`;
  if (version !== VERSION || peer.build !== BUILD)
    return `Versions differ: ${peer_name} runs ${version} build ${peer.build}, this node ${VERSION} build ${BUILD}.`;
  if (election.role !== "active" && peer.role !== "active") return "No node is active at the moment.";
  if (election.configuration.maintenance && election.role !== "active")
    return "This node is in maintenance and does not take over.";
  if (peer.unwilling && election.role === "active")
    return `${peer_name} does not take over: it is in maintenance, or something is wrong there; see its status.`;
  if (!election.pathHeard(0)) return "The cluster network is down.";
  return null;
}
