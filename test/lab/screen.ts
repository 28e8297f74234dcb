/** The live lab's picture: 80 columns, 24 lines, redrawn in place. */
import type { Status } from "../../src/control/node.ts";
import type { ProbeReport } from "./instrument.ts";
import type { Pair } from "./pair.ts";
import type { Side } from "./topology.ts";

export interface Screen {
  frozen: Set<Side>;
  dead: Set<Side>;
  /** As in `a lan0`. */
  cut: Set<string>;
  last: string;
  busy: boolean;
  /** Where a browser on this machine finds the active node's pages; null where no port was free. */
  url: string | null;
}

const GREEN = "\x1b[32m";
const YELLOW = "\x1b[33m";
const RED = "\x1b[31m";
const DIM = "\x1b[2m";
const BOLD = "\x1b[1m";
const PLAIN = "\x1b[0m";

function nodeText(status: Status | null, side: Side, screen: Screen): string {
  if (screen.frozen.has(side)) return `${YELLOW}frozen${PLAIN}`;
  if (screen.dead.has(side) || status === null) return `${RED}down${PLAIN}`;
  const colour = status.role === "active" ? GREEN + BOLD : "";
  return `${colour}${status.role}${PLAIN}, term ${status.term}`;
}

function pathsText(status: Status | null): string[] {
  return (status?.paths ?? []).map(({ nic, network, carrier, heard, latency_ms }) => {
    const state = !carrier ? `${RED}no link${PLAIN}` : heard ? `${GREEN}heard${PLAIN}  ` : `${YELLOW}silent${PLAIN} `;
    return `${nic} ${network.padEnd(8)} ${state} ${latency_ms === null ? "" : `${latency_ms.toFixed(2)} ms`}`;
  });
}

export async function drawScreen(pair: Pair, screen: Screen): Promise<string> {
  const status: Record<"a" | "b", Status | null> = {
    a: screen.frozen.has("a") ? null : await pair.a.status(),
    b: screen.frozen.has("b") ? null : await pair.b.status(),
  };
  const probe = await pair.probe.report<ProbeReport>();
  const line = (name: string): string => (screen.cut.has(name) ? `${RED}─ ✂ ─${PLAIN}` : "─────");
  const link = screen.cut.has("a clu0") || screen.cut.has("b clu0") ? `${RED}✂${PLAIN}` : "│";
  const paths = { a: pathsText(status.a), b: pathsText(status.b) };
  const lost = Math.max(0, probe.sent - probe.answered - 2);
  const flowing = probe.since_answer_ms < 50 ? `${GREEN}flowing${PLAIN}` : `${RED}standing still${PLAIN}`;
  const lines = [
    `${BOLD}Understudy${PLAIN} ${DIM}a live pair in network namespaces${PLAIN}`,
    "",
    `                 ┌─${line("a lan0")}─┤ node a ├─${line("a wan0")}─┐    ${nodeText(status.a, "a", screen)}`,
    `                 │            ${link}           │`,
    `  client ── LAN ─┤       clu0 ${link}           ├─ WAN ── host`,
    `                 │            ${link}           │`,
    `                 └─${line("b lan0")}─┤ node b ├─${line("b wan0")}─┘    ${nodeText(status.b, "b", screen)}`,
    "",
    ...[0, 1, 2].map((i) => `  ${i === 0 ? "a hears b" : "         "}  ${paths.a[i] ?? ""}`),
    ...[0, 1, 2].map((i) => `  ${i === 0 ? "b hears a" : "         "}  ${paths.b[i] ?? ""}`),
    "",
    `  Traffic is ${flowing}: ${probe.sent} probes since the last key, ${lost} lost`,
    screen.url === null ? "" : `  In a browser: ${BOLD}${screen.url}${PLAIN} (its certificate vouches for itself)`,
    `  ${screen.last}`,
    "",
    `  ${BOLD}s${PLAIN} switch   ${BOLD}f${PLAIN}/${BOLD}F${PLAIN} freeze/thaw active/other   ${BOLD}k${PLAIN} kill -9/start again   ${BOLD}q${PLAIN} quit`,
    `  cut/mend:  ${BOLD}1${PLAIN} a lan0  ${BOLD}2${PLAIN} a wan0  ${BOLD}3${PLAIN} a clu0  ${BOLD}4${PLAIN} b lan0  ${BOLD}5${PLAIN} b wan0  ${BOLD}6${PLAIN} b clu0`,
  ];
  return `\x1b[H${lines.map((text) => `${text}\x1b[K`).join("\n")}\x1b[J`;
}
