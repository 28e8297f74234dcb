/** This node waits to become the backup of another one. */
import { ask } from "../lib/http.ts";
import { useAction } from "../lib/resource.ts";
import type { Pairing } from "../lib/types.ts";
import { countdownWords } from "../lib/words.ts";
import { Button, Facts, Notice, Page, Panel, Trouble } from "../parts/basics.tsx";

export function ClusterJoining({ pairing }: { pairing: Pairing }) {
  const { busy, trouble, run } = useAction();
  const { waiting, seconds_left, peer, code } = pairing;
  return (
    <Page title="High availability" lead="This server waits to become the backup node of another one.">
      <Panel title="Waiting for the active node">
        <Notice tone="info">
          Go to the web interface of the future active node: High availability, Configure active-passive cluster.
        </Notice>
        <Facts
          rows={[
            ["State", waiting],
            ["Time left", countdownWords(seconds_left)],
            peer === null ? null : ["Active node", `${peer.name}, version ${peer.version} build ${peer.build}`],
            code === null ? null : ["Code", <strong class="mono">{code}</strong>],
          ]}
        />
        <Trouble text={trouble} />
        <div>
          <Button busy={busy} onClick={() => void run(() => ask("DELETE", "/cluster/pairing"))}>
            Stop waiting
          </Button>
        </div>
      </Panel>
    </Page>
  );
}
