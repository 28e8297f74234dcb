/** What can be done with a cluster. Each asks first, and says what will happen to which node. */
import { useState } from "preact/hooks";
import { app, note } from "../lib/app.ts";
import { ask, Refusal } from "../lib/http.ts";
import type { Status } from "../lib/types.ts";
import { Button, Notice } from "../parts/basics.tsx";
import { Confirm } from "../parts/dialog.tsx";

/** So long the page waits for the new active node before it says that nothing has moved. */
const FOLLOW_MS_MAX = 20_000;

export function ClusterActions({ status }: { status: Status }) {
  const [asked, setAsked] = useState<{ what: "switch" | "maintenance" | "destroy"; name: string; peer: string } | null>(
    null,
  );
  const { peer, name } = status;
  if (peer === null) return null;
  const close = () => setAsked(null);
  return (
    <>
      <Button
        icon="switch"
        disabled={!peer.heard || peer.unwilling}
        onClick={() => setAsked({ what: "switch", name, peer: peer.name })}
      >
        Switch over
      </Button>
      <Button disabled={!peer.heard} onClick={() => setAsked({ what: "maintenance", name, peer: peer.name })}>
        {peer.unwilling ? "End maintenance" : "Maintenance"}
      </Button>
      <Button icon="trash" onClick={() => setAsked({ what: "destroy", name, peer: peer.name })}>
        Destroy cluster
      </Button>
      {asked?.what === "switch" && (
        <Confirm
          title={`Switch over to ${asked.peer}?`}
          verb="Switch over"
          work={() => switchOver(asked.peer)}
          onClose={close}
        >
          <ul>
            <li>
              <strong>{asked.peer}</strong> becomes active and handles all traffic, with the same shared addresses.
            </li>
            <li>
              <strong>{asked.name}</strong> becomes the backup, and stays it until the next switch.
            </li>
          </ul>
          <p>Traffic pauses for some milliseconds. This page goes on with the new active node.</p>
        </Confirm>
      )}
      {asked?.what === "maintenance" && (
        <Maintenance name={asked.name} peer={asked.peer} on={!peer.unwilling} onClose={close} />
      )}
      {asked?.what === "destroy" && (
        <Confirm
          title="Destroy the cluster?"
          verb="Yes, destroy it"
          refuse="No"
          danger
          work={() => ask("POST", "/cluster/destroy", { body: { confirm: true } })}
          onDone={() => note(`The cluster is gone; ${asked.name} goes on alone.`)}
          onClose={close}
        >
          <ul>
            <li>
              <strong>{asked.name}</strong>, this node, goes on working alone, with all its settings and addresses.
            </li>
            <li>
              <strong>{asked.peer}</strong> is reset to a fresh install: all its settings are deleted.
            </li>
          </ul>
          {!peer.heard && (
            <Notice tone="warning">{`${asked.peer} is away at the moment; it is told, and reset, when it returns.`}</Notice>
          )}
          <p>This cannot be undone; the cluster can be created again.</p>
        </Confirm>
      )}
    </>
  );
}

interface MaintenanceProps {
  name: string;
  peer: string;
  /** As it was when it was opened: the state may follow before the dialog closes. */
  on: boolean;
  onClose: () => void;
}

function Maintenance({ name, peer, on: now, onClose }: MaintenanceProps) {
  const [on] = useState(now);
  return (
    <Confirm
      title={on ? `Put ${peer} into maintenance?` : `End the maintenance of ${peer}?`}
      verb={on ? "Begin maintenance" : "End maintenance"}
      danger={on}
      work={() => ask("PUT", "/cluster/maintenance", { body: { on } })}
      onDone={() => note(on ? `${peer} does not take over until its maintenance ends.` : `${peer} takes over again.`)}
      onClose={onClose}
    >
      {on ? (
        <ul>
          <li>
            <strong>{peer}</strong> does not take over, whatever happens to {name}, until its maintenance is ended.
          </li>
          <li>
            <strong>{name}</strong> goes on handling all traffic; should it fail, traffic stands still.
          </li>
        </ul>
      ) : (
        <p>
          <strong>{peer}</strong> takes over again if <strong>{name}</strong> fails.
        </p>
      )}
    </Confirm>
  );
}

/** The order went through: another node answers already, or none yet. */
const LOST_CODES: readonly string[] = ["no-node", "other-node", "not-active"];

async function switchOver(to: string): Promise<void> {
  app.set({ following: to });
  setTimeout(() => app.get().following === to && app.set({ following: null }), FOLLOW_MS_MAX);
  const order = ask("POST", "/cluster/switch").catch((error: unknown) => {
    if (error instanceof Refusal && (error.status === 0 || LOST_CODES.includes(error.code))) return;
    app.set({ following: null });
    throw error;
  });
  // The answer may be lost on its way, and never come: by then the address is the other node's.
  await Promise.race([order, untilAnswersElsewhere()]);
}

function untilAnswersElsewhere(): Promise<void> {
  const before = app.get().status?.name;
  return new Promise((resolve) => {
    const end = app.subscribe(() => {
      if (app.get().status?.name === before) return;
      end();
      resolve();
    });
  });
}
