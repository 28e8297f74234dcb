/** Before there is a cluster: what one is, in three sentences and a picture. */
import { useSettings } from "../lib/settings.ts";
import type { Status } from "../lib/types.ts";
import { Button, Notice, Page, Panel } from "../parts/basics.tsx";
import { Topology } from "../parts/topology.tsx";
import { beginWizard } from "../wizard/state.ts";

export function ClusterIntroduction({ status }: { status: Status }) {
  const { value: settings } = useSettings();
  const wires = settings?.interfaces ?? [];
  const leaving = status.reason !== null && status.peer !== null;
  return (
    <Page
      title="High availability"
      actions={
        <Button kind="primary" icon="cluster" disabled={wires.length === 0} onClick={beginWizard} describedby="why-not">
          Configure active-passive cluster
        </Button>
      }
    >
      {leaving && <Notice tone="info">{status.reason}</Notice>}
      {settings !== null && wires.length === 0 && (
        <div id="why-not">
          <Notice tone="warning" title="This server has no interfaces yet">
            <a href="#/interfaces">Set up its interfaces first</a>; they become the shared ones of the cluster. If this
            server is to be the backup node instead, choose that on its console.
          </Notice>
        </div>
      )}
      <Panel title="What a cluster is">
        <div class="prose">
          <p>
            Two servers share the same addresses: the active node handles all traffic, and the backup node watches it
            over a cable of their own, the cluster network. When the active node fails, freezes or loses a cable, the
            backup node takes over its addresses within milliseconds. Settings are made once, on the active node, and
            the backup node has each of them on its disk before it is confirmed.
          </p>
        </div>
        <Topology
          here={{ name: status.name, word: "becomes active", state: "active" }}
          there={{ name: "Second server", word: "becomes the backup", state: "absent" }}
          wires={wires}
          cluster_nic={null}
          label="Both servers are connected to the provider's network and to the local network, and to each other by the cluster network."
        />
      </Panel>
      <Panel title="Before you begin">
        <div class="prose">
          <ul>
            <li>The second server runs the same version, up to the build number, and has as many network cards.</li>
            <li>Each interface of this server has a counterpart on the second one, in the same switch or segment.</li>
            <li>One card of each server is free, and a cable joins the two.</li>
            <li>
              On the second server's console, <em>Create cluster</em> is chosen; it then waits up to an hour for this
              one.
            </li>
            <li>All settings of the second server are deleted when the cluster is created. One license serves both.</li>
          </ul>
        </div>
      </Panel>
    </Page>
  );
}
