/** Backup copies of the settings. In a cluster they are made, but not restored. */
import { useState } from "preact/hooks";
import { app, note } from "../lib/app.ts";
import { ask } from "../lib/http.ts";
import { useAction, useResource } from "../lib/resource.ts";
import { whyNot } from "../lib/situation.ts";
import { useStore } from "../lib/store.ts";
import type { Backup } from "../lib/types.ts";
import { sizeWords, timeWords } from "../lib/words.ts";
import { Button, Chip, Empty, Notice, Page, Panel, Table, Trouble, Waiting } from "../parts/basics.tsx";
import { Confirm, FormDialog } from "../parts/dialog.tsx";
import { TextField } from "../parts/fields.tsx";
import { FileButton, saveFile } from "../parts/file.tsx";

type Restored = { name: string; content?: string; encrypted: boolean };

export function Backups() {
  const { value: backups, trouble, reload } = useResource<Backup[]>("/backups");
  const no_restore = useStore(app, ({ status }) => whyNot("restore-backup", status));
  const no_change = useStore(app, ({ status }) => whyNot("change-settings", status));
  const [making, setMaking] = useState(false);
  const [restoring, setRestoring] = useState<Restored | null>(null);
  const [deleting, setDeleting] = useState<string | null>(null);
  const fetching = useAction();
  const download = (name: string) =>
    fetching.run(async () => {
      const { content } = await ask<{ content: string }>("GET", `/backups/${encodeURIComponent(name)}`);
      saveFile(name, content);
    });
  const frozen = no_change !== null;
  return (
    <Page
      title="Backup copies"
      lead="Copies of this server's settings, kept on it. Download them to keep them elsewhere."
      actions={
        <>
          <FileButton
            disabled={no_restore !== null}
            onText={(content, name) => setRestoring({ name, content, encrypted: true })}
          >
            Restore from a file
          </FileButton>
          <Button kind="primary" icon="plus" disabled={frozen} onClick={() => setMaking(true)}>
            Make a copy
          </Button>
        </>
      }
    >
      {no_restore !== null && (
        <div id="no-restore">
          <Notice tone="info">{no_restore}</Notice>
        </div>
      )}
      <Panel>
        <Trouble text={trouble ?? fetching.trouble} />
        {backups === null && trouble === null && <Waiting />}
        {backups?.length === 0 && <Empty>None yet.</Empty>}
        {backups !== null && backups.length > 0 && (
          <Table label="Backup copies" heads={["Made", "Server", "Version", "Size", ""]}>
            {backups.map((backup) => (
              <tr key={backup.name}>
                <td>
                  {backup.at === null ? backup.name : timeWords(backup.at)}
                  {backup.encrypted && (
                    <>
                      {" "}
                      <Chip tone="none">Encrypted</Chip>
                    </>
                  )}
                  {backup.trouble !== null && <div class="quiet">{backup.trouble}</div>}
                </td>
                <td>{backup.server ?? "–"}</td>
                <td>{backup.version ?? "–"}</td>
                <td class="nowrap">{sizeWords(backup.bytes)}</td>
                <td class="end">
                  <Button kind="quiet" label={`Download ${backup.name}`} onClick={() => void download(backup.name)}>
                    Download
                  </Button>
                  <Button
                    kind="quiet"
                    label={`Restore ${backup.name}`}
                    disabled={no_restore !== null || backup.trouble !== null}
                    describedby={no_restore === null ? undefined : "no-restore"}
                    onClick={() => setRestoring({ name: backup.name, encrypted: backup.encrypted })}
                  >
                    Restore
                  </Button>
                  <Button
                    kind="quiet"
                    label={`Delete ${backup.name}`}
                    disabled={frozen}
                    onClick={() => setDeleting(backup.name)}
                  >
                    Delete
                  </Button>
                </td>
              </tr>
            ))}
          </Table>
        )}
      </Panel>
      {making && <MakeBackup onClose={() => setMaking(false)} onDone={() => void reload()} />}
      {restoring !== null && <RestoreBackup backup={restoring} onClose={() => setRestoring(null)} />}
      {deleting !== null && (
        <Confirm
          title="Delete this backup copy?"
          verb="Delete"
          danger
          work={() => ask("DELETE", `/backups/${encodeURIComponent(deleting)}`)}
          onDone={() => void reload()}
          onClose={() => setDeleting(null)}
        >
          <p>
            <span class="mono">{deleting}</span> is gone for good, unless you have downloaded it.
          </p>
        </Confirm>
      )}
    </Page>
  );
}

function MakeBackup({ onClose, onDone }: { onClose: () => void; onDone: () => void }) {
  const [passphrase, setPassphrase] = useState("");
  return (
    <FormDialog
      title="Make a backup copy"
      verb="Make a copy"
      work={() => ask("POST", "/backups", { body: passphrase === "" ? {} : { passphrase } })}
      onDone={() => {
        note("The backup copy is made.");
        onDone();
      }}
      onClose={onClose}
    >
      <TextField
        label="Passphrase"
        type="password"
        value={passphrase}
        onInput={setPassphrase}
        autocomplete="new-password"
        hint="With one the copy is encrypted, and nobody can restore it without. Leave it empty for a plain copy."
      />
    </FormDialog>
  );
}

function RestoreBackup({ backup, onClose }: { backup: Restored; onClose: () => void }) {
  const [passphrase, setPassphrase] = useState("");
  const [current, setCurrent] = useState("");
  const name = useStore(app, ({ status }) => status?.name ?? "This server");
  const { content } = backup;
  return (
    <FormDialog
      title="Restore this backup copy?"
      verb="Restore"
      work={() =>
        ask("POST", "/backups/restore", {
          body: {
            current,
            ...(content === undefined ? { name: backup.name } : { content }),
            ...(passphrase === "" ? {} : { passphrase }),
          },
        })
      }
      onDone={() => note("The settings of the copy are in force.")}
      onClose={onClose}
    >
      <p>
        All settings of <strong>{name}</strong> are replaced by those of <span class="mono">{backup.name}</span>, its
        addresses too. If they differ from the present ones, this page may not be reached at the same address any more.
      </p>
      {backup.encrypted && (
        <TextField
          label={content === undefined ? "Passphrase" : "Passphrase, if it is encrypted"}
          type="password"
          value={passphrase}
          onInput={setPassphrase}
          required={content === undefined}
        />
      )}
      <TextField
        label="Your password"
        type="password"
        value={current}
        onInput={setCurrent}
        autocomplete="current-password"
        required
        hint="The administrators of the copy, with their passwords, take the place of the present ones."
      />
    </FormDialog>
  );
}
