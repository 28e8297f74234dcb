/** Latency and loss of each path over the last minutes, sampled at an even pace for the charts. */
import { app } from "./app.ts";

export const SAMPLE_MS = 500;
export const SAMPLES_MAX = 240;

export interface Sample {
  /** Null where nothing was heard. */
  latency_ms: number | null;
  /** 0 to 1; null where nothing is known, the connection to the node being lost. */
  loss: number | null;
}

const samples = new Map<string, Sample[]>();

export function samplesOf(nic: string): readonly Sample[] {
  return samples.get(nic) ?? [];
}

export function forgetSamples(): void {
  samples.clear();
}

export function sampleNow(): void {
  const { status, connection } = app.get();
  const paths = status?.paths ?? [];
  for (const nic of samples.keys()) if (!paths.some((path) => path.nic === nic)) samples.delete(nic);
  for (const { nic, latency_ms, loss, heard } of paths) {
    const live = connection === "live";
    const list = samples.get(nic) ?? [];
    list.push({ latency_ms: live && heard ? latency_ms : null, loss: live ? (heard ? loss : 1) : null });
    if (list.length > SAMPLES_MAX) list.shift();
    samples.set(nic, list);
  }
}
