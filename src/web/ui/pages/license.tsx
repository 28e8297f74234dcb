/** The license: one serves both nodes of a cluster. */
import { useState } from "preact/hooks";
import { app, note } from "../lib/app.ts";
import { ask } from "../lib/http.ts";
import { useAction, useResource } from "../lib/resource.ts";
import { whyNot } from "../lib/situation.ts";
import { useStore } from "../lib/store.ts";
import type { License as Report } from "../lib/types.ts";
import { Button, Facts, Notice, Page, Panel, Trouble, Waiting } from "../parts/basics.tsx";
import { AreaField } from "../parts/fields.tsx";
import { FileButton } from "../parts/file.tsx";

export function License() {
  const revision = useStore(app, ({ status }) => status?.settings_revision ?? 0);
  const refused = useStore(app, ({ status }) => whyNot("change-settings", status));
  const { value: license, trouble, reload } = useResource<Report>("/license", revision);
  const [text, setText] = useState("");
  const action = useAction();
  const install = async (event: Event) => {
    event.preventDefault();
    if (!(await action.run(() => ask("PUT", "/license", { body: { text } })))) return;
    setText("");
    note("The license is installed.");
    await reload();
  };
  return (
    <Page title="License" lead="One license serves both nodes of a cluster.">
      <Panel title="Installed">
        <Trouble text={trouble} />
        {license === null && trouble === null && <Waiting />}
        {license !== null && (
          <>
            <Notice tone={license.state === "valid" ? "good" : "warning"}>{license.message}</Notice>
            {license.holder !== null && (
              <Facts
                rows={[
                  ["Holder", license.holder],
                  ["Serial number", license.serial ?? "–"],
                  ["Issued", license.issued ?? "–"],
                  ["Valid until", license.until ?? "without end"],
                ]}
              />
            )}
          </>
        )}
      </Panel>
      <Panel title="Install a license">
        {refused !== null && <Notice tone="info">{refused}</Notice>}
        <form class="form" onSubmit={(event) => void install(event)}>
          <AreaField
            label="Text of the license"
            value={text}
            onInput={setText}
            rows={7}
            placeholder="-----BEGIN UNDERSTUDY LICENSE-----"
            disabled={refused !== null}
            required
          />
          <Trouble text={action.trouble} />
          <div class="form-foot">
            <Button kind="primary" type="submit" busy={action.busy} disabled={refused !== null || text.trim() === ""}>
              Install
            </Button>
            <FileButton disabled={refused !== null} onText={setText}>
              Choose a file
            </FileButton>
          </div>
        </form>
      </Panel>
    </Page>
  );
}
