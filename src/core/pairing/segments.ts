/**
 * The verdict of a segment test (S14): each matched pair of cards must be in one LAN segment. Both
 * nodes have sent probes from their card of each match and told on which of theirs the other's arrived.
 */
import type { Match, Report } from "./messages.ts";

/** One way between two cards. */
export interface Way {
  good: boolean;
  /** The cards on which its probes arrived, if not on the one that is meant. */
  arrived_at: string[];
}

export interface SegmentResult extends Match {
  /** From `mine` to `theirs`, and back. */
  there: Way;
  back: Way;
  /** What is wrong and what to do; null where both ways are good. */
  advice: string | null;
}

export interface Side {
  name: string;
  report: Report;
}

/** `mine.report` is what arrived here, `theirs.report` what arrived at the peer. */
export function judgeSegments(matches: Match[], mine: Side, theirs: Side): SegmentResult[] {
  return matches.map((match, index) => {
    const there = wayTo(match.theirs, theirs.report, index);
    const back = wayTo(match.mine, mine.report, index);
    const here = { name: mine.name, nic: match.mine, report: mine.report };
    const over_there = { name: theirs.name, nic: match.theirs, report: theirs.report };
    const advice = !there.good
      ? adviceFor(here, over_there, there)
      : !back.good
        ? adviceFor(over_there, here, back)
        : null;
    return { ...match, there, back, advice };
  });
}

function wayTo(nic: string, { arrivals }: Report, match: number): Way {
  const arrived_at = arrivals.filter((arrival) => arrival.match === match).map((arrival) => arrival.nic);
  const good = arrived_at.includes(nic);
  return { good, arrived_at: good ? [] : arrived_at };
}

interface End {
  name: string;
  nic: string;
  report: Report;
}

function adviceFor(from: End, to: End, way: Way): string {
  const unlinked = [from, to].find(({ nic, report }) => report.unlinked.includes(nic));
  if (unlinked !== undefined)
    return `${from.nic} of ${from.name} does not reach ${to.nic} of ${to.name}: ${unlinked.nic} of ${unlinked.name} has no link; connect its cable.`;
  const what = `What ${from.nic} of ${from.name} sends does not arrive at ${to.nic} of ${to.name}`;
  if (way.arrived_at.length > 0)
    return `${what} but at its ${way.arrived_at.join(" and ")}; exchange the cables, or match the cards as they are connected.`;
  return `${what}; put both into one LAN segment.`;
}
