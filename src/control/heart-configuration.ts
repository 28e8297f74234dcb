/** What the heart runs by, out of the settings and what pairing agreed on. */
import type { HeartConfiguration, Tuning } from "../heart/messages.ts";
import type { SettingsService } from "./settings-service.ts";
import type { ClusterState } from "./store.ts";

export interface HeartTerms {
  tuning: Tuning;
  term_floor: number;
  bootstrap: boolean;
}

/** `cluster` is null for a node that is alone. */
export function heartConfiguration(
  settings: Pick<SettingsService, "current" | "slots" | "revision">,
  cluster: ClusterState | null,
  { tuning, term_floor, bootstrap }: HeartTerms,
): HeartConfiguration {
  const { server, interfaces } = settings.current;
  const slot_of = new Map(settings.slots.map(({ nic, slot }) => [nic, slot]));
  const matched = new Map(cluster?.matches.map((match) => [match.nic, match]));
  return {
    name: server.name,
    interfaces: interfaces.map((entry) => {
      const match = matched.get(entry.nic);
      return {
        nic: entry.nic,
        role: entry.role,
        addresses: entry.addresses,
        gateways: [entry.gateway, entry.gateway6].filter((gateway) => gateway !== undefined),
        slot: slot_of.get(entry.nic) ?? 0,
        heartbeat: entry.heartbeat ?? true,
        enabled: entry.enabled ?? true,
        ...(match?.peer_mac === undefined ? {} : { peer_mac: match.peer_mac }),
      };
    }),
    ...(cluster === null
      ? {}
      : {
          cluster: {
            id: cluster.id,
            key: cluster.key,
            node: cluster.node,
            peer_name: cluster.peer_name,
            nic: cluster.nic,
            peer_mac: cluster.peer_mac,
            tuning,
            departed: cluster.departed ?? false,
            maintenance: cluster.maintenance ?? false,
          },
        }),
    term_floor,
    settings_revision: settings.revision,
    bootstrap,
  };
}
