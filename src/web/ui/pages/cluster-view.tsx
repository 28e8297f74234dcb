/** The cluster at work: both nodes, the paths between them, the shared addresses, what has happened, what can be done. */
import { app } from "../lib/app.ts";
import { isActive } from "../lib/situation.ts";
import { useStore } from "../lib/store.ts";
import type { Status } from "../lib/types.ts";
import { syncWords, timeWords } from "../lib/words.ts";
import { Alarms } from "../parts/alarms.tsx";
import { Chip, Dot, Facts, Notice, Page, Panel, Table } from "../parts/basics.tsx";
import { Paths } from "../parts/paths.tsx";
import { ClusterActions } from "./cluster-actions.tsx";
import { NodeCard } from "./node-card.tsx";
import { Switches } from "./switches.tsx";

export function ClusterView({ status }: { status: Status }) {
  const { peer } = status;
  const active = isActive(status);
  const lead = status.operational
    ? "The cluster is operational: either node can take over from the other."
    : "The cluster is not operational.";
  return (
    <Page title="High availability" lead={lead} actions={active && <ClusterActions status={status} />}>
      {!active && <BackupNotice status={status} />}
      <Alarms status={status} />
      <div class="nodes">
        <NodeCard status={status} />
        {peer !== null && <NodeCard status={status} peer={peer} />}
      </div>
      <div class="wide-narrow">
        <Panel title="Paths between the nodes" aside={<span class="quiet">last two minutes</span>}>
          <Paths paths={status.paths} />
        </Panel>
        <SyncPanel status={status} />
      </div>
      <Addresses status={status} />
      <Switches />
    </Page>
  );
}

function BackupNotice({ status }: { status: Status }) {
  const known = useStore(app, (value) => value.public);
  const active = status.peer?.heard === true && status.peer.role === "active";
  const address = known?.active?.addresses[0];
  return (
    <Notice tone="info" title={status.role === "backup" ? "This is the backup node" : "This node is not active"}>
      <p>
        It shows its state, and nothing can be changed here.{" "}
        {active ? `${status.peer?.name} is active; settings are made there and come here by themselves.` : ""}
      </p>
      {active && address !== undefined && (
        <p>
          <a href={`https://${address.includes(":") ? `[${address}]` : address}/`}>Open the active node at {address}</a>
        </p>
      )}
    </Notice>
  );
}

function SyncPanel({ status }: { status: Status }) {
  const { text, detail, tone } = syncWords(status.sync);
  return (
    <Panel title="Settings" aside={<Chip tone={tone}>{text}</Chip>}>
      <Facts
        rows={[
          ["Revision", detail],
          ["So since", timeWords(status.sync.since)],
        ]}
      />
      <p class="quiet">
        A change is confirmed once the other node has it on its disk, or is known to be away. Reports, logs and figures
        are each node's own.
      </p>
    </Panel>
  );
}

function Addresses({ status }: { status: Status }) {
  const there = status.peer?.heard === true && status.peer.role === "active";
  return (
    <Panel title="Shared addresses">
      <Table label="Shared addresses" heads={["Address", "Interface", "Answered by"]}>
        {status.addresses.map(({ address, nic, held }) => (
          <tr key={address}>
            <td class="mono">{address}</td>
            <td class="mono">{nic}</td>
            <td>
              <span class="light">
                <Dot tone={held || there ? "good" : "bad"} label={held || there ? "Answered" : "Not answered"} />
                {held ? `${status.name} (this node)` : there ? status.peer?.name : "no node that is heard"}
              </span>
            </td>
          </tr>
        ))}
      </Table>
    </Panel>
  );
}
