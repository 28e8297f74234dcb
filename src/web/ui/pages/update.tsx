/** Updates: which versions there are, a new one from a file, and how an update of the cluster goes. */
import { useState } from "preact/hooks";
import { app, note } from "../lib/app.ts";
import { ask, sendPieces } from "../lib/http.ts";
import { useAction } from "../lib/resource.ts";
import { inCluster, isActive } from "../lib/situation.ts";
import { useStore } from "../lib/store.ts";
import type { Update as Report, Status } from "../lib/types.ts";
import { Button, Facts, Notice, Page, Panel, Trouble, Waiting } from "../parts/basics.tsx";
import { Confirm } from "../parts/dialog.tsx";
import { SelectField } from "../parts/fields.tsx";
import { BlobButton } from "../parts/file.tsx";

const ORDERS = [
  { value: "active-first", text: "The active node first" },
  { value: "backup-first", text: "The backup first" },
] as const;
type Order = (typeof ORDERS)[number]["value"];

const WHAT: Record<Order, string> = {
  "active-first":
    "The active node takes the new version, hands over and restarts; then the other one gets it over the cluster network, " +
    "hands over and restarts. The service moves twice, as by a switch on command.",
  "backup-first":
    "The backup takes the new version and restarts, and carries traffic only once it has proved itself; then the active node " +
    "hands over, and follows. The service moves once.",
};
const OTHER = {
  blessed: "can be restored",
  next: "is started next",
  refused: "is not started",
  failed: "did not prove itself",
} as const;
const UNDER_WAY = ["running", "paused", "aborting"];

export function Update() {
  const status = useStore(app, (value) => value.status);
  if (status === null) return <Waiting />;
  const { update } = status;
  const under_way = update.plan !== null && UNDER_WAY.includes(update.plan.state);
  const may_change = !inCluster(status) || isActive(status);
  return (
    <Page title="Update" lead="This server, or both nodes of the cluster, to another version without an outage.">
      {update.unavailable !== null && <Notice tone="info">{update.unavailable}</Notice>}
      <Versions status={status} may_restore={may_change && !under_way && update.unavailable === null} />
      {update.plan !== null && <Progress update={update} may_change={may_change} />}
      {update.unavailable === null && !under_way && may_change && <Start status={status} />}
      {!may_change && <Notice tone="info">Updates are started on the active node.</Notice>}
    </Page>
  );
}

function Versions({ status, may_restore }: { status: Status; may_restore: boolean }) {
  const [asks, setAsks] = useState(false);
  const { running, other, peer } = status.update;
  const trial = (blessed: boolean) => (blessed ? "" : ", on trial");
  const restorable = other !== null && (other.state === "blessed" || other.state === "refused");
  return (
    <Panel title="Versions">
      <Facts
        rows={[
          [status.name, `${running.version} build ${running.build}${trial(running.blessed)}`],
          other === null ? null : ["Other slot", `${other.version} build ${other.build}, which ${OTHER[other.state]}`],
          peer === null
            ? null
            : [status.peer?.name ?? "Peer", `${peer.version} build ${peer.build}${trial(peer.blessed)}`],
        ]}
      />
      {may_restore && restorable && (
        <div class="form-foot">
          <Button onClick={() => setAsks(true)}>Restore previous version</Button>
        </div>
      )}
      {asks && other !== null && (
        <Confirm
          title="Restore previous version"
          verb="Restore"
          danger
          work={() => ask("POST", "/update/restore", { body: { confirm: true } })}
          onDone={() => note("The previous version is restored.")}
          onClose={() => setAsks(false)}
        >
          <p>
            {other.version} build {other.build} is started again
            {status.peer === null ? "" : " on both nodes, one after the other"}. Where the newer version has changed the
            form of the settings, those from before the update apply, and later changes are set aside.
          </p>
        </Confirm>
      )}
    </Panel>
  );
}

function Progress({ update, may_change }: { update: Report; may_change: boolean }) {
  const [aborts, setAborts] = useState(false);
  const action = useAction();
  const { plan, step, peer, switches } = update;
  if (plan === null) return null;
  const tone = plan.state === "failed" ? "bad" : plan.state === "done" ? "good" : "info";
  const tell = (verb: string) => void action.run(() => ask("POST", `/update/${verb}`));
  return (
    <Panel title={`Update to ${plan.target.version} build ${plan.target.build}`}>
      <Notice tone={tone} live>
        {plan.reason ?? STATES[plan.state]}
      </Notice>
      <Facts
        rows={[
          step === null ? null : ["This node", step],
          peer === null || peer.step === "" ? null : ["The other node", peer.step],
          ...switches.map(
            ({ node, at, outage_ms }) =>
              [
                `Switch at ${new Date(at).toLocaleTimeString()}`,
                `${node === "this" ? "This node" : "The other node"} became active${outage_ms === null ? "" : `, ${Math.round(outage_ms)} ms after the one before`}`,
              ] as const,
          ),
        ]}
      />
      <Trouble text={action.trouble} />
      {may_change && plan.state !== "done" && plan.state !== "aborted" && plan.state !== "aborting" && (
        <div class="form-foot">
          {plan.state === "running" && (
            <Button busy={action.busy} onClick={() => tell("pause")}>
              Pause
            </Button>
          )}
          {plan.state === "paused" && (
            <Button kind="primary" busy={action.busy} onClick={() => tell("resume")}>
              Go on
            </Button>
          )}
          <Button onClick={() => setAborts(true)}>Give up</Button>
        </div>
      )}
      {aborts && (
        <Confirm
          title="Give up the update"
          verb="Give up"
          refuse="Go on with it"
          danger
          work={() => ask("POST", "/update/abort")}
          onClose={() => setAborts(false)}
        >
          <p>Both nodes go back to the version from before, one after the other.</p>
        </Confirm>
      )}
    </Panel>
  );
}

const STATES = {
  running: "The update is under way.",
  paused: "The update is paused.",
  aborting: "The update is given up.",
  done: "The update is done.",
  failed: "The update has failed.",
  aborted: "The update was given up.",
} as const;

function Start({ status }: { status: Status }) {
  const [order, setOrder] = useState<Order>("active-first");
  const [sent, setSent] = useState<number | null>(null);
  const [asks, setAsks] = useState<string | null>(null);
  const action = useAction();
  const send = async (file: File) => {
    await action.run(async () => {
      await sendPieces("/update/bundle", file, (bytes) => setSent(bytes / file.size));
      setAsks(file.name);
    });
    setSent(null);
  };
  const in_cluster = inCluster(status);
  return (
    <Panel title="Install an update">
      {in_cluster && (
        <SelectField label="Order" hint={WHAT[order]} value={order} options={ORDERS} onChange={setOrder} />
      )}
      <Trouble text={action.trouble} />
      {sent !== null && (
        <progress aria-label="Sent" max={1} value={sent}>
          {Math.floor(sent * 100)} %
        </progress>
      )}
      <div class="form-foot">
        <BlobButton disabled={action.busy} onFile={(file) => void send(file)}>
          Choose an update
        </BlobButton>
      </div>
      {asks !== null && (
        <Confirm
          title="Install the update"
          verb="Install"
          work={() => ask("POST", "/update/start", { body: { order } })}
          onDone={() => note("The update has begun.")}
          onClose={() => setAsks(null)}
        >
          <p>
            {asks} is genuine and whole: {nameOf(status.update)}.{" "}
            {in_cluster
              ? WHAT[order]
              : "This server restarts into it, and goes back by itself where it does not come up."}
          </p>
        </Confirm>
      )}
    </Panel>
  );
}

function nameOf({ staged }: Report): string {
  return staged === null ? "the new version" : `${staged.version} build ${staged.build}`;
}
