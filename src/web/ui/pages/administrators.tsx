/** Who may administer this server: people with passwords, and programs with tokens. */
import { useState } from "preact/hooks";
import { app, note } from "../lib/app.ts";
import { ask } from "../lib/http.ts";
import { useResource } from "../lib/resource.ts";
import { whyNot } from "../lib/situation.ts";
import { useStore } from "../lib/store.ts";
import type { Token } from "../lib/types.ts";
import { timeWords } from "../lib/words.ts";
import { Button, Chip, Empty, Notice, Page, Panel, Table, Trouble, Waiting } from "../parts/basics.tsx";
import { Confirm, Dialog, FormDialog } from "../parts/dialog.tsx";
import { SelectField, TextField } from "../parts/fields.tsx";
import { NewPassword } from "../parts/new-password.tsx";

export function Administrators() {
  const refused = useStore(app, ({ status }) => whyNot("change-settings", status));
  return (
    <Page title="Administrators">
      {refused !== null && <Notice tone="info">{refused}</Notice>}
      <People refused={refused !== null} />
      <Tokens refused={refused !== null} />
    </Page>
  );
}

function People({ refused }: { refused: boolean }) {
  const { value: people, trouble } = useResource<{ name: string }[]>("/administrators");
  const own = useStore(app, ({ session }) => session?.name ?? "");
  const [changing, setChanging] = useState<string | null>(null);
  return (
    <Panel title="People">
      <Trouble text={trouble} />
      {people === null && trouble === null && <Waiting />}
      {people !== null && (
        <Table label="Administrators" heads={["Name", ""]}>
          {people.map(({ name }) => (
            <tr key={name}>
              <td>
                {name} {name === own && <Chip tone="calm">You</Chip>}
              </td>
              <td class="end">
                <Button
                  kind="quiet"
                  label={`Change password of ${name}`}
                  disabled={refused || name !== own}
                  onClick={() => setChanging(name)}
                >
                  Change password
                </Button>
              </td>
            </tr>
          ))}
        </Table>
      )}
      {changing !== null && <ChangePassword name={changing} onClose={() => setChanging(null)} />}
    </Panel>
  );
}

function ChangePassword({ name, onClose }: { name: string; onClose: () => void }) {
  const [current, setCurrent] = useState("");
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  return (
    <FormDialog
      title={`Change the password of ${name}`}
      verb="Change password"
      work={async () => {
        if (password !== again) throw new Error("The two new passwords differ; type the same one twice.");
        await ask("POST", "/administrators/password", { body: { name, password, current } });
      }}
      onDone={() => note("The password is changed; all other sessions of this name have ended.")}
      onClose={onClose}
    >
      <TextField
        label="Present password"
        type="password"
        value={current}
        onInput={setCurrent}
        autocomplete="current-password"
        required
        autofocus
      />
      <NewPassword password={password} again={again} onPassword={setPassword} onAgain={setAgain} />
    </FormDialog>
  );
}

function Tokens({ refused }: { refused: boolean }) {
  const { value: tokens, trouble, reload } = useResource<Token[]>("/tokens");
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<string | null>(null);
  const [revoking, setRevoking] = useState<Token | null>(null);
  return (
    <Panel
      title="Tokens for programs"
      aside={
        <Button icon="plus" disabled={refused} onClick={() => setMaking(true)}>
          Make a token
        </Button>
      }
    >
      <p class="quiet">
        A program that automates this server, or reads its figures, shows a token instead of a password. What it can ask
        is described in <a href="/api/v1/openapi.json">openapi.json</a>; figures for Prometheus are at{" "}
        <a href="/metrics">/metrics</a>.
      </p>
      <Trouble text={trouble} />
      {tokens?.length === 0 && <Empty>None yet.</Empty>}
      {tokens !== null && tokens.length > 0 && (
        <Table label="Tokens" heads={["Name", "May", "Made", ""]}>
          {tokens.map((token) => (
            <tr key={token.id}>
              <td>{token.name}</td>
              <td>{token.access === "read" ? "read only" : "everything"}</td>
              <td class="nowrap">{timeWords(token.made)}</td>
              <td class="end">
                <Button
                  kind="quiet"
                  label={`Revoke ${token.name}`}
                  disabled={refused}
                  onClick={() => setRevoking(token)}
                >
                  Revoke
                </Button>
              </td>
            </tr>
          ))}
        </Table>
      )}
      {making && (
        <MakeToken
          onMade={(token) => {
            setMade(token);
            void reload();
          }}
          onClose={() => setMaking(false)}
        />
      )}
      {made !== null && (
        <Dialog title="The token" onClose={() => setMade(null)}>
          <p>It is shown this once. Copy it to where it is used, now.</p>
          <p class="secret">{made}</p>
          <div class="dialog-actions">
            <Button kind="primary" onClick={() => setMade(null)}>
              I have it
            </Button>
          </div>
        </Dialog>
      )}
      {revoking !== null && (
        <Confirm
          title={`Revoke the token ${revoking.name}?`}
          verb="Revoke"
          danger
          work={() => ask("DELETE", `/tokens/${encodeURIComponent(revoking.id)}`)}
          onDone={() => void reload()}
          onClose={() => setRevoking(null)}
        >
          <p>Programs that use it are refused from now on.</p>
        </Confirm>
      )}
    </Panel>
  );
}

function MakeToken({ onMade, onClose }: { onMade: (token: string) => void; onClose: () => void }) {
  const [name, setName] = useState("");
  const [access, setAccess] = useState<Token["access"]>("read");
  return (
    <FormDialog
      title="Make a token"
      verb="Make a token"
      work={async () => onMade((await ask<{ token: string }>("POST", "/tokens", { body: { name, access } })).token)}
      onClose={onClose}
    >
      <TextField
        label="Name"
        value={name}
        onInput={setName}
        placeholder="Such as: monitoring"
        maxLength={64}
        required
        autofocus
      />
      <SelectField
        label="It may"
        value={access}
        onChange={setAccess}
        options={[
          { value: "read", text: "read only" },
          { value: "full", text: "do everything but administer people and tokens" },
        ]}
      />
    </FormDialog>
  );
}
