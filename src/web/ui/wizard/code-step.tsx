import { useState } from "preact/hooks";
import { useAction } from "../lib/resource.ts";
import { useStore } from "../lib/store.ts";
import type { Status } from "../lib/types.ts";
import { versionWords } from "../lib/words.ts";
import { Button, Facts, Notice, Trouble } from "../parts/basics.tsx";
import { TextField } from "../parts/fields.tsx";
import { typeCode } from "./pairing.ts";
import { wizard } from "./state.ts";

const DIGITS = 6;

export function CodeStep({ status }: { status: Status }) {
  const [code, setCode] = useState("");
  const { busy, trouble, run } = useAction();
  const nic = useStore(wizard, (value) => value.nic);
  const ended = useStore(wizard, (value) => value.ended);
  const peer = status.pairing?.peer ?? null;
  const name = peer?.name ?? "the second server";
  const submit = async (event: Event) => {
    event.preventDefault();
    await run(() => typeCode(code, nic));
    setCode("");
  };
  return (
    <form class="form" onSubmit={(event) => void submit(event)}>
      <h2>{`Type the code that ${name} shows`}</h2>
      {ended !== null && (
        <Notice tone="bad" live>
          {ended}
        </Notice>
      )}
      {peer !== null && (
        <Facts
          rows={[
            ["Found", peer.name],
            ["Version", versionWords(peer)],
            ["Network cards", String(peer.cards.length)],
          ]}
        />
      )}
      <TextField
        class="code-field"
        label="Code on its console, six digits"
        value={code}
        onInput={(text) => setCode(text.replace(/\D/g, "").slice(0, DIGITS))}
        inputMode="numeric"
        autocomplete="one-time-code"
        required
        autofocus
        hint="It proves that nobody stands between the two servers. Each try has a code of its own."
      />
      <Trouble text={trouble} />
      <div class="form-foot">
        <Button kind="primary" type="submit" busy={busy} disabled={code.length !== DIGITS}>
          Confirm the code
        </Button>
      </div>
    </form>
  );
}
