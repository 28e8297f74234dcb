/**
 * What a thawed machine still did for an address that another one has by now. Its clock stood still with it, so its
 * lease was unexpired, and the questions and probes that waited for it at its cards come first: it must let go at the
 * first frame from its peer. The numbered books of the judge cannot tell that, because an answer to a question that
 * waited counts for the moment of the question; here the moment of the answer counts.
 */
import { join } from "node:path";
import { readCapture } from "../lab/capture.ts";
import type { Instrument } from "../lab/instrument.ts";

export interface LastDeeds {
  /** Answers for the address, or packets forwarded, since the thaw. */
  count: number;
  /** From the thaw to the last of them; 0 where there was none. */
  last_ms: number;
}

/** `deed` is part of a captured frame's text, such as `ARP 10.1.0.1 is at 52:54:00:00:10:10`. */
export async function lastDeeds(
  observer: Instrument,
  deed: string,
  thaw_ms: number,
  directory: string,
): Promise<LastDeeds> {
  const path = join(directory, `thaw-${crypto.randomUUID()}.pcap`);
  await observer.capture(path);
  const deeds = readCapture(path).filter(({ at_ms, text }) => at_ms >= thaw_ms && text.includes(deed));
  const last = deeds.at(-1);
  return { count: deeds.length, last_ms: last === undefined ? 0 : last.at_ms - thaw_ms };
}
