/** High availability: what it is, the way to it, and the cluster once it is there. */
import { useEffect } from "preact/hooks";
import { app } from "../lib/app.ts";
import { inCluster } from "../lib/situation.ts";
import { useStore } from "../lib/store.ts";
import { Page, Waiting } from "../parts/basics.tsx";
import { endWizard, resumeWizard, wizard } from "../wizard/state.ts";
import { Wizard } from "../wizard/wizard.tsx";
import { ClusterIntroduction } from "./cluster-introduction.tsx";
import { ClusterJoining } from "./cluster-joining.tsx";
import { ClusterView } from "./cluster-view.tsx";

export function Cluster() {
  const status = useStore(app, (value) => value.status);
  const begun = useStore(wizard, ({ step }) => step !== null);
  const side = status?.pairing?.side ?? null;
  const state = status?.pairing?.state ?? null;
  // The node knows how far its pairing is; the page follows, also one that was opened meanwhile.
  useEffect(() => {
    if (side === "creator" && state !== null) resumeWizard(state);
  }, [side, state]);
  const member = status !== null && inCluster(status);
  const established = member && status.peer?.heard === true;
  useEffect(() => {
    if (established && wizard.get().step !== "apply") endWizard();
  }, [established]);
  if (status === null || status.role === "starting")
    return (
      <Page title="High availability">
        <Waiting>The node is starting …</Waiting>
      </Page>
    );
  if (begun && (!member || wizard.get().step === "apply")) return <Wizard status={status} />;
  if (member) return <ClusterView status={status} />;
  if (side === "joiner" && status.pairing != null) return <ClusterJoining pairing={status.pairing} />;
  return <ClusterIntroduction status={status} />;
}
