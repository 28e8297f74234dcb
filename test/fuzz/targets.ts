/**
 * What reads bytes from outside. A target makes its inputs from a Mutator and throws where a promise
 * is broken; for every reader the promise is at least: no exception but a Failure.
 */
import type { Target } from "./target.ts";
import { apiTarget } from "./targets/api.ts";
import { lines, settings, snapshots, storeTarget } from "./targets/control.ts";
import { arp, election, heartbeat, ndp, stranger } from "./targets/core.ts";
import { backupTarget, licenseTarget } from "./targets/files.ts";
import { netlink, records } from "./targets/kernel.ts";
import { typing } from "./targets/menu.ts";
import { pairing, pieces } from "./targets/pairing.ts";
import { requests, tickets } from "./targets/web.ts";

/** Made when asked for: some have a directory or a server. */
export const TARGETS: Record<string, () => Target | Promise<Target>> = {
  heartbeat: () => heartbeat,
  arp: () => arp,
  ndp: () => ndp,
  stranger: () => stranger,
  election: () => election,
  pairing: () => pairing,
  pieces: () => pieces,
  netlink: () => netlink,
  records: () => records,
  lines: () => lines,
  snapshots: () => snapshots,
  typing: () => typing,
  settings: () => settings,
  store: storeTarget,
  backup: backupTarget,
  license: licenseTarget,
  api: apiTarget,
  requests: () => requests,
  tickets,
};
