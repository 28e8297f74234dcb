import { inCluster } from "../lib/situation.ts";
import { useStore } from "../lib/store.ts";
import type { Status } from "../lib/types.ts";
import { Button, Notice, Waiting } from "../parts/basics.tsx";
import { endWizard, wizard } from "./state.ts";

export function ApplyStep({ status }: { status: Status }) {
  const peer_name = useStore(wizard, (value) => value.peer_name);
  const name = status.peer?.name ?? peer_name ?? "the second server";
  const member = inCluster(status);
  const established = member && status.peer?.heard === true;
  const ended = useStore(wizard, (value) => value.ended);
  if (!member && ended !== null)
    return (
      <>
        <h2>The cluster was not created</h2>
        <Notice tone="bad" live>
          {ended}
        </Notice>
        <div class="wizard-foot">
          <span />
          <Button onClick={() => wizard.set({ step: "search" })}>Back to the search</Button>
        </div>
      </>
    );
  return (
    <>
      <h2>{established ? "The cluster is there" : "Creating the cluster"}</h2>
      {!member && <Waiting>{`${name} takes over the settings …`}</Waiting>}
      {member && !established && (
        <Waiting>{`${name} reboots as the backup node; waiting for communication with it …`}</Waiting>
      )}
      {established && (
        <Notice tone="good" live title={`Communication with the server ${name} has been established.`}>
          {`${status.name} is active, and ${name} watches it.`}
        </Notice>
      )}
      <div class="wizard-foot">
        <span />
        <Button kind={established ? "primary" : "plain"} disabled={!member} onClick={endWizard}>
          Show the cluster
        </Button>
      </div>
    </>
  );
}
