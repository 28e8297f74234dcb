/** From one server to a cluster, step by step. Leaving and coming back goes on where the node's pairing is. */
import { useEffect, useRef } from "preact/hooks";
import { useAction } from "../lib/resource.ts";
import { useStore } from "../lib/store.ts";
import type { Status } from "../lib/types.ts";
import { Button, Page, Panel, Trouble } from "../parts/basics.tsx";
import { ApplyStep } from "./apply-step.tsx";
import { CardStep } from "./card-step.tsx";
import { CodeStep } from "./code-step.tsx";
import { MatchStep } from "./match-step.tsx";
import { cancelPairing, whyEnded } from "./pairing.ts";
import { SearchStep } from "./search-step.tsx";
import { endWizard, STEPS, type Step, wizard } from "./state.ts";
import { SummaryStep } from "./summary-step.tsx";
import { TopologyStep } from "./topology-step.tsx";

const TITLES: Record<Step, string> = {
  topology: "Topology",
  card: "Cluster network",
  search: "Search",
  code: "Code",
  match: "Match cards",
  summary: "Summary",
  apply: "Apply",
};

/** These need a pairing that is alive. */
const PAIRED: readonly Step[] = ["code", "match", "summary"];

export function Wizard({ status }: { status: Status }) {
  const { step, ended } = useStore(wizard, (value) => value);
  const { busy, trouble, run } = useAction();
  const pairing = status.pairing ?? null;
  const was_paired = useRef(false);
  useEffect(() => {
    if (pairing !== null) was_paired.current = true;
    else if (was_paired.current && step !== null && PAIRED.includes(step)) {
      was_paired.current = false;
      if (ended === null)
        void whyEnded().then((why) => {
          if (why !== null && wizard.get().ended === null) wizard.set({ ended: why, step: "search" });
        });
      else wizard.set({ step: "search" });
    }
  }, [pairing, step, ended]);
  if (step === null) return null;
  const cancel = () =>
    run(async () => {
      if (pairing !== null) await cancelPairing();
      endWizard();
    });
  return (
    <Page
      title="Configure active-passive cluster"
      actions={
        step !== "apply" && (
          <Button busy={busy} onClick={() => void cancel()}>
            {pairing === null ? "Leave" : "Cancel pairing"}
          </Button>
        )
      }
    >
      <Trouble text={trouble} />
      <Steps step={step} />
      <Panel>
        <StepBody step={step} status={status} />
      </Panel>
    </Page>
  );
}

function StepBody({ step, status }: { step: Step; status: Status }) {
  switch (step) {
    case "topology":
      return <TopologyStep status={status} />;
    case "card":
      return <CardStep />;
    case "search":
      return <SearchStep status={status} />;
    case "code":
      return <CodeStep status={status} />;
    case "match":
      return <MatchStep status={status} />;
    case "summary":
      return <SummaryStep status={status} />;
    case "apply":
      return <ApplyStep status={status} />;
  }
}

function Steps({ step }: { step: Step }) {
  const now = STEPS.indexOf(step);
  return (
    <ol class="steps" aria-label="Steps">
      {STEPS.map((name, index) => (
        <li key={name} class={index < now ? "done" : undefined} aria-current={index === now ? "step" : undefined}>
          {TITLES[name]}
          {index < now && <span class="hidden"> (done)</span>}
        </li>
      ))}
    </ol>
  );
}
