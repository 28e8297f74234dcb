/**
 * What became of a frame, in one table: the word that the counters show, and the sentence for whoever looks at a
 * capture. The order is the number under which a verdict is kept (heart/recorder.ts).
 */

/** `accepted`: a heartbeat that is believed; `refused`: nothing in the frame is. */
interface VerdictText {
  kind: "accepted" | "noted" | "refused" | "own";
  text: string;
}

const accepted = (text: string): VerdictText => ({ kind: "accepted", text });
const noted = (text: string): VerdictText => ({ kind: "noted", text });
const refused = (text: string): VerdictText => ({ kind: "refused", text });
const own = (text: string): VerdictText => ({ kind: "own", text });

export const VERDICTS = {
  // Heartbeats.
  news: accepted("the peer's newest word"),
  copy: accepted("the same came by another path before; this path lives"),
  truncated: refused("it is shorter than a heartbeat"),
  "wrong-version": refused("it is of another version of the wire format"),
  "foreign-cluster": refused("it is of another cluster"),
  forged: refused("its authentication tag or its MAC is wrong: a forgery, or another key"),
  malformed: refused("a field has a value that no node sends"),
  "duplicate-node": refused("a third node runs with a copy of this cluster's state"),
  replayed: refused("it is no newer than what this path has brought before: a replay or a duplicate"),
  reflected: refused("it is this node's own, sent back"),
  misdirected: refused("it was sent for another path"),
  unproven: refused("its session has not repeated this node's present challenge yet: new, or a replay"),
  // Everything else.
  "peer-answers": noted("the peer has a shared address: it answers for it, or announces it"),
  "peer-asks": noted("the peer asks for a shared address too"),
  conflict: noted("another host uses a shared address"),
  neighbour: noted("says who has an address of the network"),
  "third-node": refused("a third node speaks of pairing, and a cluster has exactly two"),
  "no-matter": noted("says nothing that matters here"),
  // Frames of this node's own.
  sent: own("sent"),
  "not-sent": own("not sent: the network card did not take it"),
} as const satisfies Record<string, VerdictText>;

export type Verdict = keyof typeof VERDICTS;

export const VERDICT_CODES = Object.keys(VERDICTS) as Verdict[];

/** As a capture says it of a frame. */
export function verdictText(verdict: Verdict): string {
  const { kind, text } = VERDICTS[verdict];
  return kind === "own" ? text : `${kind} (${verdict}): ${text}`;
}
