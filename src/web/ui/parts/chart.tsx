/** A small chart of one path's last two minutes: its latency as a line, its loss as bars from below. */
import { SAMPLES_MAX, type Sample } from "../lib/history.ts";

const WIDTH = 240;
const HEIGHT = 44;
/** Below this all is as good as it gets; a scale that followed noise would show mountains. */
const SCALE_MS_MIN = 1;

export function PathChart({ samples, label }: { samples: readonly Sample[]; label: string }) {
  const known = samples.flatMap(({ latency_ms }) => (latency_ms === null ? [] : [latency_ms]));
  const scale_ms = Math.max(SCALE_MS_MIN, ...known) * 1.15;
  const x = (index: number) => ((SAMPLES_MAX - samples.length + index) / (SAMPLES_MAX - 1)) * WIDTH;
  const y = (latency_ms: number) => HEIGHT - 2 - (latency_ms / scale_ms) * (HEIGHT - 6);
  const line = samples
    .map(({ latency_ms }, index) => {
      if (latency_ms === null) return "";
      const starts = index === 0 || samples[index - 1]?.latency_ms == null;
      return `${starts ? "M" : "L"}${x(index).toFixed(1)} ${y(latency_ms).toFixed(1)}`;
    })
    .join("");
  const bars = samples
    .map(({ loss }, index) =>
      loss === null || loss <= 0 ? "" : `M${x(index).toFixed(1)} ${HEIGHT}v${(-loss * (HEIGHT - 4)).toFixed(1)}`,
    )
    .join("");
  return (
    <svg class="chart" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
      <path class="chart-base" d={`M0 ${HEIGHT - 0.5}H${WIDTH}`} />
      <path class="chart-loss" d={bars} />
      <path class="chart-line" d={line} />
    </svg>
  );
}
