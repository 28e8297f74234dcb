/** What a service's own file says of it: whether and how it is started, and what is done while it runs. */
import { statSync } from "node:fs";
import type { Launch } from "./hands.ts";

/** A mark that is another one when it has to be started anew; why it cannot be, a sentence; null where it has nothing to do. */
export type Plan = { mark: string } | { missing: string } | null;

export interface Standing {
  running: boolean;
  is_active: boolean;
  peer_heard: boolean;
}

export interface Work {
  /** Asked when the settings or the cluster may have changed, and now and then. */
  plan(): Plan;
  /** By the last plan. */
  launch(): Launch;
  /** Several times a second; `sick` is told why it does not do its work, the end of a sentence. */
  attend(now_ms: number, standing: Standing, sick: (why: string) => void): void;
}

export function isUnixSocket(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isSocket() ?? false;
}
