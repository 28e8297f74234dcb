/** What this server does with mail: nothing, keep mailboxes, or pass it on. In a cluster it passes on, or does nothing. */
import { useState } from "preact/hooks";
import { app, note } from "../lib/app.ts";
import { saveSettings, useSaving, useSettings } from "../lib/settings.ts";
import { whyNot } from "../lib/situation.ts";
import { useStore } from "../lib/store.ts";
import type { Settings } from "../lib/types.ts";
import { Button, Empty, Notice, Page, Panel, Table, Trouble, Waiting } from "../parts/basics.tsx";
import { Confirm, FormDialog } from "../parts/dialog.tsx";
import { SelectField, TextField } from "../parts/fields.tsx";
import { SaveTrouble } from "../parts/saving.tsx";

type Mail = Settings["mail"];

export function Mail() {
  const { value: settings, trouble, reload } = useSettings();
  return (
    <Page title="Mail">
      <Trouble text={trouble} />
      {settings === null && trouble === null && <Waiting />}
      {settings !== null && (
        <>
          <ModePanel key={JSON.stringify(settings.mail)} mail={settings.mail} reload={reload} />
          <Domains domains={settings.mail.domains} />
        </>
      )}
    </Page>
  );
}

function ModePanel({ mail, reload }: { mail: Mail; reload: () => Promise<void> }) {
  const refused = useStore(app, ({ status }) => whyNot("change-settings", status));
  const no_mailboxes = useStore(app, ({ status }) => whyNot("mailbox-mode", status));
  const [mode, setMode] = useState(mail.mode);
  const [host, setHost] = useState(mail.relay?.host ?? "");
  const [port, setPort] = useState(String(mail.relay?.port ?? 25));
  const saving = useSaving();
  const done = () => {
    note("The mail settings are stored.");
    void reload();
  };
  const save = async (event: Event) => {
    event.preventDefault();
    const relay = mode === "relay" || host !== "" ? { host, port: Number(port) } : null;
    if (await saving.save({ "mail.mode": mode, "mail.relay": relay })) done();
  };
  return (
    <Panel title="Mode">
      {refused !== null && <Notice tone="info">{refused}</Notice>}
      {refused === null && no_mailboxes !== null && <Notice tone="info">{no_mailboxes}</Notice>}
      <form class="form" onSubmit={(event) => void save(event)}>
        <SelectField
          label="Mail"
          value={mode}
          onChange={setMode}
          disabled={refused !== null}
          options={[
            { value: "off", text: "Off" },
            { value: "relay", text: "Relay: pass on to another server" },
            {
              value: "mailboxes",
              text: "Mailboxes on this server",
              disabled: no_mailboxes !== null && mail.mode !== "mailboxes",
            },
          ]}
        />
        {mode === "relay" && (
          <div class="form-row">
            <TextField
              label="Server that takes the mail"
              value={host}
              onInput={setHost}
              placeholder="mail.example.org"
              disabled={refused !== null}
              required
            />
            <TextField
              label="Port"
              type="number"
              min={1}
              max={65535}
              value={port}
              onInput={setPort}
              disabled={refused !== null}
              required
            />
          </div>
        )}
        <SaveTrouble saving={saving} onDone={done} />
        <div class="form-foot">
          <Button kind="primary" type="submit" busy={saving.busy} disabled={refused !== null}>
            Save
          </Button>
        </div>
      </form>
    </Panel>
  );
}

function Domains({ domains }: { domains: Mail["domains"] }) {
  const refused = useStore(app, ({ status }) => whyNot("change-settings", status));
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<string | null>(null);
  return (
    <Panel
      title="Domains"
      aside={
        <Button icon="plus" disabled={refused !== null} onClick={() => setAdding(true)}>
          Add a domain
        </Button>
      }
    >
      {domains.length === 0 ? (
        <Empty>No domain yet: mail for any domain goes to the relay.</Empty>
      ) : (
        <Table label="Mail domains" heads={["Domain", "Server", ""]}>
          {domains.map(({ name, server }) => (
            <tr key={name}>
              <td>{name}</td>
              <td>{server}</td>
              <td class="end">
                <Button
                  kind="quiet"
                  label={`Delete ${name}`}
                  disabled={refused !== null}
                  onClick={() => setRemoving(name)}
                >
                  Delete
                </Button>
              </td>
            </tr>
          ))}
        </Table>
      )}
      {adding && <AddDomain domains={domains} onClose={() => setAdding(false)} />}
      {removing !== null && (
        <Confirm
          title={`Delete the domain ${removing}?`}
          verb="Delete"
          danger
          work={() => saveSettings({ "mail.domains": domains.filter(({ name }) => name !== removing) })}
          onClose={() => setRemoving(null)}
        >
          <p>Mail for {removing} then goes the way of all other domains.</p>
        </Confirm>
      )}
    </Panel>
  );
}

function AddDomain({ domains, onClose }: { domains: Mail["domains"]; onClose: () => void }) {
  const [name, setName] = useState("");
  const [server, setServer] = useState("");
  return (
    <FormDialog
      title="Add a domain"
      verb="Add"
      work={() => saveSettings({ "mail.domains": [...domains, { name, server }] })}
      onClose={onClose}
    >
      <TextField label="Domain" value={name} onInput={setName} placeholder="example.org" required autofocus />
      <TextField
        label="Server that takes its mail"
        value={server}
        onInput={setServer}
        placeholder="mail.example.org"
        required
      />
    </FormDialog>
  );
}
