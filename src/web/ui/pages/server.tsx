/** This server as a machine: its name, time, name servers, the web interface itself, and turning it off. */
import { useState } from "preact/hooks";
import { app, note } from "../lib/app.ts";
import { ask } from "../lib/http.ts";
import { useSaving, useSettings } from "../lib/settings.ts";
import { inCluster, isActive, whyNot } from "../lib/situation.ts";
import { useStore } from "../lib/store.ts";
import type { Settings } from "../lib/types.ts";
import { Button, Notice, Page, Panel, Trouble, Waiting } from "../parts/basics.tsx";
import { Confirm } from "../parts/dialog.tsx";
import { AreaField, CheckField, linesOf, TextField } from "../parts/fields.tsx";
import { SaveTrouble } from "../parts/saving.tsx";
import { CertificatePanel } from "./certificate.tsx";

export function Server() {
  const { value: settings, trouble, reload } = useSettings();
  const refused = useStore(app, ({ status }) => whyNot("change-settings", status));
  return (
    <Page title="Server" actions={<Power />}>
      <Trouble text={trouble} />
      {refused !== null && <Notice tone="info">{refused}</Notice>}
      {settings === null && trouble === null && <Waiting />}
      {settings !== null && (
        <>
          {/* Begun anew where what it shows has changed, and only then: what somebody is typing stays. */}
          <General key={shownOf(settings)} settings={settings} refused={refused !== null} reload={reload} />
          <CertificatePanel refused={refused !== null} />
        </>
      )}
    </Page>
  );
}

const shownOf = ({ server, time, dns, web }: Settings) => JSON.stringify([server.name, time, dns, web.outside]);

interface GeneralProps {
  settings: Settings;
  refused: boolean;
  reload: () => Promise<void>;
}

function General({ settings, refused, reload }: GeneralProps) {
  const no_name = useStore(app, ({ status }) => whyNot("change-name", status));
  const [name, setName] = useState(settings.server.name);
  const [zone, setZone] = useState(settings.time.zone);
  const [servers, setServers] = useState(settings.time.servers.join("\n"));
  const [dns, setDns] = useState(settings.dns.servers.join("\n"));
  const [outside, setOutside] = useState(settings.web.outside);
  const saving = useSaving();
  const done = () => {
    note("The settings are stored.");
    void reload();
  };
  const save = async (event: Event) => {
    event.preventDefault();
    const set = {
      ...(name === settings.server.name ? {} : { "server.name": name }),
      "time.zone": zone,
      "time.servers": linesOf(servers),
      "dns.servers": linesOf(dns),
      "web.outside": outside,
    };
    if (await saving.save(set)) done();
  };
  return (
    <Panel title="General">
      <form class="form" onSubmit={(event) => void save(event)}>
        <TextField
          label="Server name"
          value={name}
          onInput={setName}
          minLength={2}
          maxLength={42}
          required
          disabled={no_name !== null}
          hint={no_name ?? "2 to 42 characters. Each node has its own."}
        />
        <AreaField
          label="Name servers (DNS)"
          value={dns}
          onInput={setDns}
          rows={2}
          hint="IP addresses, one a line."
          disabled={refused}
        />
        <div class="form-row">
          <TextField
            label="Time zone"
            value={zone}
            onInput={setZone}
            placeholder="Europe/Rome"
            disabled={refused}
            required
          />
          <AreaField
            label="Time servers"
            value={servers}
            onInput={setServers}
            rows={2}
            hint="One a line."
            disabled={refused}
          />
        </div>
        <CheckField
          label="This web interface can be reached from external interfaces too"
          hint="Off is safer: administrators then come from the local network."
          checked={outside}
          onChange={setOutside}
          disabled={refused}
        />
        <SaveTrouble saving={saving} onDone={done} />
        <div class="form-foot">
          <Button kind="primary" type="submit" busy={saving.busy} disabled={refused}>
            Save
          </Button>
        </div>
      </form>
    </Panel>
  );
}

function Power() {
  const status = useStore(app, (value) => value.status);
  const [asked, setAsked] = useState<"reboot" | "poweroff" | null>(null);
  if (status === null) return null;
  const { name, peer } = status;
  const off = asked === "poweroff";
  const effect = !inCluster(status)
    ? "Traffic stands still meanwhile."
    : !isActive(status)
      ? "Traffic is not touched; nobody can take over from the active node meanwhile."
      : peer?.heard === true
        ? `It hands over to ${peer.name} first, which then handles all traffic.`
        : `${peer?.name ?? "The other node"} is not heard and cannot take over: traffic stands still meanwhile.`;
  return (
    <>
      <Button icon="reload" onClick={() => setAsked("reboot")}>
        Reboot
      </Button>
      <Button icon="power" onClick={() => setAsked("poweroff")}>
        Turn off
      </Button>
      {asked !== null && (
        <Confirm
          title={`${off ? "Turn off" : "Reboot"} ${name}?`}
          verb={off ? "Turn off" : "Reboot"}
          danger
          work={() => ask("POST", `/system/${asked}`)}
          onDone={() => note(off ? `${name} turns itself off.` : `${name} reboots.`)}
          onClose={() => setAsked(null)}
        >
          <p>
            <strong>{name}</strong> {off ? "turns itself off, and must be switched on by hand." : "restarts."} {effect}
          </p>
        </Confirm>
      )}
    </>
  );
}
