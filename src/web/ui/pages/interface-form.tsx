import { useState } from "preact/hooks";
import { saveSettings } from "../lib/settings.ts";
import type { Card, InterfaceSettings } from "../lib/types.ts";
import { Notice } from "../parts/basics.tsx";
import { FormDialog } from "../parts/dialog.tsx";
import { AreaField, CheckField, linesOf, SelectField, TextField } from "../parts/fields.tsx";

interface EditProps {
  /** Null adds one. */
  entry: InterfaceSettings | null;
  interfaces: InterfaceSettings[];
  free: Card[];
  onClose: () => void;
}

export function EditInterface({ entry, interfaces, free, onClose }: EditProps) {
  const [nic, setNic] = useState(entry?.nic ?? free[0]?.nic ?? "");
  const [role, setRole] = useState<InterfaceSettings["role"]>(
    entry?.role ?? (interfaces.some((other) => other.role === "internal") ? "external" : "internal"),
  );
  const [addresses, setAddresses] = useState((entry?.addresses ?? []).join("\n"));
  const [gateway, setGateway] = useState(entry?.gateway ?? "");
  const [gateway6, setGateway6] = useState(entry?.gateway6 ?? "");
  const [heartbeat, setHeartbeat] = useState(entry?.heartbeat !== false);
  const changed = () => {
    const list = linesOf(addresses);
    if (entry !== null)
      return {
        [`interfaces.${nic}.role`]: role,
        [`interfaces.${nic}.addresses`]: list,
        [`interfaces.${nic}.gateway`]: gateway.trim() === "" ? null : gateway.trim(),
        [`interfaces.${nic}.gateway6`]: gateway6.trim() === "" ? null : gateway6.trim(),
        [`interfaces.${nic}.heartbeat`]: heartbeat,
      };
    const added: InterfaceSettings = {
      nic,
      role,
      addresses: list,
      ...(gateway.trim() === "" ? {} : { gateway: gateway.trim() }),
      ...(gateway6.trim() === "" ? {} : { gateway6: gateway6.trim() }),
      ...(heartbeat ? {} : { heartbeat }),
    };
    return { interfaces: [...interfaces, added] };
  };
  return (
    <FormDialog
      title={entry === null ? "Add an interface" : `Edit ${entry.nic}`}
      verb="Save"
      wide
      work={() => saveSettings(changed())}
      onClose={onClose}
    >
      <div class="form-row">
        {entry === null && (
          <SelectField
            label="Network card"
            value={nic}
            onChange={setNic}
            options={
              free.length === 0
                ? [{ value: "", text: "No card is free" }]
                : free.map((card) => ({ value: card.nic, text: `${card.nic} · ${card.mac}` }))
            }
          />
        )}
        <SelectField
          label="Role"
          value={role}
          onChange={setRole}
          options={[
            { value: "internal", text: "Internal: the local network" },
            { value: "external", text: "External: to the provider" },
          ]}
        />
      </div>
      {role === "external" && (
        <Notice tone="info" title="In a cluster">
          The two nodes keep their own MAC addresses. A provider that binds to a MAC address sees a new one after a
          switch, and there is no internet access until it accepts that.
        </Notice>
      )}
      <AreaField
        label="Addresses"
        value={addresses}
        onInput={setAddresses}
        rows={3}
        hint="One a line, with prefix length, IPv4 or IPv6: 10.1.0.1/24. In a cluster they are the shared ones."
        required
      />
      {role === "external" && (
        <div class="form-row">
          <TextField label="Gateway, IPv4" value={gateway} onInput={setGateway} placeholder="10.2.0.254" mono />
          <TextField label="Gateway, IPv6" value={gateway6} onInput={setGateway6} placeholder="fd00:2::fe" mono />
        </div>
      )}
      <CheckField
        label="Heartbeats over this network too"
        hint="So that losing the cluster cable is never mistaken for losing a node."
        checked={heartbeat}
        onChange={setHeartbeat}
      />
    </FormDialog>
  );
}
