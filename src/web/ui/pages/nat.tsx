/** Translation of addresses, and ports that are forwarded to hosts of the local network. */
import { useState } from "preact/hooks";
import { app } from "../lib/app.ts";
import { saveSettings, useSaving, useSettings } from "../lib/settings.ts";
import { whyNot } from "../lib/situation.ts";
import { useStore } from "../lib/store.ts";
import type { Settings } from "../lib/types.ts";
import { Button, Chip, Empty, Notice, Page, Panel, Table, Trouble, Waiting } from "../parts/basics.tsx";
import { Confirm, FormDialog } from "../parts/dialog.tsx";
import { CheckField, SelectField, TextField } from "../parts/fields.tsx";
import { SaveTrouble } from "../parts/saving.tsx";

type Forward = Settings["nat"]["port_forwards"][number];

export function Nat() {
  const { value: settings, trouble, reload } = useSettings();
  const refused = useStore(app, ({ status }) => whyNot("change-settings", status));
  return (
    <Page title="NAT and port forwards">
      <Trouble text={trouble} />
      {refused !== null && <Notice tone="info">{refused}</Notice>}
      {settings === null && trouble === null && <Waiting />}
      {settings !== null && (
        <>
          <Masquerade nat={settings.nat} refused={refused !== null} reload={reload} />
          <Forwards forwards={settings.nat.port_forwards} refused={refused !== null} />
        </>
      )}
    </Page>
  );
}

interface MasqueradeProps {
  nat: Settings["nat"];
  refused: boolean;
  reload: () => Promise<void>;
}

function Masquerade({ nat, refused, reload }: MasqueradeProps) {
  const saving = useSaving();
  const change = async (masquerade: boolean) => {
    if (await saving.save({ "nat.masquerade": masquerade })) await reload();
  };
  return (
    <Panel title="Way out">
      <CheckField
        label="Hosts of the local network appear with this server's external address"
        hint="Network address translation (masquerading) of IPv4. Needed wherever the local network has private addresses."
        checked={nat.masquerade}
        disabled={refused || saving.busy}
        onChange={(checked) => void change(checked)}
      />
      <SaveTrouble saving={saving} onDone={() => void reload()} />
    </Panel>
  );
}

function Forwards({ forwards, refused }: { forwards: Forward[]; refused: boolean }) {
  const [edited, setEdited] = useState<number | "new" | null>(null);
  const [removing, setRemoving] = useState<Forward | null>(null);
  return (
    <Panel
      title="Port forwards"
      aside={
        <Button icon="plus" disabled={refused} onClick={() => setEdited("new")}>
          Add a port forward
        </Button>
      }
    >
      {forwards.length === 0 ? (
        <Empty>None: nobody outside reaches a host of the local network.</Empty>
      ) : (
        <Table label="Port forwards" heads={["Protocol", "External port", "To", "Comment", ""]}>
          {forwards.map((forward, index) => (
            <tr key={nameOf(forward)}>
              <td>
                <Chip tone="none">{forward.protocol.toUpperCase()}</Chip>
              </td>
              <td>{forward.port}</td>
              <td class="mono">{targetOf(forward)}</td>
              <td>{forward.comment ?? ""}</td>
              <td class="end">
                <Button
                  kind="quiet"
                  label={`Edit ${nameOf(forward)}`}
                  disabled={refused}
                  onClick={() => setEdited(index)}
                >
                  Edit
                </Button>
                <Button
                  kind="quiet"
                  label={`Delete ${nameOf(forward)}`}
                  disabled={refused}
                  onClick={() => setRemoving(forward)}
                >
                  Delete
                </Button>
              </td>
            </tr>
          ))}
        </Table>
      )}
      <p class="hint">
        Applied as soon as they are saved, on both servers. Whoever asks an external address of this server on such a
        port, from outside or from the local network, reaches the host named here; everything else from outside is
        dropped.
      </p>
      {edited !== null && <EditForward forwards={forwards} index={edited} onClose={() => setEdited(null)} />}
      {removing !== null && (
        <Confirm
          title={`Delete the forward of ${nameOf(removing)}?`}
          verb="Delete"
          danger
          work={() => saveSettings({ "nat.port_forwards": forwards.filter((other) => other !== removing) })}
          onClose={() => setRemoving(null)}
        >
          <p>{`Nobody outside reaches ${removing.to} on this port any more.`}</p>
        </Confirm>
      )}
    </Panel>
  );
}

function nameOf({ protocol, port, to }: Forward): string {
  return `${protocol.toUpperCase()} port ${port}${to.includes(":") ? " of IPv6" : ""}`;
}

function targetOf({ to, to_port, port }: Forward): string {
  return `${to.includes(":") ? `[${to}]` : to}:${to_port ?? port}`;
}

function EditForward({
  forwards,
  index,
  onClose,
}: {
  forwards: Forward[];
  index: number | "new";
  onClose: () => void;
}) {
  const before = index === "new" ? undefined : forwards[index];
  const [protocol, setProtocol] = useState<Forward["protocol"]>(before?.protocol ?? "tcp");
  const [port, setPort] = useState(String(before?.port ?? ""));
  const [to, setTo] = useState(before?.to ?? "");
  const [to_port, setToPort] = useState(String(before?.to_port ?? ""));
  const [comment, setComment] = useState(before?.comment ?? "");
  const work = () => {
    const forward: Forward = {
      protocol,
      port: Number(port),
      to: to.trim(),
      ...(to_port === "" ? {} : { to_port: Number(to_port) }),
      ...(comment === "" ? {} : { comment }),
    };
    const all =
      index === "new" ? [...forwards, forward] : forwards.map((other, place) => (place === index ? forward : other));
    return saveSettings({ "nat.port_forwards": all });
  };
  return (
    <FormDialog
      title={before === undefined ? "Add a port forward" : `Edit ${nameOf(before)}`}
      verb="Save"
      work={work}
      onClose={onClose}
    >
      <div class="form-row">
        <SelectField
          label="Protocol"
          value={protocol}
          onChange={setProtocol}
          options={[
            { value: "tcp", text: "TCP" },
            { value: "udp", text: "UDP" },
          ]}
        />
        <TextField label="External port" type="number" min={1} max={65535} value={port} onInput={setPort} required />
      </div>
      <div class="form-row">
        <TextField label="To this address" value={to} onInput={setTo} placeholder="10.1.0.5" required mono />
        <TextField
          label="Port there"
          type="number"
          min={1}
          max={65535}
          value={to_port}
          onInput={setToPort}
          hint="Empty: the same"
        />
      </div>
      <TextField label="Comment" value={comment} onInput={setComment} maxLength={200} />
    </FormDialog>
  );
}
