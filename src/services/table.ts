/**
 * The product's own services: what runs in which role, in which order, and how long each may take. One line a service;
 * what a service's process is made of has a file of its own (`conntrack.ts`).
 */
import type { SERVICE_NAMES } from "../settings/schema.ts";

export type ServiceName = (typeof SERVICE_NAMES)[number];
export type ServiceRole = "standalone" | "active" | "backup";

export interface ServiceDefinition {
  name: ServiceName;
  /** For people. */
  title: string;
  runs: readonly ServiceRole[];
  /** Started from the lowest place on, stopped from the highest on. */
  place: number;
  /** It is healthy by then, or counts as failed. */
  start_ms_max: number;
  /** It has ended by then, or is killed. */
  stop_ms_max: number;
  /** The wait before it is started again doubles with every failure. */
  restart_ms_min: number;
  restart_ms_max: number;
  /** So many failures within the window, and it is taken for one that will not run. */
  failures_max: number;
  window_ms: number;
  /** It ran for so long without a failure: it runs. */
  stable_ms: number;
}

const USUAL = {
  start_ms_max: 10_000,
  stop_ms_max: 3000,
  restart_ms_min: 250,
  restart_ms_max: 30_000,
  failures_max: 5,
  window_ms: 120_000,
  stable_ms: 10_000,
} as const;

export const SERVICES: readonly ServiceDefinition[] = [
  // Both nodes: the active one tells, the backup takes what it is told into its kernel. No traffic needs it.
  {
    ...USUAL,
    name: "connections",
    title: "Replication of connections",
    runs: ["active", "backup"],
    place: 1,
  },
];
