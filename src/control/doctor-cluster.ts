/** What the doctor finds between the nodes: paths, versions, settings, and who holds the shared addresses. */

import type { Facts } from "./doctor-facts.ts";
import { bad, type Finding, good, warning } from "./finding.ts";

/** Alarms that have a finding of their own. */
const FOUND_ELSEWHERE = ["firewall-failed", "service-missing", "service-failed"];
const HOLDERS = ["active", "backup", "probing", "listening", "resuming"];

/** Nothing but that there is none, outside a cluster. */
export function diagnoseCluster(facts: Facts): Finding[] {
  if (!facts.in_cluster) return [good("cluster", "This node is in no cluster.")];
  return [
    clusterCard(facts),
    peer(facts),
    ...paths(facts),
    versions(facts),
    sync(facts),
    addresses(facts),
    ...alarms(facts),
  ];
}

function clusterCard({ cards, cluster_nic }: Facts): Finding {
  const card = cards.find(({ nic }) => nic === cluster_nic);
  if (card === undefined)
    return bad("cluster-card", `${cluster_nic}, the card of the cluster network, is not there.`, "Put it back.");
  if (!card.link)
    return bad(
      "cluster-card",
      `${cluster_nic}, the card of the cluster network, has no link.`,
      "Connect its cable to the other node.",
    );
  return good("cluster-card", `${cluster_nic} is reserved for the cluster network and has its link.`);
}

function peer({ status }: Facts): Finding {
  const { peer } = status;
  if (peer?.heard) return good("peer", `${peer.name} is heard, as ${peer.role}.`);
  return bad(
    "peer",
    `${peer?.name ?? "The peer"} is not heard on any path; ${status.role === "active" ? "nobody can take over from this node" : "this node cannot know how it is"}.`,
    "See whether it runs, and look at the cables between the nodes.",
  );
}

function paths({ status }: Facts): Finding[] {
  const used = status.paths.filter(({ heartbeat }) => heartbeat);
  const findings = used.map(({ nic, heard, carrier }) => {
    if (heard) return good("path", `The peer is heard on ${nic}.`);
    const why = carrier ? "no heartbeat arrives" : "there is no link";
    return warning(
      "path",
      `The peer is not heard on ${nic}: ${why}.`,
      "Look at its cable, the switch and the other node.",
    );
  });
  const heard = used.filter((path) => path.heard);
  if (heard.length === 1)
    findings.push(
      warning(
        "one-path",
        `The nodes hear each other on ${heard[0]?.nic} alone; if that is lost, each may take the other for dead.`,
        "Mend the other paths, or turn on heartbeats on the data interfaces.",
      ),
    );
  return findings;
}

function versions({ status }: Facts): Finding {
  const { peer, version, build } = status;
  if (peer === null || !peer.heard)
    return warning("version", "The peer's version is not known while it is not heard.", "Bring it back first.");
  if (peer.version === version && peer.build === build)
    return good("version", `Both nodes run ${version} build ${build}.`);
  return bad(
    "version",
    `${peer.name} runs ${peer.version} build ${peer.build}, this node ${version} build ${build}; no settings are synchronised.`,
    "Bring both nodes to the same version.",
  );
}

function sync({ status, sync }: Facts): Finding {
  const revision = `revision ${status.settings_revision}`;
  if (sync === "away")
    return warning(
      "sync",
      `Whether the settings are the same on both nodes is not known: the peer is not connected (here ${revision}).`,
      "See the findings on the peer and the cluster network.",
    );
  if (sync === "standalone")
    return bad("sync", "The settings are not replicated to the peer.", "See the events for why.");
  if (sync === "in-sync") return good("sync", `The settings are the same on both nodes (${revision}).`);
  if (sync !== null)
    return warning(
      "sync",
      `The settings differ between the nodes (${sync}, here ${revision}).`,
      "Wait for the peer to catch up; if it does not, see the events.",
    );
  if (status.peer?.heard && status.peer.settings_revision !== status.settings_revision)
    return warning(
      "sync",
      `The peer has revision ${status.peer.settings_revision} of the settings, this node ${revision}.`,
      "Give both nodes the same settings.",
    );
  return good("sync", `Nothing says that the settings differ (${revision}).`);
}

/** The guarantee, as far as one node can see: whoever is active holds all, and the other none. */
function addresses({ status }: Facts): Finding {
  const { role, peer } = status;
  const held = status.addresses.filter((entry) => entry.held).length;
  const all = status.addresses.length;
  if (role === "active" && peer?.heard && peer.role === "active")
    return bad(
      "addresses",
      "Both nodes are active.",
      "One of them yields within a heartbeat; if this stays, see the events.",
    );
  if (role === "active" && held < all)
    return bad(
      "addresses",
      `This node is active and holds ${held} of ${all} shared addresses.`,
      "See its alarms and events.",
    );
  if (role === "active") return good("addresses", `This node holds all ${all} shared addresses.`);
  if (HOLDERS.includes(role) && held > 0)
    return bad("addresses", `This node is ${role} and has ${held} shared addresses.`, "See its alarms and events.");
  if (peer?.heard && peer.role === "active") return good("addresses", `${peer.name} holds the shared addresses.`);
  return bad("addresses", "No node is known to hold the shared addresses.", "See the status of both nodes.");
}

function alarms({ status }: Facts): Finding[] {
  const findings = status.alarms
    .filter(({ code }) => !FOUND_ELSEWHERE.includes(code))
    .map(({ code, message }) => warning(code, message, "See the events for when it began."));
  const foreign = status.alarms.some(({ code }) => code === "address-conflict");
  return foreign ? findings : [good("foreign-announcements", "Nobody else uses a shared address."), ...findings];
}
