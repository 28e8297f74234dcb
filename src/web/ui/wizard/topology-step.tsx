import { useSettings } from "../lib/settings.ts";
import type { Status } from "../lib/types.ts";
import { Button, Notice } from "../parts/basics.tsx";
import { Topology } from "../parts/topology.tsx";
import { wizard } from "./state.ts";

export function TopologyStep({ status }: { status: Status }) {
  const { value: settings } = useSettings();
  const wires = settings?.interfaces ?? [];
  const external = wires.filter(({ role }) => role === "external").map(({ nic }) => nic);
  return (
    <>
      <h2>Is your network built like this?</h2>
      <p class="quiet">
        Each interface of this server and its counterpart on the second one are in the same switch or segment. One more
        card of each server joins the two directly.
      </p>
      <Topology
        here={{ name: status.name, word: "becomes active", state: "active" }}
        there={{ name: "Second server", word: "becomes the backup", state: "absent" }}
        wires={wires}
        cluster_nic={null}
        label={`This server's interfaces ${wires.map(({ nic, role }) => `${nic} (${role})`).join(", ")}, each with a counterpart on the second server in the same segment; a cable of their own joins the two servers.`}
      />
      {external.length > 0 && (
        <Notice tone="info" title={`About ${external.join(", ")}, to the provider`}>
          The two servers keep their own MAC addresses. A provider that binds to a MAC address sees a new one after a
          switch, and there is no internet access until it accepts that.
        </Notice>
      )}
      <div class="wizard-foot">
        <span />
        <Button kind="primary" onClick={() => wizard.set({ step: "card" })}>
          It is, continue
        </Button>
      </div>
    </>
  );
}
