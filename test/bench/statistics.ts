/** Median, worst and their table. */

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = Number.NaN, high = Number.NaN] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]];
  return (low + high) / 2;
}

/** A number from the command line; anything else ends the program with one sentence. */
export function positiveNumber(text: string, flag: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  console.error(`${flag} must be a number above 0, not ${text}.`);
  process.exit(2);
}

export interface Row {
  who: string;
  fault: string;
  gaps_ms: number[];
  /** Runs in which two nodes answered for one address. */
  two_owners: number;
}

/** Ratios are against `reference` with the same fault, measured in the same run. */
export function printTable(rows: readonly Row[], reference: string): void {
  console.log(`\n${"who".padEnd(28)} ${"fault".padEnd(22)} runs   median    worst   ratio to ${reference}`);
  for (const { who, fault, gaps_ms, two_owners } of rows) {
    const note = two_owners === 0 ? "" : `two owners in ${two_owners} of ${gaps_ms.length} runs`;
    const base = rows.find((row) => row.who === reference && row.fault === fault);
    const ratio =
      base === undefined || base === rows.find((row) => row.who === who && row.fault === fault)
        ? ""
        : (median(gaps_ms) / median(base.gaps_ms)).toFixed(2);
    console.log(
      `${who.padEnd(28)} ${fault.padEnd(22)} ${String(gaps_ms.length).padStart(4)} ${median(gaps_ms).toFixed(1).padStart(8)} ${Math.max(
        ...gaps_ms,
      )
        .toFixed(1)
        .padStart(8)}   ${ratio} ${note}`.trimEnd(),
    );
  }
}
