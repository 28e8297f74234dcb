/** The status panel: the server at a glance, in a fixed number of lines. */
import type { NodeStatus } from "./node.ts";
import type { Panel } from "./terminal.ts";
import { spread, thousands } from "./text.ts";

const ADDRESSES_SHOWN = 3;
const HTTPS_PORT = 443;
const FINGERPRINT_BYTES_SHOWN = 16;
/** The bar, three lines for what does not change often, and three for what does. */
const LABEL_COLUMNS = 11;

/** What the bar says for a role of the core that only lasts a moment. */
const ROLES: Record<string, string> = {
  probing: "BACKUP",
  listening: "STARTING",
  resuming: "RESUMING",
  erased: "RESET",
};

export function panelOf(status: NodeStatus | null, columns: number): Panel {
  if (status === null)
    return {
      bar: spread(" Understudy", "NO ANSWER", "", columns - 1),
      lines: panelLines({ State: "The node on this server does not answer; is it still running?" }),
    };
  const { name, version, build, peer, pairing } = status;
  const left = pairing?.side === "joiner" && pairing.seconds_left !== undefined ? pairing.seconds_left : null;
  const role = ROLES[status.role] ?? status.role.toUpperCase();
  const middle = left === null ? `*** ${role} ***` : `*** ${role}: ${thousands(left)} s left ***`;
  return {
    bar: spread(` ${name}`, middle, `version ${version} build ${build} `, columns - 1),
    lines: panelLines({
      Peer: peer === null ? "none" : `${peer.name}, ${peer.heard ? peer.role : "not heard"}`,
      Addresses: addressesText(status),
      Web: webText(status),
      Sync: syncText(status),
      State: pairing?.waiting ?? status.reason ?? "The cluster is operational.",
      Alarms: alarmsText(status),
    }),
  };
}

function panelLines(given: Record<string, string>): string[] {
  return ["Peer", "Addresses", "Web", "Sync", "State", "Alarms"].map((label) =>
    ` ${label.padEnd(LABEL_COLUMNS)}${given[label] ?? ""}`.trimEnd(),
  );
}

function addressesText({ addresses }: NodeStatus): string {
  if (addresses.length === 0) return "none";
  const shown = addresses
    .slice(0, ADDRESSES_SHOWN)
    .map(({ address, held }) => (held ? address : `${address} (not here)`))
    .join(", ");
  return addresses.length > ADDRESSES_SHOWN ? `${shown}, ${addresses.length - ADDRESSES_SHOWN} more` : shown;
}

/** Where it is, and half of its certificate's fingerprint: enough to compare, and room for it. */
function webText({ web, addresses }: NodeStatus): string {
  if (web === undefined || web === null) return "off";
  const anywhere = web.address === "0.0.0.0" || web.address === "::";
  const host = (anywhere ? addresses[0]?.address.split("/")[0] : web.address) ?? "this server";
  const place = `${host.includes(":") ? `[${host}]` : host}${web.port === HTTPS_PORT ? "" : `:${web.port}`}`;
  const words = web.fingerprint.split(":").slice(0, FINGERPRINT_BYTES_SHOWN);
  const pairs = words.flatMap((word, index) => (index % 2 === 0 ? [word + (words[index + 1] ?? "")] : []));
  return `https://${place}, SHA-256 ${pairs.join(" ")}...`;
}

function syncText({ sync, settings_revision }: NodeStatus): string {
  const revision = `settings revision ${settings_revision}`;
  if (sync === undefined || sync === null || sync.state === "standalone") return revision;
  const of_peer = sync.peer_revision === undefined ? "" : `, the other node has ${sync.peer_revision}`;
  return `${sync.state.replaceAll("-", " ")}, ${revision}${sync.state === "in-sync" ? "" : of_peer}`;
}

function alarmsText({ alarms }: NodeStatus): string {
  const [first, ...others] = alarms;
  if (first === undefined) return "none";
  return others.length === 0 ? `! ${first.message}` : `! ${first.message} (and ${others.length} more)`;
}
