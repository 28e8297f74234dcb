/** The ways between the nodes, each with its live figures. */
import { useEffect, useState } from "preact/hooks";
import { SAMPLE_MS, samplesOf } from "../lib/history.ts";
import type { PathStatus } from "../lib/types.ts";
import { latencyWords, lossWords, type Tone } from "../lib/words.ts";
import { Dot, Empty } from "./basics.tsx";
import { PathChart } from "./chart.tsx";

const NETWORK_WORDS: Record<PathStatus["network"], string> = {
  cluster: "Cluster network",
  internal: "Internal",
  external: "External",
};

export function Paths({ paths }: { paths: readonly PathStatus[] }) {
  const [, setTurn] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setTurn((turn) => turn + 1), SAMPLE_MS);
    return () => clearInterval(timer);
  }, []);
  if (paths.length === 0) return <Empty>There are none yet.</Empty>;
  return (
    <ul class="paths">
      {paths.map((path) => (
        <li class="path" key={path.nic}>
          <Path path={path} />
        </li>
      ))}
    </ul>
  );
}

function Path({ path }: { path: PathStatus }) {
  const { nic, network, latency_ms, loss, heard } = path;
  const { word, tone } = stateOf(path);
  const label = `${nic}, last two minutes: latency now ${latencyWords(latency_ms)}, loss ${lossWords(loss)}`;
  return (
    <>
      <div class="path-name">
        <Dot tone={tone} label={word} />
        <div>
          <div class="mono">{nic}</div>
          <div class="quiet">{`${NETWORK_WORDS[network]}, ${word}`}</div>
        </div>
      </div>
      <PathChart samples={samplesOf(nic)} label={label} />
      <div class="path-figures">
        <div>
          <span>Latency</span>
          {latencyWords(heard ? latency_ms : null)}
        </div>
        <div>
          <span>Loss</span>
          {heard ? lossWords(loss) : "–"}
        </div>
      </div>
    </>
  );
}

function stateOf({ carrier, heartbeat, heard }: PathStatus): { word: string; tone: Tone } {
  if (!carrier) return { word: "no link", tone: "bad" };
  if (!heartbeat) return { word: "heartbeats off", tone: "none" };
  return heard ? { word: "heard", tone: "good" } : { word: "not heard", tone: "bad" };
}
