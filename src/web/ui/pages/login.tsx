/** The door: logging in, or setting the first password of a new server. */
import { useState } from "preact/hooks";
import { app } from "../lib/app.ts";
import { useAction } from "../lib/resource.ts";
import { logIn, setFirstPassword } from "../lib/session.ts";
import { useStore } from "../lib/store.ts";
import { ROLE_WORDS, toneOfRole, versionWords } from "../lib/words.ts";
import { Button, Chip, Notice, Trouble, Waiting } from "../parts/basics.tsx";
import { TextField } from "../parts/fields.tsx";
import { Mark } from "../parts/icons.tsx";
import { NewPassword } from "../parts/new-password.tsx";

export function Login() {
  const known = useStore(app, (value) => value.public);
  const lost = useStore(app, (value) => value.connection === "lost");
  const why = useStore(app, (value) => value.logged_out);
  return (
    <main class="gate">
      <div class="gate-card">
        <div class="gate-brand">
          <Mark /> Understudy
        </div>
        {known === null ? (
          <>
            <h1 class="hidden">Understudy</h1>
            {lost ? (
              <Notice tone="bad" live>
                The server does not answer. The page tries again by itself.
              </Notice>
            ) : (
              <Waiting />
            )}
          </>
        ) : (
          <>
            <div>
              <h1 tabIndex={-1}>{known.name}</h1>
              <p>
                <Chip tone={toneOfRole(known.role)}>{ROLE_WORDS[known.role]}</Chip>
              </p>
            </div>
            {why !== null && <Notice tone="info">{why}</Notice>}
            {known.first_password ? <FirstPassword /> : <Password />}
            <p class="gate-foot">
              {`Version ${versionWords(known)}`}
              {known.role === "backup" && known.active !== null && ` · ${known.active.name} is active`}
            </p>
          </>
        )}
      </div>
    </main>
  );
}

function Password() {
  const [name, setName] = useState("admin");
  const [password, setPassword] = useState("");
  const { busy, trouble, run } = useAction();
  const submit = async (event: Event) => {
    event.preventDefault();
    if (!(await run(() => logIn(name, password)))) setPassword("");
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      <TextField label="Name" value={name} onInput={setName} autocomplete="username" required />
      <TextField
        label="Password"
        type="password"
        value={password}
        onInput={setPassword}
        autocomplete="current-password"
        required
        autofocus
      />
      <Trouble text={trouble} />
      <Button kind="primary" type="submit" busy={busy}>
        Log in
      </Button>
    </form>
  );
}

function FirstPassword() {
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const { busy, trouble, run } = useAction();
  const submit = (event: Event) => {
    event.preventDefault();
    void run(async () => {
      if (password !== again) throw new Error("The two passwords differ; type the same one twice.");
      await setFirstPassword(password);
    });
  };
  return (
    <form onSubmit={submit}>
      <Notice tone="info">This server is new. Set the password of its administrator, admin, to begin.</Notice>
      <NewPassword password={password} again={again} onPassword={setPassword} onAgain={setAgain} autofocus />
      <Trouble text={trouble} />
      <Button kind="primary" type="submit" busy={busy}>
        Set password and log in
      </Button>
    </form>
  );
}
