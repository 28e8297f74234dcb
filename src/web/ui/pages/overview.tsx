/** The first page: is all well, and if not, what is to be done. */

import { alarmsOf } from "../lib/alarms.ts";
import { app } from "../lib/app.ts";
import { useResource } from "../lib/resource.ts";
import { useSettings } from "../lib/settings.ts";
import { inCluster, isActive } from "../lib/situation.ts";
import { useStore } from "../lib/store.ts";
import type { License, Status } from "../lib/types.ts";
import { outageWords, ROLE_WORDS, syncWords, timeWords, toneOfRole, versionWords } from "../lib/words.ts";
import { Alarms } from "../parts/alarms.tsx";
import { Chip, Dot, Empty, Facts, Notice, Page, Panel, Table, Waiting } from "../parts/basics.tsx";
import { EventList } from "../parts/event-list.tsx";
import { Topology } from "../parts/topology.tsx";

export function Overview() {
  const status = useStore(app, (value) => value.status);
  if (status === null)
    return (
      <Page title="Overview">
        <Waiting />
      </Page>
    );
  const member = inCluster(status);
  return (
    <Page title="Overview">
      {alarmsOf(status).length === 0 && <AllWell status={status} />}
      <Alarms status={status} />
      <div class="columns">
        <ThisServer status={status} />
        {member ? <ClusterPanel status={status} /> : <Alone status={status} />}
      </div>
      {member && <Picture status={status} />}
      <ServiceList status={status} />
      <Latest />
    </Page>
  );
}

function AllWell({ status }: { status: Status }) {
  if (status.role === "starting") return <Notice tone="info">{status.reason}</Notice>;
  if (!inCluster(status)) return null;
  return (
    <Notice tone="good">All is well: the cluster is operational, and either node can take over from the other.</Notice>
  );
}

function ThisServer({ status }: { status: Status }) {
  const { value: license } = useResource<License>("/license");
  const { name, role, addresses, web } = status;
  return (
    <Panel title="This server" aside={<Chip tone={toneOfRole(role)}>{ROLE_WORDS[role]}</Chip>}>
      <Facts
        rows={[
          ["Name", name],
          ["Version", versionWords(status)],
          [
            "Addresses",
            addresses.length === 0 ? (
              "none yet"
            ) : (
              <ul class="stack">
                {addresses.slice(0, 6).map(({ address, nic, held }) => (
                  <li key={address} class="light">
                    <Dot tone={held ? "good" : "none"} label={held ? "held here" : "not held here"} />
                    <span>
                      <span class="mono">{address}</span> <span class="quiet">{nic}</span>
                    </span>
                  </li>
                ))}
                {addresses.length > 6 && <li class="quiet">{`and ${addresses.length - 6} more`}</li>}
              </ul>
            ),
          ],
          license === null
            ? null
            : ["License", license.state === "valid" ? license.message : <LicenseTrouble license={license} />],
          web == null ? null : ["Certificate", <span class="mono">{web.fingerprint}</span>],
        ]}
      />
    </Panel>
  );
}

function LicenseTrouble({ license }: { license: License }) {
  return (
    <>
      <Chip tone="warning">Attention</Chip> {license.message} <a href="#/license">License</a>
    </>
  );
}

function ClusterPanel({ status }: { status: Status }) {
  const { peer, sync, paths, switches } = status;
  const heard = paths.filter((path) => path.heard).length;
  const last = switches.at(-1);
  return (
    <Panel title="Cluster" aside={<a href="#/cluster">High availability</a>}>
      <Facts
        rows={[
          [
            "State",
            <Chip tone={status.operational ? "good" : "warning"}>
              {status.operational ? "Operational" : "Not operational"}
            </Chip>,
          ],
          peer === null
            ? null
            : ["Other node", `${peer.name}, ${peer.heard ? ROLE_WORDS[peer.role].toLowerCase() : "not heard"}`],
          ["Paths", `${heard} of ${paths.length} heard`],
          ["Settings", `${syncWords(sync).text}, revision ${syncWords(sync).detail}`],
          [
            "Last switch",
            last === undefined ? (
              "none that this node remembers"
            ) : (
              <>
                {last.message}{" "}
                <span class="quiet">
                  {[outageWords(last.outage_ms), timeWords(last.at)].filter(Boolean).join(", ")}
                </span>
              </>
            ),
          ],
        ]}
      />
    </Panel>
  );
}

function Alone({ status }: { status: Status }) {
  const { value: settings } = useSettings();
  const has_interfaces = (settings?.interfaces.length ?? 0) > 0;
  return (
    <Panel title="High availability" aside={<a href="#/cluster">High availability</a>}>
      {status.peer !== null && status.reason !== null && <Notice tone="info">{status.reason}</Notice>}
      <p>
        This server works alone. With a second one it becomes a cluster: if one fails, the other takes over at once.
      </p>
      {settings !== null && !has_interfaces && (
        <p>
          It has no interfaces yet; <a href="#/interfaces">set them up first</a>.
        </p>
      )}
    </Panel>
  );
}

function Picture({ status }: { status: Status }) {
  const { peer, paths, name, role } = status;
  if (peer === null) return null;
  const state = (of: string) => (of === "active" ? "active" : "backup") as "active" | "backup";
  const wires = paths.flatMap(({ nic, network }) => (network === "cluster" ? [] : [{ nic, role: network }]));
  return (
    <Panel title="Topology">
      <Topology
        here={{ name, word: `${ROLE_WORDS[role]}, this node`, state: isActive(status) ? "active" : "backup" }}
        there={{
          name: peer.name,
          word: peer.heard ? ROLE_WORDS[peer.role] : "Not heard",
          state: peer.heard ? state(peer.role) : "absent",
        }}
        wires={wires}
        cluster_nic={paths.find(({ network }) => network === "cluster")?.nic ?? null}
        label={`${name} is ${ROLE_WORDS[role].toLowerCase()}, ${peer.name} is ${peer.heard ? ROLE_WORDS[peer.role].toLowerCase() : "not heard"}.`}
      />
    </Panel>
  );
}

const STATE_WORDS: Record<Status["services"][number]["state"], string> = {
  off: "Off",
  starting: "Starting",
  running: "Runs",
  stopping: "Ending",
  waiting: "Waits to be started again",
  missing: "Not installed",
};

/** Those that this server has something to do for. */
function ServiceList({ status }: { status: Status }) {
  const services = status.services.filter(({ wanted }) => wanted);
  if (services.length === 0) return null;
  return (
    <Panel title="Services">
      <Table heads={["Service", "State"]} label="Services">
        {services.map(({ name, title, state, failing, trouble }) => (
          <tr key={name}>
            <td>{title}</td>
            <td>
              <Chip tone={state === "running" && !failing ? "good" : failing ? "bad" : "warning"}>
                {failing ? "Will not run" : STATE_WORDS[state]}
              </Chip>
              {trouble !== null && <div class="quiet">{trouble}</div>}
            </td>
          </tr>
        ))}
      </Table>
    </Panel>
  );
}

const LATEST = 6;

function Latest() {
  const events = useStore(app, (value) => value.events);
  return (
    <Panel title="Latest events" aside={<a href="#/events">All events</a>}>
      {events.length === 0 ? <Empty>None yet.</Empty> : <EventList events={events.slice(-LATEST).reverse()} />}
    </Panel>
  );
}
