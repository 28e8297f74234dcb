/** One node of the cluster: this one, or the other as it is heard. */
import type { Status } from "../lib/types.ts";
import { durationWords, ROLE_WORDS, type Tone, toneOfRole, versionWords } from "../lib/words.ts";
import { Chip, Dot, Facts, Panel } from "../parts/basics.tsx";

type Peer = NonNullable<Status["peer"]>;

export function NodeCard({ status, peer }: { status: Status; peer?: Peer }) {
  if (peer === undefined) return <ThisNode status={status} />;
  const { name, role, heard, settings_revision, links, uptime_s } = peer;
  const nic_of = (slot: number) => status.paths.find((path) => path.slot === slot)?.nic ?? `slot ${slot}`;
  return (
    <Panel class={`node-card ${heard ? toneOfRole(role) : "bad"}`}>
      <div class="node-title">
        <h2>{name}</h2>
        {heard ? <Chip tone={toneOfRole(role)}>{ROLE_WORDS[role]}</Chip> : <Chip tone="bad">Not heard</Chip>}
        <span class="quiet">the other node</span>
      </div>
      <Facts
        rows={[
          ["Version", versionWords(peer)],
          ["Settings", heard ? `revision ${settings_revision}` : "unknown"],
          [
            "Links",
            heard ? (
              <Lights
                lights={links.map(({ slot, up }) => ({
                  name: `to ${nic_of(slot)}`,
                  tone: up ? "good" : "bad",
                  word: up ? "link" : "no link",
                }))}
              />
            ) : (
              "unknown"
            ),
          ],
          ["Running for", uptime_s === null ? "unknown" : durationWords(uptime_s)],
        ]}
      />
    </Panel>
  );
}

const GATE_WORDS: Record<Status["gate"], string> = {
  none: "none",
  closed: "closed: no traffic passes for the shared addresses",
  open: "open: traffic passes",
  broken: "broken",
};

function ThisNode({ status }: { status: Status }) {
  const { name, role, term, settings_revision, gate, paths, uptime_s } = status;
  return (
    <Panel class={`node-card ${toneOfRole(role)}`}>
      <div class="node-title">
        <h2>{name}</h2>
        <Chip tone={toneOfRole(role)}>{ROLE_WORDS[role]}</Chip>
        <span class="quiet">this node</span>
      </div>
      <Facts
        rows={[
          ["Version", versionWords(status)],
          ["Settings", `revision ${settings_revision}`],
          [
            "Links",
            <Lights
              key="links"
              lights={paths.map(({ nic, carrier }) => ({
                name: nic,
                tone: carrier ? "good" : "bad",
                word: carrier ? "link" : "no link",
              }))}
            />,
          ],
          ["Running for", durationWords(uptime_s)],
          ["Gate", GATE_WORDS[gate]],
          ["Term", String(term)],
        ]}
      />
    </Panel>
  );
}

function Lights({ lights }: { lights: { name: string; tone: Tone; word: string }[] }) {
  return (
    <span class="lights">
      {lights.map(({ name, tone, word }) => (
        <span class="light" key={name}>
          <Dot tone={tone} label={word} />
          <span class="mono">{name}</span>
        </span>
      ))}
    </span>
  );
}
