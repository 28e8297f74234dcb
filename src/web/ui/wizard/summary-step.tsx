import { sentence, useAction } from "../lib/resource.ts";
import { useStore } from "../lib/store.ts";
import type { Status } from "../lib/types.ts";
import { Button, Notice, Trouble } from "../parts/basics.tsx";
import { apply } from "./pairing.ts";
import { wizard } from "./state.ts";

export function SummaryStep({ status }: { status: Status }) {
  const { matches, nic, peer_name } = useStore(wizard, (value) => value);
  const { busy, trouble, run } = useAction();
  const peer = status.pairing?.peer?.name ?? peer_name ?? "the second server";
  const go = async () => {
    wizard.set({ peer_name: peer });
    wizard.set({ ended: null });
    const well = await run(async () => {
      try {
        await apply(matches);
      } catch (error) {
        // Shown there too, where the page has gone on to the progress meanwhile.
        wizard.set({ ended: sentence(error) });
        throw error;
      }
    });
    if (well) wizard.set({ step: "apply" });
  };
  return (
    <>
      <h2>What will happen</h2>
      <div class="happens">
        <div>
          <h3>{`${status.name}, this server`}</h3>
          <ul>
            <li>becomes the active node and keeps all its settings</li>
            <li>goes on handling traffic; its addresses become the shared ones</li>
            <li>{`reserves ${nic ?? "the chosen card"} for the cluster network`}</li>
          </ul>
        </div>
        <div>
          <h3>{peer}</h3>
          <ul>
            <li>
              <strong>all its settings are deleted</strong>, and it takes over those of this server
            </li>
            <li>reboots and comes back as the backup node</li>
            {matches.map(({ mine, theirs }) => (
              <li key={mine}>
                its <span class="mono">{theirs}</span> becomes the counterpart of <span class="mono">{mine}</span>
              </li>
            ))}
          </ul>
        </div>
      </div>
      <Notice tone="info" title="What changes in a cluster">
        Interfaces can be edited and disabled, but not added or deleted; the server names are fixed; backup copies are
        made but not restored; mail works as a relay only. Destroying the cluster takes all of this away.
      </Notice>
      <Trouble text={trouble} />
      <div class="wizard-foot">
        <Button disabled={busy} onClick={() => wizard.set({ step: "match" })}>
          Back
        </Button>
        <Button kind="primary" busy={busy} onClick={() => void go()}>
          Apply
        </Button>
      </div>
    </>
  );
}
