import { expect, test } from "bun:test";
import { makeRevision } from "../settings/chain.ts";
import { freshSettings } from "../settings/model.ts";
import { Replicator } from "./replicator.ts";
import type { SettingsService } from "./settings-service.ts";

test("in a cluster that cannot replicate no change is confirmed, and outside one it is", async () => {
  const stored: number[] = [];
  const database = { append: (revisions: { number: number }[]) => stored.push(...revisions.map((one) => one.number)) };
  const replicator = new Replicator({
    events: { add: () => {} },
    settings: { database, current: freshSettings(), revision: 1 } as unknown as SettingsService,
    saveTimings: () => {},
    reconfigure: () => {},
    maintain: () => {},
    endedSessions: () => [],
    takeEndedSessions: () => {},
    update: { connected: () => {}, disconnected: () => {}, message: () => {} },
  });
  const revision = makeRevision({ number: 1, id: "1" }, { at: "", author: "", term: 0, content: "{}" });
  const change = () => replicator.confirm(revision, { name: "a", slots: [] }, { alone: true });
  await change();
  const cluster = { id: "00000001", key: "", node: 1, peer_name: "b", nic: "eth2", peer_mac: "", matches: [] } as const;
  replicator.follow({ ...cluster, matches: [] });
  await expect(change()).rejects.toMatchObject({ code: "not-replicated" });
  expect(stored).toEqual([2]);
  replicator.follow(null);
  await change();
  expect(stored).toEqual([2, 2]);
});
