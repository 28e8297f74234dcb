/** The interfaces of this server, and the cards that it has. */
import { useEffect, useState } from "preact/hooks";
import { app } from "../lib/app.ts";
import { useResource } from "../lib/resource.ts";
import { saveSettings, useSettings } from "../lib/settings.ts";
import { whyNot } from "../lib/situation.ts";
import { useStore } from "../lib/store.ts";
import type { Card, InterfaceSettings } from "../lib/types.ts";
import { speedWords } from "../lib/words.ts";
import { Button, Chip, Dot, Empty, Notice, Page, Panel, Table, Trouble, Waiting } from "../parts/basics.tsx";
import { Confirm } from "../parts/dialog.tsx";
import { USE_WORDS } from "../wizard/card-step.tsx";
import { EditInterface } from "./interface-form.tsx";

const LOOK_MS = 3000;

export function Interfaces() {
  const { value: settings, trouble } = useSettings();
  const { value: cards, trouble: cards_trouble, reload } = useResource<Card[]>("/cards");
  const no_change = useStore(app, ({ status }) => whyNot("change-settings", status));
  const no_add = useStore(app, ({ status }) => whyNot("add-interface", status));
  const no_delete = useStore(app, ({ status }) => whyNot("delete-interface", status));
  const [edited, setEdited] = useState<InterfaceSettings | "new" | null>(null);
  const [removing, setRemoving] = useState<InterfaceSettings | null>(null);
  const [toggling, setToggling] = useState<InterfaceSettings | null>(null);
  useEffect(() => {
    const timer = setInterval(() => void reload(), LOOK_MS);
    return () => clearInterval(timer);
  }, [reload]);
  const interfaces = settings?.interfaces ?? [];
  const free = (cards ?? []).filter(({ used_as }) => used_as === "free");
  return (
    <Page
      title="Interfaces"
      actions={
        <Button
          icon="plus"
          kind="primary"
          disabled={no_add !== null}
          describedby="no-add"
          onClick={() => setEdited("new")}
        >
          Add an interface
        </Button>
      }
    >
      <Trouble text={trouble} />
      {no_add !== null && (
        <div id="no-add">
          <Notice tone="info">{no_add}</Notice>
        </div>
      )}
      <Panel title="Set up">
        {settings === null && trouble === null && <Waiting />}
        {settings !== null && interfaces.length === 0 && (
          <Empty>None yet. Add the internal and the external one.</Empty>
        )}
        {interfaces.length > 0 && (
          <Table label="Interfaces" heads={["Interface", "Role", "Addresses", "Gateway", "State", ""]}>
            {interfaces.map((entry) => (
              <Row
                key={entry.nic}
                entry={entry}
                card={cards?.find(({ nic }) => nic === entry.nic)}
                no_change={no_change !== null}
                no_delete={no_delete !== null}
                edit={() => setEdited(entry)}
                remove={() => setRemoving(entry)}
                toggle={() => setToggling(entry)}
              />
            ))}
          </Table>
        )}
      </Panel>
      <Panel title="Network cards">
        <Trouble text={cards_trouble} />
        {cards !== null && <Cards cards={cards} />}
      </Panel>
      {edited !== null && (
        <EditInterface
          entry={edited === "new" ? null : edited}
          interfaces={interfaces}
          free={free}
          onClose={() => setEdited(null)}
        />
      )}
      {removing !== null && (
        <Confirm
          title={`Delete ${removing.nic}?`}
          verb="Delete"
          danger
          work={() => saveSettings({ interfaces: interfaces.filter(({ nic }) => nic !== removing.nic) })}
          onClose={() => setRemoving(null)}
        >
          <p>{`This server gives up ${removing.addresses.join(", ")}, and no traffic passes through ${removing.nic}.`}</p>
        </Confirm>
      )}
      {toggling !== null && <Toggle entry={toggling} onClose={() => setToggling(null)} />}
    </Page>
  );
}

function Toggle({ entry, onClose }: { entry: InterfaceSettings; onClose: () => void }) {
  const on = entry.enabled !== false;
  return (
    <Confirm
      title={`${on ? "Disable" : "Enable"} ${entry.nic}?`}
      verb={on ? "Disable" : "Enable"}
      danger={on}
      work={() => saveSettings({ [`interfaces.${entry.nic}.enabled`]: !on })}
      onClose={onClose}
    >
      <p>
        {on
          ? `Nobody answers for ${entry.addresses.join(", ")} any more, and no traffic passes through ${entry.nic}; in a cluster this is so on both nodes. If you reach this page through it, the connection is lost.`
          : `The addresses ${entry.addresses.join(", ")} are answered for again.`}
      </p>
    </Confirm>
  );
}

interface RowProps {
  entry: InterfaceSettings;
  card: Card | undefined;
  no_change: boolean;
  no_delete: boolean;
  edit: () => void;
  remove: () => void;
  toggle: () => void;
}

function Row({ entry, card, no_change, no_delete, edit, remove, toggle }: RowProps) {
  const { nic, role, addresses, gateway, gateway6, heartbeat, enabled } = entry;
  const on = enabled !== false;
  const link = card?.link === true;
  return (
    <tr>
      <td>
        <span class="light">
          <Dot tone={!on ? "none" : link ? "good" : "bad"} label={link ? "Link" : "No link"} />
          <strong class="mono">{nic}</strong>
        </span>
      </td>
      <td>
        <Chip tone={role === "internal" ? "calm" : "none"}>{role === "internal" ? "Internal" : "External"}</Chip>
      </td>
      <td class="mono">
        {addresses.slice(0, 4).map((address) => (
          <div key={address}>{address}</div>
        ))}
        {addresses.length > 4 && <div class="quiet">{`and ${addresses.length - 4} more`}</div>}
      </td>
      <td class="mono">
        {gateway !== undefined && <div>{gateway}</div>}
        {gateway6 !== undefined && <div>{gateway6}</div>}
      </td>
      <td>
        {on ? "Enabled" : "Disabled"}
        {heartbeat === false && <div class="quiet">no heartbeats</div>}
      </td>
      <td class="end">
        <Button kind="quiet" label={`Edit ${nic}`} disabled={no_change} onClick={edit}>
          Edit
        </Button>
        <Button kind="quiet" label={`${on ? "Disable" : "Enable"} ${nic}`} disabled={no_change} onClick={toggle}>
          {on ? "Disable" : "Enable"}
        </Button>
        <Button
          kind="quiet"
          label={`Delete ${nic}`}
          disabled={no_delete}
          describedby={no_delete ? "no-add" : undefined}
          onClick={remove}
        >
          Delete
        </Button>
      </td>
    </tr>
  );
}

function Cards({ cards }: { cards: Card[] }) {
  if (cards.length === 0) return <Empty>This server has no network card.</Empty>;
  return (
    <Table label="Network cards" heads={["Card", "MAC address", "Driver, model", "Link", "Used as"]}>
      {cards.map(({ nic, mac, driver, model, link, speed_mbps, used_as, state, next_nic }) => (
        <tr key={`${nic} ${mac}`}>
          <td class="mono">
            {nic}
            {next_nic !== null && <div class="quiet">{`${next_nic} from the next start on`}</div>}
          </td>
          <td class="mono">{mac}</td>
          <td>{[driver, model].filter((word) => word !== "").join(" ")}</td>
          <td>
            <span class="light">
              <Dot tone={link ? "good" : state === "missing" ? "bad" : "none"} label={link ? "Link" : "No link"} />
              {link ? speedWords(speed_mbps) : state === "missing" ? "missing" : "no link"}
            </span>
          </td>
          <td>
            {USE_WORDS[used_as]}
            {state === "new" && <Chip tone="calm">New</Chip>}
          </td>
        </tr>
      ))}
    </Table>
  );
}
