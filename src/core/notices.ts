/** Every event and alarm of the core in one table: code, severity, and the sentence for people. */
import type { HeartEvent, SwitchCause } from "../heart/messages.ts";

interface Notice<Values extends unknown[]> {
  severity: HeartEvent["severity"];
  text: (...values: Values) => string;
}

function notice<Values extends unknown[]>(
  severity: HeartEvent["severity"],
  text: (...values: Values) => string,
): Notice<Values> {
  return { severity, text };
}

const CLAIMS: Record<SwitchCause, string> = {
  created: "the cluster was created on this node",
  "handed-over": "the peer handed over",
  agreed: "the peer agreed",
  silence: "the peer is silent and nobody answers for the shared addresses",
};

export const NOTICES = {
  "became-active": notice(
    "info",
    (term: number, cause: SwitchCause) => `This node is active (term ${term}): ${CLAIMS[cause]}.`,
  ),
  "handed-over": notice("info", (peer: string, why: string) => `This node hands over to ${peer}: ${why}.`),
  yielded: notice(
    "warning",
    (peer: string, term: number) => `${peer} shows a higher claim (term ${term}); this node yields.`,
  ),
  "second-claim": notice(
    "warning",
    (peer: string, term: number) => `${peer} was active too, with the lower term ${term}; it yields.`,
  ),
  slept: notice(
    "warning",
    (slept_ms: number) => `This node did not run for ${Math.round(slept_ms)} ms; it asks its peer before it goes on.`,
  ),
  "gate-broken": notice(
    "error",
    () => "The gate cannot be restored; this node steps down rather than be active without it.",
  ),
  "peer-heard": notice("info", (peer: string) => `${peer} is heard.`),
  "peer-silent": notice(
    "warning",
    (peer: string, silence_ms: number) => `${peer} has been silent on every path for ${Math.round(silence_ms)} ms.`,
  ),
  "cut-off": notice(
    "warning",
    (peer: string) =>
      `This node has no data link and does not hear ${peer}; it gives up the active role, which ${peer} may have taken over.`,
  ),
  "peer-lost": notice(
    "warning",
    (peer: string) => `${peer} is no longer heard on any path; nobody can take over from this node.`,
  ),
  "silent-peer": notice(
    "error",
    (peer: string) =>
      `${peer} is alive but silent: its kernel answers for the shared addresses and no heartbeat arrives; check what blocks EtherType 0x88b5 between the nodes.`,
  ),
  "duplicate-node": notice(
    "error",
    (mac: string, whose: string) =>
      `A third node (${mac}) runs with a copy of the state of ${whose}; disconnect it and erase its state directory.`,
  ),
  "third-node": notice(
    "warning",
    (mac: string, nic: string) =>
      `A third node (${mac}) on ${nic} wants to join, and a cluster has exactly two nodes; disconnect it.`,
  ),
  "cluster-network-lost": notice("warning", () => "The peer is no longer heard over the cluster network."),
  "cluster-destroyed": notice(
    "warning",
    (peer: string) => `The cluster was destroyed on ${peer}; this node is reset to a fresh install.`,
  ),
  "link-up": notice("info", (nic: string) => `${nic} has its link back.`),
  "link-down": notice("warning", (nic: string) => `${nic} has lost its link.`),
  "address-conflict": notice(
    "warning",
    (mac: string, nic: string, address: string) =>
      `Another host (${mac}) on ${nic} uses the shared address ${address}; find it and give it another address.`,
  ),
  "neighbours-followed": notice(
    "info",
    (asked: number) => `All ${asked} known neighbours and gateways answer this node.`,
  ),
  "neighbours-missing": notice(
    "warning",
    (followed: number, asked: number, missing: string[]) =>
      `${followed} of ${asked} known neighbours and gateways answer this node; silent: ${missing.join(", ")}.`,
  ),
};

export type NoticeCode = keyof typeof NOTICES;
export type NoticeValues<Code extends NoticeCode> = Parameters<(typeof NOTICES)[Code]["text"]>;

/** The sentence of a notice. */
export function noticeText<Code extends NoticeCode>(code: Code, values: NoticeValues<Code>): string {
  const text = NOTICES[code].text as (...all: NoticeValues<Code>) => string;
  return text(...values);
}
