/** Outages as a picture: a row for each kind of fault, a dot for each time it struck, on a logarithmic scale. */
import type { Outages } from "./report.ts";

const ROW = 22;
const LEFT = 330;
const SCALE = 560;
const RIGHT = 120;
const TOP = 78;
const BOTTOM = 40;
/** Decades of milliseconds: 1 to 10,000. */
const DECADES = 4;
const SINGLE = "#1f6feb";
const OVERLAPPING = "#bc4c00";

function x(ms: number): number {
  const decades = Math.log10(Math.min(10 ** DECADES, Math.max(1, ms)));
  return LEFT + (SCALE * decades) / DECADES;
}

function text(at_x: number, at_y: number, words: string, more = ""): string {
  const safe = words.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
  return `<text x="${at_x.toFixed(1)}" y="${at_y.toFixed(1)}" ${more}>${safe}</text>`;
}

/** A whole SVG document. `subtitle` says what was run. */
export function drawOutages(figures: Outages[], subtitle: string): string {
  const width = LEFT + SCALE + RIGHT;
  const height = TOP + figures.length * ROW + BOTTOM;
  const parts = [
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    text(16, 28, "The client's longest gap, by kind of fault", 'font-size="17" font-weight="600"'),
    text(16, 48, `${subtitle}; each dot is one time, the bar is the median, on the right median and worst in ms`),
  ];
  for (let decade = 0; decade <= DECADES; decade++) {
    const at = x(10 ** decade);
    parts.push(
      `<line x1="${at}" y1="${TOP - 4}" x2="${at}" y2="${height - BOTTOM + 4}" stroke="#d0d7de"/>`,
      text(
        at,
        height - BOTTOM + 20,
        `${(10 ** decade).toLocaleString("en")} ms`,
        'text-anchor="middle" fill="#57606a"',
      ),
    );
  }
  figures.forEach((group, row) => parts.push(...drawRow(group, TOP + row * ROW + ROW / 2, row, width)));
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="#1f2328">\n${parts.join("\n")}\n</svg>\n`;
}

function drawRow(
  { what, overlapping, count, median_ms, worst_ms, all_ms }: Outages,
  y: number,
  row: number,
  width: number,
): string[] {
  const colour = overlapping ? OVERLAPPING : SINGLE;
  const median = x(median_ms);
  return [
    ...(row % 2 === 0
      ? [`<rect x="8" y="${y - ROW / 2}" width="${width - 16}" height="${ROW}" fill="#818b98" fill-opacity="0.07"/>`]
      : []),
    text(16, y + 4, what),
    text(LEFT - 14, y + 4, `${count} ×`, 'text-anchor="end" fill="#57606a"'),
    ...all_ms.map((ms) => `<circle cx="${x(ms).toFixed(1)}" cy="${y}" r="3.5" fill="${colour}" fill-opacity="0.45"/>`),
    `<line x1="${median.toFixed(1)}" y1="${y - 8}" x2="${median.toFixed(1)}" y2="${y + 8}" stroke="${colour}" stroke-width="2.5"/>`,
    text(width - 16, y + 4, `${median_ms.toFixed(1)} / ${worst_ms.toFixed(1)}`, 'text-anchor="end"'),
  ];
}
