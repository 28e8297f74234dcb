/** Everything that a cluster needs, looked at now (understudy doctor), and the figures behind it. */
import { app } from "../lib/app.ts";
import { useResource } from "../lib/resource.ts";
import { useStore } from "../lib/store.ts";
import type { Check, Status } from "../lib/types.ts";
import { Button, Empty, Facts, Page, Panel, Trouble, Waiting } from "../parts/basics.tsx";
import { Icon } from "../parts/icons.tsx";

const ORDER: Record<Check["state"], number> = { bad: 0, warning: 1, good: 2 };
const STATE_WORDS: Record<Check["state"], string> = { bad: "Bad", warning: "Warning", good: "Good" };

export function Checks() {
  const { value: checks, trouble, reload } = useResource<Check[]>("/doctor");
  const status = useStore(app, (value) => value.status);
  const sorted = [...(checks ?? [])].sort((one, other) => ORDER[one.state] - ORDER[other.state]);
  const count = (state: Check["state"]) => sorted.filter((check) => check.state === state).length;
  return (
    <Page
      title="Checks"
      lead="Everything that a cluster needs, looked at on this node now."
      actions={
        <Button icon="reload" onClick={() => void reload()}>
          Check again
        </Button>
      }
    >
      <Panel
        title="Findings"
        aside={
          checks !== null && (
            <span class="quiet">{`${count("bad")} bad, ${count("warning")} warnings, ${count("good")} good`}</span>
          )
        }
      >
        <Trouble text={trouble} />
        {checks === null && trouble === null && <Waiting>Checking …</Waiting>}
        {checks?.length === 0 && <Empty>Nothing to check.</Empty>}
        <ul class="check-list">
          {sorted.map(({ code, state, what, advice }) => (
            <li key={`${code} ${what}`} class={state}>
              <Icon name={state} />
              <div>
                <span class="hidden">{`${STATE_WORDS[state]}: `}</span>
                {what}
                {advice !== null && <div class="quiet">{advice}</div>}
              </div>
            </li>
          ))}
        </ul>
      </Panel>
      {status !== null && <Figures status={status} />}
    </Page>
  );
}

function Figures({ status }: { status: Status }) {
  const dropped = Object.entries(status.dropped).filter(([, count]) => count > 0);
  return (
    <Panel title="The heartbeat process">
      <Facts
        rows={[
          ["Real-time priority", status.realtime ? "yes" : "no; heartbeats may be late on a busy machine"],
          ["Memory locked", status.memory_locked ? "yes" : "no"],
          ["Gate", status.gate],
          [
            "Frames dropped",
            dropped.length === 0
              ? "none"
              : dropped.map(([reason, count]) => `${count} ${reason.replaceAll("-", " ")}`).join(", "),
          ],
        ]}
      />
    </Panel>
  );
}
