/** What needs somebody's attention: the node's alarms, and what follows from its figures. */
import { inCluster, versionsDiffer } from "./situation.ts";
import type { Status } from "./types.ts";

export interface Alarm {
  key: string;
  tone: "warning" | "bad";
  title: string;
  text: string;
}

const TITLES: Record<string, string> = {
  "silent-peer": "The other node is alive but silent",
  "address-conflict": "Another host uses a shared address",
  "duplicate-node": "A third node runs with copied state",
  "third-node": "A third node wants to join",
  "gate-broken": "The gate cannot be restored",
};

export function alarmsOf(status: Status): Alarm[] {
  const alarms: Alarm[] = status.alarms.map(({ code, message }) => ({
    key: `${code} ${message}`,
    tone: code === "third-node" ? "warning" : "bad",
    title: TITLES[code] ?? "Alarm",
    text: message,
  }));
  if (!inCluster(status)) return alarms;
  const { peer, reason } = status;
  if (!status.operational && reason !== null) {
    const differ = versionsDiffer(status);
    const away = peer?.heard === false;
    const unwilling = peer?.unwilling === true;
    const title = differ
      ? "The two nodes run different versions"
      : away
        ? "The other node is away"
        : unwilling
          ? "The other node does not take over"
          : "The cluster is not operational";
    const advice = differ
      ? " Settings are not synchronised until both run the same one; update the other node. It still takes over should this one fail."
      : away
        ? " Nobody can take over from this node. Check the other one's power and cables."
        : "";
    alarms.push({ key: "not-operational", tone: away ? "bad" : "warning", title, text: `${reason}${advice}` });
  }
  const used = status.paths.filter(({ heartbeat }) => heartbeat);
  const heard = used.filter((path) => path.heard);
  if (used.length > 1 && heard.length === 1)
    alarms.push({
      key: "one-path",
      tone: "warning",
      title: "One path is left between the nodes",
      text: `The other node is heard over ${heard[0]?.nic} only. If that is lost too, each node takes the other for dead; check the other cables.`,
    });
  if (status.sync.state === "diverged")
    alarms.push({
      key: "diverged",
      tone: "bad",
      title: "The nodes' settings differ",
      text: "Both nodes changed settings while they did not hear each other. The active node's settings count; the other one's are kept, and named in the events.",
    });
  return alarms;
}
