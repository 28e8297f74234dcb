/** High availability: what it is, the way to it, and the cluster once it is there. */
import { useEffect } from "preact/hooks";
import { app } from "../lib/app.ts";
import { inCluster } from "../lib/situation.ts";
import { useStore } from "../lib/store.ts";
import { Page, Waiting } from "../parts/basics.tsx";
import { endWizard, followPairing, wizard } from "../wizard/state.ts";
import { Wizard } from "../wizard/wizard.tsx";
import { ClusterIntroduction } from "./cluster-introduction.tsx";
import { ClusterJoining } from "./cluster-joining.tsx";
import { ClusterView } from "./cluster-view.tsx";

export function Cluster() {
  const status = useStore(app, (value) => value.status);
  const begun = useStore(wizard, ({ step }) => step !== null);
  const pairing = status?.pairing ?? null;
  const member = status !== null && inCluster(status);
  // The node knows how far its pairing is; the page follows, also one that was opened meanwhile. Once the cluster is
  // there the pairing goes on for some seconds, for the other node's sake.
  useEffect(() => {
    if (pairing?.side === "creator" && !member) followPairing(pairing);
  }, [pairing, member]);
  const applying = useStore(wizard, ({ step }) => step === "apply");
  // A cluster that came from elsewhere, from the console for example, ends what was begun here.
  useEffect(() => {
    if (member && !applying) endWizard();
  }, [member, applying]);
  if (status === null || status.role === "starting")
    return (
      <Page title="High availability">
        <Waiting>The node is starting …</Waiting>
      </Page>
    );
  if (begun && (!member || applying)) return <Wizard status={status} />;
  if (member) return <ClusterView status={status} />;
  if (pairing?.side === "joiner") return <ClusterJoining pairing={pairing} />;
  return <ClusterIntroduction status={status} />;
}
